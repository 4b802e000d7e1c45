//! The time at which the master starts a process again. nginx starts a process
//! again without a delay, so a worker that exits at once is started in a loop
//! without end (`D4`). nginx retries a start that failed only when another
//! child exits (`D2`).
//!
//! Only a process that keeps failing right after its start has to wait for its
//! next start:
//!
//! - A process that exits with 0 has done its work. It is started again at
//!   once.
//! - A process that fails after it has run for a second is started again at
//!   once, and its earlier failures do not count any more.
//! - A process that fails earlier is started again at once the first time. Each
//!   further start is delayed. The delays double, from 0.1 to 2 seconds.
//!
//! The master retries a start that failed with the same delays.
//!
//! The event loop or a timer ends a delay. If the host has neither, no start is
//! delayed, see [`set_delays`].

use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicUsize};

use super::minus_one::MinusOneUsize;
use super::slot::{NGX_MAX_PROCESSES, Slot};
use crate::config::ngx_msec_t;
use crate::sys::time;

/// A process that has run this long, in milliseconds, is started again without
/// a delay. If one request a second kills a worker, the library replaces the
/// workers as soon as nginx does.
const LONG_ENOUGH: ngx_msec_t = 1000;
/// The shortest delay before a process is started again, in milliseconds.
const FIRST_DELAY: ngx_msec_t = 100;
/// The longest delay before a process is started again, in milliseconds. One start
/// every two seconds takes little processor time and writes few log lines. When
/// the cause of the failures is gone, the process runs at most two seconds later.
const LONGEST_DELAY: ngx_msec_t = 2000;

/// The value of `Restart::delay` before the first failure or failed start.
const NO_FAILURE: ngx_msec_t = usize::MAX;

/// Whether the host can end a delay.
static DELAYS: AtomicBool = AtomicBool::new(false);

/// Sets whether the host starts processes when their delay is over. If `on` is
/// false, all delays are 0 from now on.
pub fn set_delays(on: bool) {
    // Each new child calls this function. A store makes the kernel copy the
    // page for the child. So the function stores only a new value.
    if DELAYS.load(Relaxed) != on {
        DELAYS.store(on, Relaxed);
    }
}

/// Returns `delay` if the host can end a delay, else 0.
fn if_it_ends(delay: ngx_msec_t) -> ngx_msec_t {
    if DELAYS.load(Relaxed) { delay } else { 0 }
}

/// The times of the last start and of the next start of one process, in
/// milliseconds of the monotonic clock.
pub struct Restart {
    /// The time of the last start.
    started: AtomicUsize,
    /// The delay after the last failure or failed start, or `NO_FAILURE`.
    delay: MinusOneUsize,
    /// The time before which the master must not start the process, because the
    /// process has failed too often.
    not_before: AtomicUsize,
    /// The time at which the next start is due. After a start that failed, the
    /// master can retry earlier: when it has reaped a child, whose memory is
    /// free now.
    due: AtomicUsize,
}

/// The times of the processes of all slots, and of [`Slot::NONE`]. They are in
/// private memory, because the master decides by them: a worker must not be able
/// to change them (`D38`).
static OF_SLOTS: [Restart; NGX_MAX_PROCESSES + 1] =
    [const { Restart::unused() }; NGX_MAX_PROCESSES + 1];

/// The times of the child of this process in a slot.
pub fn of_child(slot: Slot) -> &'static Restart {
    let [.., none] = &OF_SLOTS;

    OF_SLOTS.get(slot.index()).unwrap_or(none)
}

impl Restart {
    /// The times of a process that was never started.
    pub const fn unused() -> Self {
        Self {
            started: AtomicUsize::new(0),
            delay: MinusOneUsize::new(),
            not_before: AtomicUsize::new(0),
            due: AtomicUsize::new(0),
        }
    }

    /// Records that the process was started for the first time, at the time
    /// `now`.
    pub fn first_start(&self, now: ngx_msec_t) {
        self.delay.store(NO_FAILURE, Relaxed);
        self.started.store(now, Relaxed);
    }

    /// Records that the process was started again, at the time `now`.
    pub fn restarted(&self, now: ngx_msec_t) {
        self.started.store(now, Relaxed);
    }

    /// Records that the process exited at the time `now`. `failed` is true if
    /// the process did not exit with 0. Returns the delay in milliseconds
    /// before the master may start the process again.
    pub fn after_exit(&self, now: ngx_msec_t, failed: bool) -> ngx_msec_t {
        let ran = now.saturating_sub(self.started.load(Relaxed));

        if ran >= LONG_ENOUGH {
            self.delay.store(NO_FAILURE, Relaxed);
        }

        let delay = match self.delay.load(Relaxed) {
            _ if !failed || ran >= LONG_ENOUGH => 0,
            NO_FAILURE => {
                self.delay.store(0, Relaxed);
                0
            }
            delay => {
                let delay = doubled(delay);

                self.delay.store(delay, Relaxed);
                delay
            }
        };

        let delay = if_it_ends(delay);

        self.due.store(now.saturating_add(delay), Relaxed);
        self.not_before.store(now.saturating_add(delay), Relaxed);

        delay
    }

    /// Records that the process could not be started at the time `now`. The
    /// next start is due after a delay.
    pub fn after_failure(&self, now: ngx_msec_t) {
        let delay = match self.delay.load(Relaxed) {
            NO_FAILURE => FIRST_DELAY,
            delay => doubled(delay),
        };

        self.set_delay(now, delay);
    }

    fn set_delay(&self, now: ngx_msec_t, delay: ngx_msec_t) {
        self.delay.store(delay, Relaxed);
        self.due
            .store(now.saturating_add(if_it_ends(delay)), Relaxed);
    }

    /// Makes the first start of the process due now.
    #[cfg(not(feature = "standalone"))]
    pub fn set_due(&self, now: ngx_msec_t) {
        self.first_start(now);
        self.due.store(now, Relaxed);
    }

    /// Shortens the delay after a failed start, because a child has exited and
    /// the cause of the failure can be gone soon.
    #[cfg(not(feature = "standalone"))]
    pub fn hasten(&self, now: ngx_msec_t) {
        if self.due_in(now) > FIRST_DELAY {
            self.set_delay(now, FIRST_DELAY);
        }
    }

    /// Makes the next start due now. If the process fails again right after this
    /// start, it has to wait longer than this time.
    #[cfg(not(feature = "standalone"))]
    pub fn end_delay(&self, now: ngx_msec_t) {
        self.not_before.store(now, Relaxed);
        self.due.store(now, Relaxed);
    }

    /// Whether the master may start the process now, even if the start is not
    /// due yet.
    pub fn may_start(&self, now: ngx_msec_t) -> bool {
        now >= self.not_before.load(Relaxed)
    }

    /// Milliseconds until the next start is due; 0 if the start is due now.
    pub fn due_in(&self, now: ngx_msec_t) -> ngx_msec_t {
        self.due.load(Relaxed).saturating_sub(now)
    }
}

fn doubled(delay: ngx_msec_t) -> ngx_msec_t {
    delay.saturating_mul(2).clamp(FIRST_DELAY, LONGEST_DELAY)
}

/// The monotonic clock in milliseconds.
pub fn now() -> ngx_msec_t {
    time::monotonic().as_msec()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tested() -> Restart {
        set_delays(true);

        Restart::unused()
    }

    #[test]
    fn the_first_failure_has_no_delay_then_delays_double() {
        let restart = tested();

        restart.first_start(1000);
        assert_eq!(restart.after_exit(1001, true), 0);

        let mut now = 1001;
        let mut delays = Vec::new();

        for _ in 0..10 {
            now += restart.due_in(now);
            restart.restarted(now);
            now += 1;
            delays.push(restart.after_exit(now, true));
        }

        assert!(!restart.may_start(now));
        assert!(restart.may_start(now + 2000));
        assert_eq!(
            delays,
            [100, 200, 400, 800, 1600, 2000, 2000, 2000, 2000, 2000]
        );
    }

    #[test]
    fn a_process_that_ran_for_long_starts_again_at_once() {
        let restart = tested();

        restart.first_start(0);
        restart.after_exit(1, true);
        restart.restarted(1);
        assert_eq!(restart.after_exit(2, true), 100);
        restart.restarted(102);

        // The process has run for a second: earlier failures do not count any
        // more.
        let mut now = 102 + LONG_ENOUGH;

        assert_eq!(restart.after_exit(now, true), 0);
        restart.restarted(now);
        now += 1;
        assert_eq!(restart.after_exit(now, true), 0);
        restart.restarted(now);
        now += 1;
        assert_eq!(restart.after_exit(now, true), 100);

        for _ in 0..5 {
            now += LONG_ENOUGH;
            assert_eq!(restart.after_exit(now, true), 0);
            restart.restarted(now);
        }
    }

    #[test]
    fn a_process_that_exits_with_0_starts_again_at_once() {
        let restart = tested();

        restart.first_start(0);

        for now in 1..10 {
            assert_eq!(restart.after_exit(now, false), 0);
            assert!(restart.may_start(now));
            assert_eq!(restart.due_in(now), 0);
            restart.restarted(now);
        }

        // An exit with 0 does not reset the delay after failures.
        assert_eq!(restart.after_exit(11, true), 0);
        restart.restarted(11);
        assert_eq!(restart.after_exit(12, true), 100);
        restart.restarted(112);
        assert_eq!(restart.after_exit(113, false), 0);
        restart.restarted(113);
        assert_eq!(restart.after_exit(114, true), 200);
    }

    #[test]
    fn a_start_that_fails_is_retried() {
        let restart = tested();

        restart.first_start(0);
        assert_eq!(restart.after_exit(5, true), 0);
        restart.after_failure(5);
        assert_eq!(restart.due_in(5), 100);
        assert!(restart.may_start(5));
        assert_eq!(restart.due_in(300), 0);
        restart.after_failure(105);
        assert_eq!(restart.due_in(105), 200);
    }
}
