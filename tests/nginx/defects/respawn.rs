//! D4: the time at which the master starts a worker again that has exited.

use std::time::Duration;

use super::{in_slot, started};
use crate::nginx::BOTH;
use crate::support::{sys, wait_until};

/// Sends the signal `signo` to a worker when the worker has run for `ran`, and
/// waits for the next worker, `times` times. The master must delay no start.
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

/// The master starts a worker that exits with 0 again at once, each time (D4).
#[test]
fn d04_workers_that_exit_with_0() {
    is_replaced_at_once("d04_0", libc::SIGTERM, 6, Duration::ZERO);
}

/// The master starts a worker that crashes after it has run for a second again
/// at once, each time (D4).
#[test]
fn d04_workers_that_crash_after_a_second() {
    is_replaced_at_once("d04_served", libc::SIGKILL, 4, Duration::from_millis(1100));
}
