//! Runs one round of the event loop: waits for events, then calls the handlers
//! of the events that have happened.

use std::os::fd::RawFd;
use std::sync::atomic::Ordering::Relaxed;

use nix::errno::Errno;

use super::event_timer::{expire_timers, find_timer};
use super::posted::{self, Posted};
use super::types::{flag, ngx_event_handler_pt};
use super::variables::ngx_current_msec;
use super::{channel_event, event_loop, hooks, times, wake_up};
use crate::channel::waiting;
use crate::config::ngx_msec_t;
use crate::host::globals::GLOBALS;
use crate::log::{Debug, Level, Log};
use crate::process::missed;
use crate::process_cycle::duties::{do_duties, next_duty};
use crate::status::Result;
use crate::sys::epoll::{self, Batch, Events};
use crate::sys::time;
use crate::table::restart;

/// If the event loop cannot be made, a round takes this many milliseconds, so
/// that a program that calls the function in a loop does not use all of a
/// processor's time.
const RETRY: ngx_msec_t = 100;

/// Waits for an event, a timer or a signal, then calls the handlers. After that
/// the library does its own periodic work, such as starting processes that
/// could not be started before. The function returns after each wake-up.
pub fn process_events_and_timers(log: Log) {
    // The caller calls this function again and again, so it ends delays.
    restart::set_delays(true);

    let Ok((waiter, waker)) = event_loop::descriptors(log) else {
        time::pause(RETRY);
        return;
    };

    if ngx_current_msec.load(Relaxed) == 0 {
        times::update();
    }

    watch_full(log);

    let before = ngx_current_msec.load(Relaxed);
    let look = missed::next_look(&GLOBALS);
    let timer = if posted::begin_round() {
        Some(0)
    } else {
        time_to_wait(log, before, look)
    };
    let mut batch = Batch::uninit();
    let result = wake_up::wait(waiter, waker, &mut batch, timer);

    times::update();

    match result {
        Ok(events) => dispatch(log, &events),
        Err(err) => log_failed_wait(log, err),
    }

    log.debug(
        Debug::Event,
        format_args!(
            "timer delta: {}",
            ngx_current_msec.load(Relaxed).wrapping_sub(before)
        ),
    );

    hooks::process_messages(log);
    Posted::Accept.process();
    expire_timers(log);
    Posted::Events.process();
    event_loop::take_full(log);
    do_duties(&GLOBALS, log, |_| {});

    if look.is_some() {
        missed::look(&GLOBALS);
    }

    watch_full(log);
}

/// Makes the wait of the event loop return when a socket for which messages are queued
/// has room.
fn watch_full(log: Log) {
    if waiting::any_waiting(&GLOBALS) || event_loop::watches_full() {
        watch_full_now(log);
    }
}

// This is rare, and kept out of the code that each round executes.
#[cold]
fn watch_full_now(log: Log) {
    event_loop::watch_full(log, waiting::full_sockets(&GLOBALS));
}

/// Calls `handler` when `fd` is readable. The connection outlives each cycle, so it has no
/// log and no pool.
fn watch(fd: RawFd, handler: ngx_event_handler_pt) -> Result {
    channel_event::add(fd, channel_event::READ_EVENT, handler, None, None)
}

/// The number of milliseconds for which the event loop waits at most; `None` if
/// there is no limit. `look` is the number of milliseconds until the loop has to
/// look for children that have exited; `None` if it need not look.
fn time_to_wait(log: Log, now: ngx_msec_t, look: Option<ngx_msec_t>) -> Option<ngx_msec_t> {
    // If `ngx_reap` is set, the program is about to start the processes that
    // are due, so the loop does not wake up for them.
    let duty = next_duty(&GLOBALS, GLOBALS.reap.load(Relaxed) == 0);
    let messages = hooks::prepare_to_wait(log, watch);
    // A number stands for `None`, because the compiler may compare the bytes that
    // `None` leaves as they were, which valgrind reports.
    let timer = [find_timer(now), duty, look, messages]
        .map(|timer| timer.unwrap_or(ngx_msec_t::MAX))
        .into_iter()
        .min()
        .filter(|&timer| timer != ngx_msec_t::MAX);

    log.debug(
        Debug::Event,
        // As in nginx's log line, -1 means that no timer is set:
        // NGX_TIMER_INFINITE.
        format_args!("epoll timer: {}", timer.map_or(-1, usize::cast_signed)),
    );

    timer
}

#[cold]
fn log_failed_wait(log: Log, err: Errno) {
    let level = if err == Errno::EINTR {
        Level::Info
    } else {
        Level::Alert
    };

    log.error(level, Some(err), format_args!("epoll_wait() failed"));
}

fn dispatch(log: Log, events: &Events<'_>) {
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

/// Calls the handler of a connection's read or write event. Does nothing if an
/// earlier handler of this round has closed the connection.
fn call_ready(log: Log, key: u64, mask: u32) {
    let Some(c) = event_loop::find(log, key) else {
        log.debug(Debug::Event, format_args!("epoll: stale event {key:X}"));
        return;
    };

    let event = if mask == epoll::READ {
        c.read()
    } else {
        c.write()
    };

    if event.has(flag::ACTIVE) {
        event.mark_ready();
        event.call_handler();
    }
}
