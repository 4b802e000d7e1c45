//! Tests of workers that exit, soon or later.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use crate::support::server::Server;
use crate::support::{sys, wait_until};

/// A worker that exits at once is respawned at once, and then after 100, 200,
/// 400, ... ms. The master logs a line for each delay (D4).
#[test]
fn a_worker_that_exits_at_once_is_started_ever_more_slowly() {
    let server = Server::configurable("exits");
    let begin = Instant::now();

    server.spawn(&["-w", "1", "-x"]);

    server.wait_for_line("worker process exits too often, respawning in 1600 ms");

    let took = begin.elapsed();
    let steps: Vec<i32> = server
        .lines("exits too often")
        .iter()
        .filter_map(|line| line.split_once("worker process exits too often, respawning in "))
        .map(|(_, step)| step.strip_suffix(" ms").unwrap().parse().unwrap())
        .collect();

    assert!(took >= Duration::from_millis(1500), "{took:?}");
    assert_eq!(steps[0], 100);

    // On a loaded machine a worker can take a second until it exits. Then it is
    // started at once, and the delays begin again.
    for two in steps.windows(2) {
        assert!(two[1] == 100 || two[1] == 2 * two[0], "{steps:?}");
    }

    let starts = server.lines("start worker process ").len();

    assert!(starts < steps.len() + 10, "{starts} starts, {steps:?}");
    server.quit(&[]);
}

/// Sends the signal `signo` to the only worker, and waits for the next worker.
fn next_worker(server: &Server, signo: i32) {
    let old = server.workers();

    assert!(sys::kill(*old.first().unwrap(), signo));
    server.wait_for_others(1, &old);
}

/// A worker exits with 0 several times, or crashes several times after it has run
/// for a second. The master respawns it at once each time (D4).
#[test]
fn a_worker_that_works_is_replaced_at_once() {
    let server = Server::echo("recycled");

    server.start(1, &[]);

    for _ in 0..6 {
        next_worker(&server, libc::SIGTERM);
    }

    for _ in 0..3 {
        std::thread::sleep(Duration::from_millis(1100));
        next_worker(&server, libc::SIGKILL);
    }

    assert_eq!(server.lines("exits too often"), [""; 0]);
    server.quit(&["exited on signal 9"]);
}

/// A worker whose initialization fails exits with 2, and the master does not
/// respawn it. The other workers serve.
#[test]
fn a_worker_that_cannot_be_set_up_is_given_up() {
    let server = Server::configurable("gives_up");

    server.spawn(&["-w", "3", "-f"]);
    server.wait_for_line("exited with fatal code 2 and cannot be respawned");
    server.wait_for_workers(2);
    assert_eq!(server.lines("start worker process ").len(), 3);
    assert_eq!(server.lines("exited with code 2").len(), 1);

    // The other worker is killed, and is respawned. The worker whose
    // initialization has failed is still missing.
    let workers = server.workers();
    let killed = *workers.first().unwrap();

    sys::kill(killed, libc::SIGKILL);
    wait_until("another worker", || {
        let now = server.workers();

        now.len() == 2 && !now.contains(&killed)
    });
    assert_eq!(server.lines("start worker process ").len(), 4);
    server.quit(&["exited on signal 9", "fatal code 2"]);
}

/// A worker that is killed is respawned at once, in the same slot.
#[test]
fn killed_workers_come_back() {
    let server = Server::echo("killed");

    server.start(4, &[]);

    let old = server.workers();

    for &pid in &old {
        sys::kill(pid, libc::SIGKILL);
    }

    server.wait_for_others(4, &old);
    server.signal(libc::SIGTTIN);
    server.wait_for_lines(4, " slot:");

    let slots: BTreeSet<i32> = server
        .lines(" slot:")
        .iter()
        .map(|line| {
            assert!(line.contains(" respawns:1 "), "{line}");
            crate::signals::value(line, "slot:")
        })
        .collect();

    assert_eq!(slots, (0..4).collect());
    server.quit(&["exited on signal 9"]);
}
