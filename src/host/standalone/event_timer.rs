//! Adds, deletes and expires the timers of this process.

use std::sync::atomic::Ordering::Relaxed;

use super::event::Event;
use super::event_loop::Ident;
use super::timers::Timers;
use super::types::flag;
use super::variables::{ngx_current_msec, ngx_pid};
use crate::config::{AtomicPid, AtomicUint, ngx_msec_t};
use crate::log::{Debug, Log};
use crate::sys::lock::Lock;
use crate::table::globals::own_pid;

/// A timer that a program moves by less than this many milliseconds keeps its
/// time. nginx does this too: it saves work for a timeout that is set again
/// with each read.
const LAZY_DELAY: ngx_msec_t = 300;

static TIMERS: Lock<Timers> = Lock::new(Timers::empty());
/// The pid of the process that has added the timers. A forked child starts
/// without timers.
static OWNER: AtomicPid = AtomicPid::new(0);
/// The time at which the first timer of the process `OWNER` expires, or `NEVER`. Each
/// round of the event loop reads it, without the lock.
static FIRST: AtomicUint = AtomicUint::new(NEVER);

/// The value of `FIRST` if there is no timer.
const NEVER: ngx_msec_t = ngx_msec_t::MAX;

/// The time at which the first timer of this process expires, or `NEVER`.
fn first() -> ngx_msec_t {
    if OWNER.load(Relaxed) == own_pid(&ngx_pid) {
        FIRST.load(Relaxed)
    } else {
        NEVER
    }
}

/// Calls `change`, which adds or removes timers.
fn change_timers<T>(change: impl FnOnce(&mut Timers) -> T) -> T {
    with_timers(|timers| {
        let result = change(timers);

        // A timer at the time `NEVER` does not expire, as if it were not there.
        FIRST.store(timers.next_in(0).unwrap_or(NEVER), Relaxed);

        result
    })
}

fn with_timers<T>(use_them: impl FnOnce(&mut Timers) -> T) -> T {
    let mut timers = TIMERS.lock();
    let own = own_pid(&ngx_pid);

    if OWNER.load(Relaxed) != own {
        OWNER.store(own, Relaxed);
        FIRST.store(NEVER, Relaxed);
        timers.forget();
    }

    use_them(&mut timers)
}

impl Event {
    /// Whether the event has a timer in this process.
    pub fn has_timer(self) -> bool {
        with_timers(|timers| timers.has(self))
    }

    /// Adds a timer that expires in `msec` milliseconds, counted from the last
    /// update of the time. If the event has a timer already, the timer is
    /// moved, unless it would move by less than 300 ms.
    pub fn add_timer(self, msec: ngx_msec_t) {
        let expires = ngx_current_msec.load(Relaxed).saturating_add(msec);

        // In a forked child the flag can be left over from a timer of the
        // parent.
        if self.has(flag::TIMER_SET) && self.has_timer() {
            if expires.abs_diff(self.expires()) < LAZY_DELAY {
                return;
            }

            self.delete_timer();
        }

        self.log().debug(
            Debug::Event,
            format_args!("event timer add: {}: {msec}:{expires}", Ident(self)),
        );

        change_timers(|timers| timers.add(expires, self));
        self.set(flag::TIMER_SET);
    }

    /// Deletes the timer of the event, if there is one.
    pub fn delete_timer(self) {
        self.log().debug(
            Debug::Event,
            format_args!("event timer del: {}: {}", Ident(self), self.expires()),
        );

        self.clear(flag::TIMER_SET);

        change_timers(|timers| timers.remove(self));
    }
}

/// The number of milliseconds from `now` until the next timer expires; `None`
/// if there is no timer.
pub fn find_timer(now: ngx_msec_t) -> Option<ngx_msec_t> {
    let first = first();

    (first != NEVER).then(|| first.saturating_sub(now))
}

/// Calls the handlers of the timers that have expired. If a handler adds a
/// timer that has expired already, the next call of this function calls the
/// handler of that timer.
#[inline]
pub fn expire_timers(log: Log) {
    let now = ngx_current_msec.load(Relaxed);

    if first() <= now {
        call_handlers(log, now);
    }
}

/// Calls the handlers of the timers that have expired at the time `now`.
#[inline(never)]
fn call_handlers(log: Log, now: ngx_msec_t) {
    let mut next = change_timers(|timers| {
        timers.begin_round();
        timers.take_expired(now)
    });

    while let Some(event) = next {
        log.debug(
            Debug::Event,
            format_args!("event timer del: {}: {}", Ident(event), event.expires()),
        );

        event.clear(flag::TIMER_SET);
        event.set(flag::TIMEDOUT);
        event.call_handler();

        next = change_timers(|timers| timers.take_expired(now));
    }
}

/// Whether there is a timer for which a worker that shuts down must wait: a
/// timer that is not `cancelable`.
pub fn timers_left() -> bool {
    with_timers(|timers| timers.any(|event| !event.has(flag::CANCELABLE)))
}
