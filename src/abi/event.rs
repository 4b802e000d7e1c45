//! `ngx_event.h`: the standalone host's event loop and timers.

use std::ffi::{c_int, c_void};
use std::os::fd::RawFd;
use std::ptr;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicI32};
use std::sync::{Mutex, MutexGuard, PoisonError};

use nix::errno::Errno;

use super::connection::ngx_connection_t;
use super::cycle::ngx_cycle_t;
use super::log::ngx_log_t;
use super::process_cycle::ngx_pid;
use super::times::{ngx_current_msec, ngx_time_update};
use super::{cycle_log, log_of};
use crate::config::{NGX_AGAIN, NGX_OK, ngx_fd_t, ngx_int_t, ngx_msec_t};
use crate::log::{Debug, Level, Log};
use crate::process;
use crate::standalone::timers::Timers;
use crate::status::{Result, Status};
use crate::sys::epoll::{self, Epoll, Event};

use super::process::GLOBALS;

/// By nginx's other name.
pub type ngx_event_t = ngx_event_s;

/// Is called when an event has happened.
pub type ngx_event_handler_pt = Option<unsafe extern "C" fn(ev: *mut ngx_event_t)>;

/// What C's bit-fields look like from here.
#[repr(C)]
pub struct ngx_event_s {
    data: *mut c_void,
    flags: u32,
    available: c_int,
    handler: ngx_event_handler_pt,
    log: *mut ngx_log_t,
    timer: Timer,
}

#[repr(C)]
struct Timer {
    key: ngx_msec_t,
}

/// The bits of `ngx_event_s` that are used here, as event.h orders them.
mod flag {
    pub(super) const WRITE: u32 = 1 << 0;
    pub(super) const ACTIVE: u32 = 1 << 3;
    pub(super) const READY: u32 = 1 << 5;
    pub(super) const TIMEDOUT: u32 = 1 << 10;
    pub(super) const TIMER_SET: u32 = 1 << 11;
    pub(super) const CHANNEL: u32 = 1 << 17;
    pub(super) const CANCELABLE: u32 = 1 << 19;
}

impl ngx_event_s {
    fn new(c: *mut ngx_connection_t, flags: u32, log: *mut ngx_log_t) -> Self {
        Self {
            data: c.cast(),
            flags,
            available: 0,
            handler: None,
            log,
            timer: Timer { key: 0 },
        }
    }

    fn is(&self, flag: u32) -> bool {
        self.flags & flag != 0
    }

    /// The connection that this is an event of.
    pub fn connection(&self) -> *mut ngx_connection_t {
        self.data.cast()
    }

    /// Where it is logged.
    pub fn log(&self) -> *mut ngx_log_t {
        self.log
    }

    /// Whether its timer has gone off; asking clears that.
    pub fn take_timedout(&mut self) -> bool {
        let timedout = self.is(flag::TIMEDOUT);

        self.flags &= !flag::TIMEDOUT;

        timedout
    }
}

/// `NGX_READ_EVENT` of event.h.
pub(crate) const READ_EVENT: ngx_int_t = 0x2001;
/// `NGX_WRITE_EVENT` of event.h.
const WRITE_EVENT: ngx_int_t = 0x4;

const _: () = assert!(
    READ_EVENT.unsigned_abs() == epoll::READ as usize
        && WRITE_EVENT.unsigned_abs() == epoll::WRITE as usize
);

/// A connection and its two events; C knows the address of the first.
#[repr(C)]
struct Entry {
    c: ngx_connection_t,
    read: ngx_event_s,
    write: ngx_event_s,
    /// Where it is in `Loop::entries`.
    index: u32,
    /// Changes with each use, so that a late event of the one before is told
    /// from one of its own.
    generation: u32,
}

impl Entry {
    fn key(&self) -> u64 {
        u64::from(self.generation) << 32 | u64::from(self.index)
    }
}

/// The loop of one process.
struct Loop {
    epoll: Epoll,
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
static TIMERS: Mutex<Timers> = Mutex::new(Timers::new());

/// The waker of this process's loop, or -1.
static WAKER: AtomicI32 = AtomicI32::new(-1);
/// The loop waits, or is about to.
static WAITING: AtomicBool = AtomicBool::new(false);
/// A signal came since the loop last looked.
static SIGNALED: AtomicBool = AtomicBool::new(false);

/// Runs `use_it` with the loop of this process, made when it is first needed.
///
/// No handler may run within `use_it`: it would find the loop locked.
fn with_loop<T>(
    log: Log,
    use_it: impl FnOnce(&mut Loop) -> std::result::Result<T, Status>,
) -> Result<T> {
    let mut guard = lock();

    if own_loop(&mut guard).is_none() {
        let epoll = Epoll::new()
            .map_err(|err| log.fail(Level::Emerg, err, format_args!("epoll_create() failed")))?;

        WAKER.store(epoll.waker(), Relaxed);

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
        WAKER.store(-1, Relaxed);
        *of = None;
        timers(|timers| *timers = Timers::new());
    }

    of.as_mut()
}

fn timers<T>(use_them: impl FnOnce(&mut Timers) -> T) -> T {
    use_them(&mut TIMERS.lock().unwrap_or_else(PoisonError::into_inner))
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
    fn find(&self, key: u64) -> Option<*mut Entry> {
        let index = usize::try_from(key & u64::from(u32::MAX)).ok()?;
        let entry = *self.entries.get(index)?;

        // SAFETY: entries are never freed.
        let found = unsafe { (*entry).c.fd != -1 && (*entry).key() == key };

        found.then_some(entry)
    }
}

/// See `ngx_get_connection`.
///
/// # Safety
///
/// As there.
pub unsafe fn get_connection(fd: ngx_fd_t, log: *mut ngx_log_t) -> *mut ngx_connection_t {
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
            fd,
            log,
            pool: ptr::null_mut(),
        };

        c
    }
}

/// See `ngx_free_connection`.
///
/// # Safety
///
/// As there.
pub unsafe fn free_connection(c: *mut ngx_connection_t) {
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

/// See `ngx_close_connection`.
///
/// # Safety
///
/// As there.
pub unsafe fn close_connection(c: *mut ngx_connection_t) {
    // SAFETY: promised by the caller.
    let Some((fd, log)) = (unsafe { c.as_ref().map(|c| (c.fd, log_of(c.log))) }) else {
        return;
    };

    if fd == -1 {
        log.refuse(format_args!("connection already closed"));
        return;
    }

    // SAFETY: promised by the caller.
    unsafe { free_connection(c) };

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
        unsafe { free_connection(entry.cast()) };
    }
}

/// See `ngx_add_channel_event`.
///
/// # Safety
///
/// As there.
pub unsafe fn add_channel(
    cycle: *mut ngx_cycle_t,
    fd: ngx_fd_t,
    event: ngx_int_t,
    handler: ngx_event_handler_pt,
) -> Result {
    // SAFETY: promised by the caller.
    let (log, raw_log, pool) = unsafe {
        let cycle = cycle.as_ref();

        (
            cycle.map_or_else(|| cycle_log(ptr::null()), |cycle| log_of(cycle.log)),
            cycle.map_or(ptr::null_mut(), |cycle| cycle.log),
            cycle.map_or(ptr::null_mut(), |cycle| cycle.pool),
        )
    };

    if handler.is_none() || !matches!(event, READ_EVENT | WRITE_EVENT) {
        return Err(log.refuse(format_args!(
            "no handler or no such event {event} for channel {fd}"
        )));
    }

    // SAFETY: promised by the caller.
    let c = unsafe { get_connection(fd, raw_log) };

    if c.is_null() {
        return Err(Status::Error);
    }

    // SAFETY: `c` is new.
    let key = unsafe {
        (*c).pool = pool;
        (*(*c).read).flags |= flag::CHANNEL;
        (*(*c).write).flags |= flag::CHANNEL;

        let ev = if event == READ_EVENT {
            (*c).read
        } else {
            (*c).write
        };

        (*ev).handler = handler;
        (*ev).flags |= flag::ACTIVE;

        (*c.cast::<Entry>()).key()
    };

    let mask = if event == READ_EVENT {
        epoll::READ
    } else {
        epoll::WRITE
    };

    log.debug(
        Debug::Event,
        format_args!(
            "epoll add event: fd:{fd} op:{} ev:{mask:08X}",
            libc::EPOLL_CTL_ADD
        ),
    );

    let added = with_loop(log, |of| {
        of.epoll.add(fd, mask, key).map_err(|err| {
            log.fail(
                Level::Alert,
                err,
                format_args!("epoll_ctl({}, {fd}) failed", libc::EPOLL_CTL_ADD),
            )
        })
    });

    if added.is_err() {
        // SAFETY: `c` is new, and not in the loop.
        unsafe {
            (*(*c).read).flags &= !flag::ACTIVE;
            (*(*c).write).flags &= !flag::ACTIVE;
            free_connection(c);
        }
    }

    added
}

/// Notes a signal, so that the loop does not wait; for signal handlers.
pub fn wake_up() {
    SIGNALED.store(true, Relaxed);

    if WAITING.load(Relaxed) {
        epoll::wake(WAKER.load(Relaxed));
    }
}

/// Waits for events, timers and signals, and calls the handlers.
///
/// Returns after each wake-up; a signal that came since the last one counts,
/// so none is slept over. The time is up to date then.
///
/// # Safety
///
/// `cycle` is a valid cycle.
///
/// # References
///
/// `epoll_wait(2)`; nginx's `src/event/ngx_event.c`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_process_events_and_timers(cycle: *mut ngx_cycle_t) {
    // SAFETY: promised by the caller.
    let log = unsafe { cycle_log(cycle) };

    let Ok((waiter, waker)) = with_loop(log, |of| Ok((of.epoll.waiter(), of.epoll.waker()))) else {
        return;
    };

    if ngx_current_msec.load(Relaxed) == 0 {
        ngx_time_update();
    }

    let before = ngx_current_msec.load(Relaxed);
    let timer = timers(|timers| timers.next_in(before));

    log.debug(
        Debug::Event,
        // As nginx prints NGX_TIMER_INFINITE.
        format_args!("epoll timer: {}", timer.map_or(-1, usize::cast_signed)),
    );

    let mut events = [Event::default(); epoll::BATCH];
    let result = wait(waiter, waker, &mut events, timer);

    ngx_time_update();

    match result {
        Ok(n) => dispatch(log, events.get(..n).unwrap_or_default()),

        Err(err) => {
            let level = if err == Errno::EINTR {
                Level::Info
            } else {
                Level::Alert
            };

            log.error(level, Some(err), format_args!("epoll_wait() failed"));
        }
    }

    log.debug(
        Debug::Event,
        format_args!(
            "timer delta: {}",
            ngx_current_msec.load(Relaxed).wrapping_sub(before)
        ),
    );

    expire_timers(log);
}

/// Waits, unless a signal came since the last time. A signal that comes later
/// finds WAITING set and writes to the waker, so it is not slept over either.
fn wait(
    waiter: RawFd,
    waker: RawFd,
    events: &mut [Event],
    timer: Option<ngx_msec_t>,
) -> std::result::Result<usize, Errno> {
    WAITING.store(true, Relaxed);

    let timeout = if SIGNALED.swap(false, Relaxed) {
        0
    } else {
        timer.map_or(-1, |timer| c_int::try_from(timer).unwrap_or(c_int::MAX))
    };

    let result = epoll::wait(waiter, waker, events, timeout);

    WAITING.store(false, Relaxed);

    result
}

fn dispatch(log: Log, events: &[Event]) {
    for event in events.iter().filter(|event| event.events != 0) {
        let both = if event.events & epoll::FAILED != 0 {
            epoll::READ | epoll::WRITE
        } else {
            0
        };

        for mask in [epoll::READ, epoll::WRITE] {
            if (event.events | both) & mask != 0 {
                call_ready(log, event.key, mask);
            }
        }
    }
}

/// Calls a handler, if its connection was not closed by one before it.
fn call_ready(log: Log, key: u64, mask: u32) {
    let Ok(Some(entry)) = with_loop(log, |of| Ok(of.find(key))) else {
        log.debug(Debug::Event, format_args!("epoll: stale event {key:X}"));
        return;
    };

    // SAFETY: entries are never freed; the handler was given for this.
    unsafe {
        let ev = if mask == epoll::READ {
            &raw mut (*entry).read
        } else {
            &raw mut (*entry).write
        };

        if !(*ev).is(flag::ACTIVE) {
            return;
        }

        (*ev).flags |= flag::READY;
        (*ev).available = -1;

        if let Some(handler) = (*ev).handler {
            handler(ev);
        }
    }
}

/// Calls the handlers of the timers that are due; one that is added by them
/// waits for the next round.
fn expire_timers(log: Log) {
    let now = ngx_current_msec.load(Relaxed);

    for _ in 0..timers(|timers| timers.len()) {
        let Some(event) = timers(|timers| timers.expired(now)) else {
            return;
        };

        let ev = ptr::with_exposed_provenance_mut::<ngx_event_t>(event);

        // SAFETY: whoever adds the timer of an event keeps the event until
        // the timer is deleted or goes off.
        unsafe {
            log.debug(
                Debug::Event,
                format_args!("event timer del: {}: {}", ident(ev), (*ev).timer.key),
            );

            (*ev).flags &= !flag::TIMER_SET;
            (*ev).flags |= flag::TIMEDOUT;

            if let Some(handler) = (*ev).handler {
                handler(ev);
            }
        }
    }
}

/// The descriptor of an event of a connection of ours, else -1.
fn ident(ev: *mut ngx_event_t) -> ngx_fd_t {
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

/// A timer that is set anew within this many milliseconds stays as it is.
const LAZY_DELAY: ngx_msec_t = 300;

/// Has `ev->handler` called, with `ev->timedout` set, in `timer` milliseconds.
///
/// An event has one timer; setting it anew moves it, unless by less than
/// 300 ms.
///
/// # Safety
///
/// `ev` is a valid event until its timer has gone off or been deleted.
///
/// # References
///
/// nginx's `src/event/ngx_event_timer.h`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_event_add_timer(ev: *mut ngx_event_t, timer: ngx_msec_t) {
    // SAFETY: promised by the caller.
    let (Some(event), now) = (unsafe { ev.as_mut() }, ngx_current_msec.load(Relaxed)) else {
        return;
    };

    let key = now.saturating_add(timer);

    if event.is(flag::TIMER_SET) {
        if key.abs_diff(event.timer.key) < LAZY_DELAY {
            return;
        }

        // SAFETY: promised by the caller.
        unsafe { ngx_event_del_timer(ev) };
    }

    // SAFETY: promised by the caller.
    unsafe { log_of(event.log) }.debug(
        Debug::Event,
        format_args!("event timer add: {}: {timer}:{key}", ident(ev)),
    );

    event.timer.key = key;
    event.flags |= flag::TIMER_SET;

    timers(|timers| timers.add(key, ev.expose_provenance()));
}

/// Deletes the timer of an event, if it has one.
///
/// # Safety
///
/// `ev` is a valid event.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_event_del_timer(ev: *mut ngx_event_t) {
    // SAFETY: promised by the caller.
    let Some(event) = (unsafe { ev.as_mut() }) else {
        return;
    };

    // SAFETY: the same.
    unsafe { log_of(event.log) }.debug(
        Debug::Event,
        format_args!("event timer del: {}: {}", ident(ev), event.timer.key),
    );

    event.flags &= !flag::TIMER_SET;

    timers(|timers| timers.remove(event.timer.key, ev.addr()));
}

/// Whether a worker that shuts down has nothing left to wait for.
///
/// Returns NGX_OK, or NGX_AGAIN while there are timers that are not
/// `cancelable`.
#[unsafe(no_mangle)]
pub extern "C" fn ngx_event_no_timers_left() -> ngx_int_t {
    let left = timers(|timers| {
        timers.any(|event| {
            let ev = ptr::with_exposed_provenance::<ngx_event_t>(event);

            // SAFETY: as in `expire_timers`.
            unsafe { !(*ev).is(flag::CANCELABLE) }
        })
    });

    if left { NGX_AGAIN } else { NGX_OK }
}
