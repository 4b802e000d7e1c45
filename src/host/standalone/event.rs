//! `ngx_event.h`: the standalone host's event loop.

pub(crate) use super::types::{Timer, flag};
pub use super::types::{ngx_event_handler_pt, ngx_event_s, ngx_event_t};
use crate::table::restart;
use std::ffi::c_int;
use std::os::fd::RawFd;
use std::ptr;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::sync::atomic::{AtomicBool, AtomicI32};

use nix::errno::Errno;

use super::connection::{
    ngx_connection_t, ngx_free_connection, ngx_get_connection, watch, with_loop,
};
use super::cycle::ngx_cycle_t;
use super::event_timer::{expire_timers, find_timer};
use super::log::ngx_log_t;
use super::times::{ngx_current_msec, ngx_time_update};
use crate::channel::queue;
use crate::config::{NGX_ERROR, ngx_fd_t, ngx_int_t, ngx_msec_t, ngx_uint_t, numbers};
use crate::host::globals::GLOBALS;
use crate::host::logs::{cycle_log, log_of};
use crate::log::{Debug, Level, Log};
use crate::process::respawn;
use crate::status::{Result, Status, code};
use crate::sys::epoll::{self, Event};
use crate::sys::time;

impl ngx_event_s {
    /// An event of the connection `c`.
    pub fn new(c: *mut ngx_connection_t, flags: u32, log: *mut ngx_log_t) -> Self {
        Self {
            data: c.cast(),
            flags,
            available: 0,
            handler: None,
            log,
            timer: Timer { key: 0 },
        }
    }

    /// Whether all of the flags are set.
    pub fn is(&self, flags: u32) -> bool {
        self.flags & flags == flags
    }

    /// Sets or clears a flag.
    pub fn set(&mut self, flag: u32, on: bool) {
        if on {
            self.flags |= flag;
        } else {
            self.flags &= !flag;
        }
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

/// Watch for input.
pub(crate) const READ_EVENT: ngx_int_t = numbers::NGX_READ_EVENT as ngx_int_t;
/// Watch for room for output.
const WRITE_EVENT: ngx_int_t = numbers::NGX_WRITE_EVENT as ngx_int_t;

const _: () = assert!(
    READ_EVENT.unsigned_abs() == epoll::READ as usize
        && WRITE_EVENT.unsigned_abs() == epoll::WRITE as usize
);

/// The waker of this process's loop, or -1.
static WAKER: AtomicI32 = AtomicI32::new(-1);
/// The loop waits, or is about to.
static WAITING: AtomicBool = AtomicBool::new(false);
/// A signal came since the loop last looked.
static SIGNALED: AtomicBool = AtomicBool::new(false);

/// Names the eventfd that wakes this process's loop up; -1: it has none.
pub fn set_waker(waker: RawFd) {
    WAKER.store(waker, Relaxed);
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
    let c = unsafe { ngx_get_connection(fd, raw_log) };

    if c.is_null() {
        return Err(Status::Error);
    }

    // SAFETY: `c` is new.
    let added = unsafe {
        (*c).pool = pool;
        (*(*c).read).set(flag::CHANNEL, true);
        (*(*c).write).set(flag::CHANNEL, true);

        let ev = if event == READ_EVENT {
            (*c).read
        } else {
            (*c).write
        };

        (*ev).handler = handler;
        (*ev).set(flag::ACTIVE, true);

        watch(c, log)
    };

    if added.is_err() {
        // SAFETY: `c` is new, and not in the loop.
        unsafe { ngx_free_connection(c) };
    }

    added
}

/// Has the loop watch for a read event that is wanted and has not happened,
/// and not for one that has and is not.
///
/// `flags` is for nginx's other event loops. Returns NGX_OK, or NGX_ERROR with
/// an alert in the log.
///
/// # Safety
///
/// `rev` is the read event of an open connection.
///
/// # References
///
/// nginx's `src/event/ngx_event.c`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_handle_read_event(
    rev: *mut ngx_event_t,
    flags: ngx_uint_t,
) -> ngx_int_t {
    let _ = flags;

    // SAFETY: promised by the caller.
    unsafe { handle_event(rev) }
}

/// The same for a write event: watched for after a send() that was short, and
/// no more when it has become ready. `lowat` is for other systems.
///
/// # Safety
///
/// `wev` is the write event of an open connection.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_handle_write_event(wev: *mut ngx_event_t, lowat: usize) -> ngx_int_t {
    let _ = lowat;

    // SAFETY: promised by the caller.
    unsafe { handle_event(wev) }
}

/// # Safety
///
/// `ev` is an event of an open connection.
unsafe fn handle_event(ev: *mut ngx_event_t) -> ngx_int_t {
    // SAFETY: promised by the caller.
    let Some(event) = (unsafe { ev.as_mut() }) else {
        return NGX_ERROR;
    };

    // nginx's rule for level-triggered events: what is ready and watched would
    // be told again and again.
    event.set(flag::ACTIVE, !event.is(flag::READY));

    // SAFETY: promised by the caller.
    unsafe { code(watch(event.connection(), log_of(event.log))) }
}

/// Notes a signal, so that the loop does not wait; for signal handlers.
pub fn wake_up() {
    SIGNALED.store(true, SeqCst);

    if WAITING.load(SeqCst) {
        epoll::wake(WAKER.load(Relaxed));
    }
}

/// Without descriptors for a loop it is tried again after so many milliseconds.
const RETRY: ngx_msec_t = 100;

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
        // Whoever calls this in a loop shall not spin until there is one.
        time::pause(RETRY);
        return;
    };

    if ngx_current_msec.load(Relaxed) == 0 {
        ngx_time_update();
    }

    let before = ngx_current_msec.load(Relaxed);
    let timer = [find_timer(before), next_duty()]
        .into_iter()
        .flatten()
        .min();

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
    do_duties(log);
}

/// Milliseconds until the library has something of its own to do: a process
/// to start again, unless the program has been told of it already, or a
/// message to send.
fn next_duty() -> Option<ngx_msec_t> {
    let restart = (GLOBALS.reap.load(Relaxed) == 0)
        .then(|| respawn::next_due(&GLOBALS, restart::now()))
        .flatten();

    [restart, queue::retry_in(&GLOBALS)]
        .into_iter()
        .flatten()
        .min()
}

fn do_duties(log: Log) {
    queue::flush(&GLOBALS, log);

    if respawn::next_due(&GLOBALS, restart::now()) == Some(0) {
        GLOBALS.reap.store(1, Relaxed);
    }
}

/// Waits, unless a signal came since the last time. A signal that comes later
/// finds WAITING set and writes to the waker, so it is not slept over either.
fn wait(
    waiter: RawFd,
    waker: RawFd,
    events: &mut [Event],
    timer: Option<ngx_msec_t>,
) -> std::result::Result<usize, Errno> {
    // In this order for whoever runs the handler, be it another thread.
    WAITING.store(true, SeqCst);

    let timeout = if SIGNALED.swap(false, SeqCst) {
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
