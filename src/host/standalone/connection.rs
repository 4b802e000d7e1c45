//! `ngx_connection.h`: a descriptor and its events.

pub use super::types::{bit, ngx_connection_s, ngx_connection_t, ngx_recv_pt, ngx_send_pt};
use crate::channel::close;
use std::collections::BTreeMap;
use std::fmt;
use std::os::fd::RawFd;
use std::ptr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::event::{flag, ngx_event_s, ngx_event_t, set_waker};
use super::event_timer::ngx_event_del_timer;
use super::io;
use super::log::ngx_log_t;
use crate::config::{ngx_pid_t, ngx_socket_t};
use crate::host::globals::GLOBALS;
use crate::host::logs::log_of;
use crate::log::{Debug, Level, Log};
use crate::status::{Result, Status};
use crate::sys::epoll::{self, Epoll};

impl ngx_connection_s {
    fn new(fd: ngx_socket_t, log: *mut ngx_log_t) -> Self {
        Self {
            data: ptr::null_mut(),
            read: ptr::null_mut(),
            write: ptr::null_mut(),
            fd,
            recv: Some(io::recv),
            send: Some(io::send),
            listening: ptr::null_mut(),
            log,
            pool: ptr::null_mut(),
            number: 0,
            flags: 0,
        }
    }
}

/// A connection and its two events; C knows the address of the first.
#[repr(C)]
pub struct Entry {
    c: ngx_connection_t,
    /// What its `read` points to.
    pub read: ngx_event_s,
    /// What its `write` points to.
    pub write: ngx_event_s,
    /// Where it is in `Loop::entries`.
    index: u32,
    /// Whether the connection is in use: its descriptor may be any number.
    open: bool,
    /// What epoll watches it for.
    pub mask: u32,
    /// Changes with each use, so that a late event of the one before is told
    /// from one of its own.
    generation: u32,
}

impl Entry {
    /// What epoll knows the connection by.
    pub fn key(&self) -> u64 {
        u64::from(self.generation) << 32 | u64::from(self.index)
    }
}

/// The loop of one process.
pub struct Loop {
    /// Where the descriptors are watched.
    pub epoll: Epoll,
    /// The process that made it: a child makes its own.
    owner: ngx_pid_t,
    // Never freed, since a handler may look at the connection that it has
    // just closed.
    entries: Vec<*mut Entry>,
    free: Vec<*mut Entry>,
    /// Those of the processes it was forked from: C may still point to them.
    inherited: Vec<*mut Entry>,
    /// Those that are watched.
    by_fd: BTreeMap<RawFd, *mut Entry>,
}

// SAFETY: the pointers are owned by the loop; the program has one thread that
// uses it.
unsafe impl Send for Loop {}

static LOOP: Mutex<Option<Loop>> = Mutex::new(None);
/// Runs `use_it` with the loop of this process, made when it is first needed.
///
/// No handler may run within `use_it`: it would find the loop locked.
pub fn with_loop<T>(
    log: Log,
    use_it: impl FnOnce(&mut Loop) -> std::result::Result<T, Status>,
) -> Result<T> {
    let mut guard = lock();

    if own_loop(&mut guard).is_none() {
        let epoll = match Epoll::new() {
            Ok(epoll) => epoll,
            Err(err) => {
                // A writer of the program's must not find the loop locked.
                drop(guard);
                return Err(log.fail(Level::Emerg, err, format_args!("epoll_create() failed")));
            }
        };

        set_waker(epoll.waker());

        let parents = guard.take();

        *guard = Some(Loop::new(epoll, parents));
    }

    guard.as_mut().map_or(Err(Status::Error), use_it)
}

fn lock() -> MutexGuard<'static, Option<Loop>> {
    LOOP.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The loop of this process, if it has one: a forked copy of the parent's is
/// not, and what the parent watches is none of its business.
fn own_loop(of: &mut Option<Loop>) -> Option<&mut Loop> {
    let own = GLOBALS.own_pid();

    of.as_mut().filter(|of| of.owner == own)
}

impl Loop {
    /// A loop of this process. The parent's, if it was forked with one, is
    /// closed, and its connections are nobody's.
    fn new(epoll: Epoll, parents: Option<Self>) -> Self {
        let inherited = parents.map_or_else(Vec::new, |of| {
            of.inherited.into_iter().chain(of.entries).collect()
        });

        for &entry in &inherited {
            // SAFETY: entries are never freed.
            unsafe {
                (*entry).open = false;
                (*entry).c.fd = -1;
            }
        }

        Self {
            epoll,
            owner: GLOBALS.own_pid(),
            entries: Vec::new(),
            free: Vec::new(),
            inherited,
            by_fd: BTreeMap::new(),
        }
    }

    /// Whether an entry is of this loop.
    fn has(&self, entry: *mut Entry) -> bool {
        // SAFETY: entries are never freed.
        let index = unsafe { (*entry).index };

        self.entries.get(index as usize) == Some(&entry)
    }

    fn entry(&mut self) -> *mut Entry {
        if let Some(entry) = self.free.pop() {
            return entry;
        }

        let index = u32::try_from(self.entries.len()).unwrap_or(u32::MAX);
        let entry = Box::into_raw(Box::new(Entry {
            c: ngx_connection_s::new(-1, ptr::null_mut()),
            read: ngx_event_s::new(ptr::null_mut(), 0, ptr::null_mut()),
            write: ngx_event_s::new(ptr::null_mut(), 0, ptr::null_mut()),
            index,
            open: false,
            mask: 0,
            generation: 0,
        }));

        self.entries.push(entry);

        entry
    }

    /// The connection that an event is for, unless that is gone.
    pub fn find(&self, key: u64) -> Option<*mut Entry> {
        let index = usize::try_from(key & u64::from(u32::MAX)).ok()?;
        let entry = *self.entries.get(index)?;

        // SAFETY: entries are never freed.
        let found = unsafe { (*entry).open && (*entry).key() == key };

        found.then_some(entry)
    }
}

/// The open connections of this process.
pub fn open_connections() -> Vec<*mut ngx_connection_t> {
    own_loop(&mut lock()).map_or_else(Vec::new, |of| {
        of.entries
            .iter()
            // SAFETY: entries are never freed.
            .filter(|&&entry| unsafe { (*entry).open })
            .map(|entry| entry.cast::<ngx_connection_t>())
            .collect()
    })
}

/// Has epoll watch a connection for what its active events wait for.
///
/// # Safety
///
/// `c` is an open connection of the loop's.
pub unsafe fn watch(c: *mut ngx_connection_t, log: Log) -> Result {
    let entry = c.cast::<Entry>();

    // SAFETY: promised by the caller.
    let (fd, key, old, new) = unsafe {
        let read = &(*entry).read;
        let write = &(*entry).write;
        let mut mask = 0;

        if read.is(flag::ACTIVE) {
            mask |= epoll::READ;
        }

        if read.is(flag::ACTIVE | flag::ACCEPT) {
            // One of the workers that wait is woken up, not all.
            mask = epoll::EXCLUSIVE_READ;
        }

        if write.is(flag::ACTIVE) {
            mask |= epoll::WRITE;
        }

        ((*c).fd, (*entry).key(), (*entry).mask, mask)
    };

    if old == new {
        return Ok(());
    }

    let op = match (old, new) {
        (0, _) => libc::EPOLL_CTL_ADD,
        (_, 0) => libc::EPOLL_CTL_DEL,
        _ => libc::EPOLL_CTL_MOD,
    };
    let what = if op == libc::EPOLL_CTL_DEL {
        "del"
    } else {
        "add"
    };

    log.debug(
        Debug::Event,
        format_args!("epoll {what} event: fd:{fd} op:{op} ev:{new:08X}"),
    );

    let changed = with_loop(log, |of| {
        let changed = of.epoll.ctl(op, fd, new, key);

        if changed.is_ok() {
            of.by_fd.insert(fd, entry);
            // SAFETY: promised by the caller.
            unsafe { (*entry).mask = new };
        }

        Ok(changed)
    })?;

    changed.map_err(|err| {
        log.fail(
            Level::Alert,
            err,
            format_args!("epoll_ctl({op}, {fd}) failed"),
        )
    })
}

/// An event, as a log line names it: the descriptor of its connection, -1 if
/// it has none of this loop's. Found only when the line is written.
pub struct Ident(pub *mut ngx_event_t);

impl fmt::Display for Ident {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        open_connections()
            .into_iter()
            // SAFETY: entries are never freed.
            .map(|c| unsafe { &*c })
            .find(|c| c.read == self.0 || c.write == self.0)
            .map_or(-1, |c| c.fd)
            .fmt(f)
    }
}

/// Makes a connection of `s`, which the loop does not watch yet.
///
/// Returns NULL, with an alert in the log, if there is no event loop.
///
/// # Safety
///
/// `log` is NULL or a log that is valid as long as the connection.
///
/// # References
///
/// nginx's `src/core/ngx_connection.c`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_get_connection(
    s: ngx_socket_t,
    log: *mut ngx_log_t,
) -> *mut ngx_connection_t {
    // SAFETY: promised by the caller.
    let entry = with_loop(unsafe { log_of(log) }, |of| Ok(of.entry()));

    let Ok(entry) = entry else {
        return ptr::null_mut();
    };

    // SAFETY: entries are never freed, and this one is in nobody's use.
    unsafe {
        let c = &raw mut (*entry).c;

        (*entry).generation = (*entry).generation.wrapping_add(1);
        (*entry).read = ngx_event_s::new(c, 0, log);
        (*entry).write = ngx_event_s::new(c, flag::WRITE, log);
        (*entry).mask = 0;
        (*entry).open = true;
        (*entry).c = ngx_connection_t {
            read: &raw mut (*entry).read,
            write: &raw mut (*entry).write,
            ..ngx_connection_s::new(s, log)
        };

        c
    }
}

/// Has the loop forget a connection; its descriptor stays open.
///
/// # Safety
///
/// `c` is NULL or comes from this library.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_free_connection(c: *mut ngx_connection_t) {
    let entry = c.cast::<Entry>();

    // SAFETY: promised by the caller.
    unsafe {
        if c.is_null() || !(*entry).open {
            return;
        }

        for event in [(*c).read, (*c).write] {
            if (*event).is(flag::TIMER_SET) {
                ngx_event_del_timer(event);
            }
        }
    }

    let mut guard = lock();

    // SAFETY: promised by the caller.
    unsafe {
        if let Some(of) = own_loop(&mut guard) {
            if (*entry).mask != 0 {
                // The number may be closed already; then epoll has forgotten
                // it, or cannot be told.
                let _ = of.epoll.remove((*c).fd);
            }

            if of.by_fd.get(&(*c).fd) == Some(&entry) {
                of.by_fd.remove(&(*c).fd);
            }

            if of.has(entry) {
                of.free.push(entry);
            }
        }

        (*entry).open = false;
        (*c).fd = -1;
    }
}

/// Has the loop forget a connection and closes its descriptor.
///
/// # Safety
///
/// `c` is NULL or comes from this library.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_close_connection(c: *mut ngx_connection_t) {
    // SAFETY: promised by the caller.
    let Some((fd, log)) = (unsafe { c.as_ref().map(|c| (c.fd, log_of(c.log))) }) else {
        return;
    };

    // SAFETY: the same.
    if !unsafe { (*c.cast::<Entry>()).open } {
        log.refuse(format_args!("connection already closed"));
        return;
    }

    // SAFETY: promised by the caller.
    unsafe { ngx_free_connection(c) };

    close::close_end(&GLOBALS, log, fd);
}

/// Forgets whatever watches `fd`, which is about to be closed.
pub fn forget(fd: RawFd) {
    let found = own_loop(&mut lock()).and_then(|of| of.by_fd.get(&fd).copied());

    if let Some(entry) = found {
        // SAFETY: an entry of the loop begins with its connection.
        unsafe { ngx_free_connection(entry.cast()) };
    }
}
