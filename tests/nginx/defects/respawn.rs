//! D4: how soon the master respawns a worker that has exited.

use std::time::Duration;

use super::{in_slot, in_slots, nginx, shell, started};
use crate::nginx::{BOTH, Nginx, Which};
use crate::support::tracer::Tracer;
use crate::support::{proc, sys, wait_until};

/// Sends the signal `signo` to a worker that has run for the time `ran`, and waits
/// for the worker that replaces it. Does this `times` times. The master must delay
/// no start.
fn is_replaced_at_once(test: &str, signo: i32, times: usize, ran: Duration) {
    for which in BOTH {
        let (nginx, mut workers) = started(test, which, 2);

        for _ in 0..times {
            std::thread::sleep(ran);

            let old = workers[1];

            // nginx handles a signal that arrives before it waits only at the
            // next event.
            wait_until("a worker that waits", || proc::waits_for_events(old));
            assert!(sys::kill(old, signo));
            wait_until("another worker", || in_slot(&nginx, 1) != old);
            workers[1] = in_slot(&nginx, 1);
        }

        assert_eq!(nginx.lines("exits too often"), [""; 0], "{which:?}");
        nginx.quit(&["exited on signal 9"]);
    }
}

/// A worker exits with 0 several times. The master respawns it at once each time
/// (D4).
#[test]
fn d04_workers_that_exit_with_0() {
    is_replaced_at_once("d04_0", libc::SIGTERM, 6, Duration::ZERO);
}

/// A worker crashes several times, each time after it has run for a second. The
/// master respawns it at once each time (D4).
#[test]
fn d04_workers_that_crash_after_a_second() {
    is_replaced_at_once("d04_served", libc::SIGKILL, 4, Duration::from_millis(1100));
}

/// Starts an nginx whose master gets no timer: a timer needs a pending signal, and
/// the limit of pending signals is 0, RLIMIT_SIGPENDING of `getrlimit(2)`.
fn started_without_timer(test: &str, which: Which, workers: usize) -> (Nginx, Vec<i32>) {
    let nginx = nginx(test, which, workers, "");

    nginx.spawn_command(shell(&nginx, "prlimit --pid $$ --sigpending=0:0"), &[]);

    let pids = in_slots(&nginx, workers);

    (nginx, pids)
}

/// The master gets no timer, so it could not end a delay. A worker keeps failing
/// right after its start, and the master respawns it at once each time (D4).
#[test]
fn d04_no_timer() {
    for which in BOTH {
        let (nginx, workers) = started_without_timer("d04_no_timer", which, 2);
        let mut last = workers[1];

        for _ in 0..6 {
            sys::kill(last, libc::SIGKILL);
            wait_until("another worker", || in_slot(&nginx, 1) != last);
            last = in_slot(&nginx, 1);
        }

        assert_eq!(nginx.lines("respawning in"), [""; 0], "{which:?}");
        nginx.wait_for_workers(2);
        nginx.quit(&["exited on signal 9", "timer_settime() failed"]);
    }
}

/// The master gets no timer, and a respawn fails. The master retries at its next
/// signal, at the latest when another child exits, as nginx does (D2).
#[test]
fn d02_no_timer() {
    for which in BOTH {
        let (nginx, workers) = started_without_timer("d02_no_timer", which, 3);
        let tracer = Tracer::fail_forks(&nginx, nginx.master(), "");

        sys::kill(workers[0], libc::SIGKILL);
        nginx.wait_for_line("could not respawn worker process");
        drop(tracer);
        sys::kill(workers[1], libc::SIGKILL);
        nginx.wait_for_workers(3);

        if which == Which::Ipc {
            nginx.quit(&[
                "exited on signal 9",
                "fork() failed",
                "could not respawn",
                "timer_settime() failed",
            ]);
        }
    }
}

/// Kills the worker in slot 1 after each respawn, until its next respawn is delayed
/// by `msec` milliseconds. The stock nginx delays no respawn.
fn kill_until_it_waits(nginx: &Nginx, msec: u32) {
    let waits = format!("respawning in {msec} ms");

    for _ in 0..8 {
        let last = in_slot(nginx, 1);

        sys::kill(last, libc::SIGKILL);
        wait_until("another worker, or none", || {
            in_slot(nginx, 1) != last || !nginx.lines(&waits).is_empty()
        });

        if in_slot(nginx, 1) == last {
            return;
        }
    }
}

/// Modules count the workers that exit at a reload. If a worker waits for its
/// respawn, the master first starts it, so that the number is right.
#[test]
fn d04_reload_of_a_worker_that_waits() {
    for which in BOTH {
        let (nginx, _) = started("d04_reload", which, 3);

        kill_until_it_waits(&nginx, 800);

        let waiting = nginx.lines("respawning in").len();

        assert_eq!(waiting, if which == Which::Ipc { 4 } else { 0 });
        nginx.signal(libc::SIGHUP);
        nginx.wait_for_lines(3, "gracefully shutting down");
        nginx.wait_for_workers(3);

        assert_eq!(nginx.lines("respawning in").len(), waiting, "{which:?}");
        assert_eq!(nginx.lines("gracefully shutting down").len(), 3);
        nginx.quit(&["exited on signal 9"]);
    }
}

/// A module searches the table for the slots that the next workers will get. It
/// finds the right slots, also while a worker waits for its respawn.
#[test]
fn d04_slots_that_a_module_foresees() {
    for which in BOTH {
        let nginx = nginx("d04_slots", which, 4, "fault slots;");

        nginx.spawn(&[]);
        in_slots(&nginx, 4);
        nginx.wait_for_lines(4, "fault: foreseen:1");
        kill_until_it_waits(&nginx, 800);

        let old = nginx.workers();
        let before = nginx.lines("fault: foreseen:").len();

        // No signal is sent to the worker that waits.
        nginx.signal(libc::SIGUSR1);
        nginx.signal(libc::SIGHUP);
        nginx.wait_for_lines(before + 4, "fault: foreseen:");
        nginx.wait_for_end_of(&old);
        nginx.wait_for_workers(4);

        assert_eq!(nginx.lines("fault: foreseen:0"), [""; 0], "{which:?}");
        assert_eq!(nginx.lines("kill("), [""; 0], "{which:?}");
        nginx.quit(&["exited on signal 9"]);
    }
}
