//! `ngx_connection.h`: a descriptor and its events.

use std::ffi::c_void;
use std::os::fd::RawFd;
use std::ptr;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::event::{flag, ngx_event_s, ngx_event_t, set_waker};
use super::event_timer::{self, ngx_event_del_timer};
use super::log::ngx_log_t;
use super::log_of;
use super::palloc::ngx_pool_t;
use super::process::GLOBALS;
use super::process_cycle::ngx_pid;
use crate::config::{ngx_fd_t, ngx_socket_t};
use crate::log::{Level, Log};
use crate::process;
use crate::status::{Result, Status};
use crate::sys::epoll::Epoll;

/// By nginx's other name.
pub type ngx_connection_t = ngx_connection_s;

/// A descriptor in the event loop.
#[repr(C)]
pub struct ngx_connection_s {
    /// For its owner.
    pub data: *mut c_void,
    /// Its read event.
    pub read: *mut ngx_event_t,
    /// Its write event.
    pub write: *mut ngx_event_t,

    /// The descriptor; -1 once the connection is closed.
    pub fd: ngx_socket_t,

    /// Where its events are logged.
    pub log: *mut ngx_log_t,
    /// For its owner.
    pub pool: *mut ngx_pool_t,
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
    owner: i32,
    // Never freed, since a handler may look at the connection that it has
    // just closed.
    entries: Vec<*mut Entry>,
    free: Vec<*mut Entry>,
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
        let epoll = Epoll::new()
            .map_err(|err| log.fail(Level::Emerg, err, format_args!("epoll_create() failed")))?;

        set_waker(epoll.waker());

        *guard = Some(Loop {
            epoll,
            owner: ngx_pid.load(Relaxed),
            entries: Vec::new(),
            free: Vec::new(),
        });
    }

    guard.as_mut().map_or(Err(Status::Error), use_it)
}

fn lock() -> MutexGuard<'static, Option<Loop>> {
    LOOP.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The loop of this process, if it has one. A forked copy of the parent's is
/// dropped: its connections and timers are not ours.
fn own_loop(of: &mut Option<Loop>) -> Option<&mut Loop> {
    if of
        .as_ref()
        .is_some_and(|of| of.owner != ngx_pid.load(Relaxed))
    {
        set_waker(-1);
        *of = None;
        event_timer::forget_all();
    }

    of.as_mut()
}

impl Loop {
    fn entry(&mut self) -> *mut Entry {
        if let Some(entry) = self.free.pop() {
            return entry;
        }

        let index = u32::try_from(self.entries.len()).unwrap_or(u32::MAX);
        let entry = Box::into_raw(Box::new(Entry {
            c: ngx_connection_t {
                data: ptr::null_mut(),
                read: ptr::null_mut(),
                write: ptr::null_mut(),
                fd: -1,
                log: ptr::null_mut(),
                pool: ptr::null_mut(),
            },
            read: ngx_event_s::new(ptr::null_mut(), 0, ptr::null_mut()),
            write: ngx_event_s::new(ptr::null_mut(), 0, ptr::null_mut()),
            index,
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
        let found = unsafe { (*entry).c.fd != -1 && (*entry).key() == key };

        found.then_some(entry)
    }
}

/// The descriptor of an event of a connection of ours, else -1.
pub fn ident(ev: *mut ngx_event_t) -> ngx_fd_t {
    own_loop(&mut lock())
        .and_then(|of| {
            of.entries
                .iter()
                // SAFETY: entries are never freed.
                .map(|&entry| unsafe { &(*entry).c })
                .find(|c| c.read == ev || c.write == ev)
        })
        .map_or(-1, |c| c.fd)
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
        (*entry).c = ngx_connection_t {
            data: ptr::null_mut(),
            read: &raw mut (*entry).read,
            write: &raw mut (*entry).write,
            fd: s,
            log,
            pool: ptr::null_mut(),
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

    // SAFETY: promised by the caller; a closed connection has the fd -1.
    unsafe {
        if c.is_null() || (*c).fd == -1 {
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
            if (*entry).read.is(flag::ACTIVE) || (*entry).write.is(flag::ACTIVE) {
                // The number may be closed already; then epoll has forgotten
                // it, or cannot be told.
                let _ = of.epoll.remove((*c).fd);
            }

            of.free.push(entry);
        }

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

    if fd == -1 {
        log.refuse(format_args!("connection already closed"));
        return;
    }

    // SAFETY: promised by the caller.
    unsafe { ngx_free_connection(c) };

    process::close_end(&GLOBALS, log, fd);
}

/// Forgets whatever watches `fd`, which is about to be closed.
pub fn forget(fd: RawFd) {
    let found = own_loop(&mut lock()).and_then(|of| {
        of.entries
            .iter()
            .copied()
            // SAFETY: entries are never freed.
            .find(|&entry| unsafe { (*entry).c.fd == fd })
    });

    if let Some(entry) = found {
        // SAFETY: an entry of the loop begins with its connection.
        unsafe { ngx_free_connection(entry.cast()) };
    }
}
