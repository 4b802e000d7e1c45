//! When a process that is to be respawned is started again (`D2`, `D4`).
//!
//! The first time at once. One that exits again before it has lived for a
//! while waits, each time twice as long, up to a bound. One that could not be
//! started is tried again, in the same way.

use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;

use crate::config::ngx_msec_t;
use crate::sys::shm::impl_share;
use crate::sys::time;

/// A process that has lived this long, in milliseconds, is forgiven.
const A_WHILE: ngx_msec_t = 10_000;
/// The first delay, in milliseconds,
const FIRST_DELAY: ngx_msec_t = 100;
/// and the longest one.
const LONGEST_DELAY: ngx_msec_t = 10_000;

/// What is remembered of a slot's processes, in milliseconds of the monotonic
/// clock; `usize` counts them for longer than a machine runs.
pub struct Restart {
    started: AtomicUsize,
    /// The delay before the next start; `NEVER` if none has exited soon.
    delay: AtomicUsize,
    /// When a process that exits too often may be started again.
    not_before: AtomicUsize,
    /// When the next try is due. One that failed for want of memory, say, may
    /// be made sooner, whenever a child is reaped.
    due: AtomicUsize,
}

impl_share!(Restart {
    started,
    delay,
    not_before,
    due,
});

/// No process of the slot has exited too soon.
const NEVER: ngx_msec_t = usize::MAX;

impl Restart {
    /// Of a slot that was never used.
    pub const fn unused() -> Self {
        Self {
            started: AtomicUsize::new(0),
            delay: AtomicUsize::new(NEVER),
            not_before: AtomicUsize::new(0),
            due: AtomicUsize::new(0),
        }
    }

    /// Takes over what another remembers.
    pub fn copy(&self, from: &Self) {
        self.started.store(from.started.load(Relaxed), Relaxed);
        self.delay.store(from.delay.load(Relaxed), Relaxed);
        self.not_before
            .store(from.not_before.load(Relaxed), Relaxed);
        self.due.store(from.due.load(Relaxed), Relaxed);
    }

    /// A process has been started in the slot for the first time.
    pub fn first_start(&self, now: ngx_msec_t) {
        self.delay.store(NEVER, Relaxed);
        self.started.store(now, Relaxed);
    }

    /// The slot's process has been started again.
    pub fn restarted(&self, now: ngx_msec_t) {
        self.started.store(now, Relaxed);
    }

    /// The slot's process has exited: the delay before it is started again.
    pub fn after_exit(&self, now: ngx_msec_t) -> ngx_msec_t {
        let lived = now.saturating_sub(self.started.load(Relaxed));
        let delay = if lived >= A_WHILE {
            0
        } else {
            match self.delay.load(Relaxed) {
                NEVER => 0,
                delay => longer(delay),
            }
        };

        self.wait(now, delay);
        self.not_before.store(now.saturating_add(delay), Relaxed);

        delay
    }

    /// A process could not be started: the delay before it is tried again.
    pub fn after_failure(&self, now: ngx_msec_t) -> ngx_msec_t {
        let delay = match self.delay.load(Relaxed) {
            NEVER => FIRST_DELAY,
            delay => longer(delay),
        };

        self.wait(now, delay);

        delay
    }

    fn wait(&self, now: ngx_msec_t, delay: ngx_msec_t) {
        self.delay.store(delay, Relaxed);
        self.due.store(now.saturating_add(delay), Relaxed);
    }

    /// It is to be started at once, for the first time.
    #[cfg(not(feature = "standalone"))]
    pub fn is_due(&self, now: ngx_msec_t) {
        self.first_start(now);
        self.due.store(now, Relaxed);
    }

    /// What has kept it from being started may be over soon.
    #[cfg(not(feature = "standalone"))]
    pub fn hasten(&self, now: ngx_msec_t) {
        if self.due_in(now) > FIRST_DELAY {
            self.wait(now, FIRST_DELAY);
        }
    }

    /// Whether it may be started again.
    pub fn may_start(&self, now: ngx_msec_t) -> bool {
        now >= self.not_before.load(Relaxed)
    }

    /// Milliseconds until it is to be started again; 0 if that is now.
    pub fn due_in(&self, now: ngx_msec_t) -> ngx_msec_t {
        self.due.load(Relaxed).saturating_sub(now)
    }
}

fn longer(delay: ngx_msec_t) -> ngx_msec_t {
    delay.saturating_mul(2).clamp(FIRST_DELAY, LONGEST_DELAY)
}

/// The monotonic clock in milliseconds.
pub fn now() -> ngx_msec_t {
    time::monotonic().as_msec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_exit_costs_nothing_the_next_ones_twice_as_much() {
        let restart = Restart::unused();

        restart.first_start(1000);
        assert_eq!(restart.after_exit(1001), 0);

        let mut now = 1001;
        let mut delays = Vec::new();

        for _ in 0..10 {
            now += restart.due_in(now);
            restart.restarted(now);
            now += 1;
            delays.push(restart.after_exit(now));
        }

        assert!(!restart.may_start(now));
        assert!(restart.may_start(now + 10_000));
        assert_eq!(
            delays,
            [100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000, 10_000]
        );
    }

    #[test]
    fn a_long_life_is_forgiven() {
        let restart = Restart::unused();

        restart.first_start(0);
        restart.after_exit(1);
        restart.restarted(1);
        assert_eq!(restart.after_exit(2), 100);
        restart.restarted(102);
        assert_eq!(restart.after_exit(102 + A_WHILE), 0);
        restart.restarted(102 + A_WHILE);
        assert_eq!(restart.after_exit(103 + A_WHILE), 100);
    }

    #[test]
    fn a_start_that_fails_is_tried_again() {
        let restart = Restart::unused();

        restart.first_start(0);
        assert_eq!(restart.after_exit(5), 0);
        assert_eq!(restart.after_failure(5), 100);
        assert_eq!(restart.due_in(5), 100);
        assert!(restart.may_start(5));
        assert_eq!(restart.due_in(300), 0);
        assert_eq!(restart.after_failure(105), 200);
    }
}
