//! D4: when a worker that has exited is started again.

use std::time::Duration;

use super::{in_slot, started};
use crate::nginx::BOTH;
use crate::support::{sys, wait_until};

/// A worker ends `times` times by a signal, each time when it has run for
/// `ran`. No start may be put off.
fn is_replaced_at_once(test: &str, signo: i32, times: usize, ran: Duration) {
    for which in BOTH {
        let (nginx, mut workers) = started(test, which, 2);

        for _ in 0..times {
            std::thread::sleep(ran);

            let old = workers[1];

            assert!(sys::kill(old, signo));
            wait_until("another worker", || in_slot(&nginx, 1) != old);
            workers[1] = in_slot(&nginx, 1);
        }

        assert_eq!(nginx.lines("exits too often"), [""; 0], "{which:?}");
        nginx.quit(&["exited on signal 9"]);
    }
}

/// A worker that exits with 0 has done its work and is replaced at once,
/// however often (D4).
#[test]
fn d04_workers_that_exit_with_0() {
    is_replaced_at_once("d04_0", libc::SIGTERM, 6, Duration::ZERO);
}

/// A worker that has served for a second and crashes is replaced at once,
/// however often (D4).
#[test]
fn d04_workers_that_crash_after_a_second() {
    is_replaced_at_once("d04_served", libc::SIGKILL, 4, Duration::from_millis(1100));
}
