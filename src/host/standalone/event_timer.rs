//! The timers of this process.

use std::sync::atomic::Ordering::Relaxed;

use super::event::Event;
use super::event_loop::Ident;
use super::timers::Timers;
use super::types::flag;
use super::variables::{ngx_current_msec, ngx_pid};
use crate::config::{AtomicPid, ngx_msec_t};
use crate::log::{Debug, Log};
use crate::sys::lock::Lock;
use crate::table::globals::own_pid;

/// A timer that is moved by less than this many milliseconds stays as it is:
/// nginx's way to avoid work for a timeout that is set anew with each read.
const LAZY_DELAY: ngx_msec_t = 300;

static TIMERS: Lock<Timers<Event>> = Lock::new(Timers::empty());
/// The process that has them: a forked child starts without timers.
static OWNER: AtomicPid = AtomicPid::new(0);

fn with_timers<T>(use_them: impl FnOnce(&mut Timers<Event>) -> T) -> T {
    let mut timers = TIMERS.lock();
    let own = own_pid(&ngx_pid);

    if OWNER.swap(own, Relaxed) != own {
        *timers = Timers::empty();
    }

    use_them(&mut timers)
}

impl Event {
    /// Adds a timer that expires in `msec` milliseconds, counted from the last
    /// update of the time. A timer that the event has already is moved, unless
    /// by less than 300 ms.
    pub fn add_timer(self, msec: ngx_msec_t) {
        let expires = ngx_current_msec.load(Relaxed).saturating_add(msec);

        // In a forked child the flag may be about a timer of the parent.
        if self.has(flag::TIMER_SET) && with_timers(|timers| timers.has(self)) {
            if expires.abs_diff(self.expires()) < LAZY_DELAY {
                return;
            }

            self.delete_timer();
        }

        self.log().debug(
            Debug::Event,
            format_args!("event timer add: {}: {msec}:{expires}", Ident(self)),
        );

        self.set_expires(expires);
        self.set(flag::TIMER_SET);

        with_timers(|timers| timers.add(expires, self));
    }

    /// Deletes its timer, if it has one.
    pub fn delete_timer(self) {
        self.log().debug(
            Debug::Event,
            format_args!("event timer del: {}: {}", Ident(self), self.expires()),
        );

        self.clear(flag::TIMER_SET);

        with_timers(|timers| timers.remove(self));
    }
}

/// Milliseconds until the next timer expires; `None` without timers.
pub fn find_timer(now: ngx_msec_t) -> Option<ngx_msec_t> {
    with_timers(|timers| timers.next_in(now))
}

/// Calls the handlers of the timers that have expired. A timer that one of
/// them adds waits for the next call, even if it has expired.
pub fn expire_timers(log: Log) {
    let now = ngx_current_msec.load(Relaxed);
    let limit = with_timers(|timers| timers.added());

    while let Some(event) = with_timers(|timers| timers.take_expired(now, limit)) {
        log.debug(
            Debug::Event,
            format_args!("event timer del: {}: {}", Ident(event), event.expires()),
        );

        event.clear(flag::TIMER_SET);
        event.set(flag::TIMEDOUT);
        event.call_handler();
    }
}

/// Whether there are timers that a worker which shuts down waits for.
pub fn timers_left() -> bool {
    with_timers(|timers| timers.any(|event| !event.has(flag::CANCELABLE)))
}
