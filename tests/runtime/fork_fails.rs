//! Tests of workers that cannot be forked: strace makes `fork()` of a real
//! master fail, or delays it.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use crate::support::client::echo;
use crate::support::server::Server;
use crate::support::state::Descriptors;
use crate::support::tracer::Tracer;
use crate::support::{sys, wait_until};

fn failures(server: &Server) -> usize {
    server.lines("fork() failed while spawning").len()
}

const WORKERS: usize = 4;

/// Checks that all workers are started after the failures, that each process
/// has the same descriptors as before, that no descriptor was closed twice, and
/// that SIGQUIT stops all processes.
fn recovers(server: &Server, before: &[Descriptors]) {
    server.wait_for_descriptors(before);
    assert_eq!(server.workers().len(), WORKERS);
    echo(&mut server.connect(), "recovered\n");

    for text in ["close() channel failed", "Bad file descriptor"] {
        assert_eq!(server.lines(text), [""; 0]);
    }

    server.quit(&[
        "exited on signal 9",
        "fork() failed",
        "could not respawn",
        "no new process could be started",
    ]);
}

fn kill_workers(server: &Server) {
    for pid in server.workers() {
        sys::kill(pid, libc::SIGKILL);
    }
}

fn respawns_fail(test: &str, when: &str, times: usize) {
    let server = Server::echo(test);
    let master = server.start(WORKERS, &[]);
    let before = server.settled_descriptors();
    let tracer = Tracer::fail_forks(&server, master, when);

    kill_workers(&server);
    wait_until("failures", || failures(&server) >= times);
    server.wait_for_workers(WORKERS);
    drop(tracer);
    assert_eq!(failures(&server), times);
    recovers(&server, &before);
}

/// One call of `fork()` fails when the master respawns its workers (D1, D2).
#[test]
fn fork_fails_once() {
    respawns_fail("fork_fails_once", ":when=1", 1);
}

/// Ten calls of `fork()` fail when the master respawns its workers (D1, D2).
#[test]
fn fork_fails_ten_times() {
    respawns_fail("fork_fails_ten_times", ":when=1..10", 10);
}

/// No process can be forked for two seconds, so the master retries after
/// growing delays (D2). The number of failures in the log shows the delays: the
/// seventh failure of a worker comes after 100 + 200 + ... ms.
#[test]
fn fork_fails_for_two_seconds() {
    let server = Server::echo("fork_fails_two_seconds");
    let master = server.start(WORKERS, &[]);
    let before = server.settled_descriptors();
    let tracer = Tracer::fail_forks(&server, master, "");
    let begin = Instant::now();

    kill_workers(&server);
    wait_until("two seconds of failures", || {
        begin.elapsed() > Duration::from_secs(2) && failures(&server) >= WORKERS
    });

    let failed = failures(&server);

    assert!(failed <= 8 * WORKERS, "{failed} tries in two seconds");
    assert_eq!(server.workers().len(), 0);
    drop(tracer);
    recovers(&server, &before);
}

/// SIGQUIT stops all processes while `fork()` of a respawn fails.
#[test]
fn quit_while_fork_fails() {
    let server = Server::echo("quit_fork_fails");
    let master = server.start(WORKERS, &[]);
    let tracer = Tracer::fail_forks(&server, master, "");
    let killed = *server.workers().first().unwrap();

    sys::kill(killed, libc::SIGKILL);
    server.wait_for_line("fork() failed");
    server.signal(libc::SIGQUIT);
    wait_until("the end", || server.processes().is_empty());
    drop(tracer);
    server.finish(&["exited on signal 9", "fork() failed", "could not respawn"]);
}

/// SIGQUIT and SIGTERM stop all processes while a reload waits to fork its
/// first worker. The master forks no process afterwards.
#[test]
fn stop_while_a_reload_waits() {
    for signo in [libc::SIGQUIT, libc::SIGTERM] {
        let server = Server::echo("stop_reload_waits");
        let master = server.start(WORKERS, &[]);
        let tracer = Tracer::fail_forks(&server, master, "");

        server.signal(libc::SIGHUP);
        server.wait_for_line("no new process could be started");
        server.signal(signo);
        wait_until("the end", || server.processes().is_empty());
        drop(tracer);

        let log = server.log();
        let (_, after) = log
            .split_once(&format!("signal {signo} ("))
            .expect("the line about the signal");

        // A round of tries can be in progress when the signal arrives.
        assert!(after.matches("fork() failed while spawning").count() <= WORKERS);
        server.finish(&["fork() failed", "no new process could be started"]);
    }
}

/// A reload forks only some of the new workers. The master replaces the old
/// workers, and starts the missing new ones later.
#[test]
fn a_reload_that_forks_some() {
    let server = Server::echo("reload_forks_some");
    let master = server.start(WORKERS, &[]);
    let before = server.settled_descriptors();
    let old = server.workers();
    let tracer = Tracer::fail_forks(&server, master, ":when=2..3");

    server.signal(libc::SIGHUP);
    server.wait_for_others(WORKERS, &old);
    drop(tracer);
    assert_eq!(failures(&server), 2);
    recovers(&server, &before);
}

/// A reload forks none of the new workers. The master keeps the old workers
/// until it has started the new ones later.
#[test]
fn a_reload_that_forks_none() {
    let server = Server::echo("reload_forks_none");
    let master = server.start(WORKERS, &[]);
    let before = server.settled_descriptors();
    let old = server.workers();
    let tracer = Tracer::fail_forks(&server, master, "");

    server.signal(libc::SIGHUP);
    wait_until("failures", || failures(&server) >= WORKERS);
    echo(&mut server.connect(), "still there\n");
    assert_eq!(server.workers(), old);

    // After two retries that have failed, the master waits 400 ms until the
    // next one.
    wait_until("more failures", || failures(&server) >= 3 * WORKERS);
    drop(tracer);
    server.wait_for_others(WORKERS, &old);
    recovers(&server, &before);
}

/// The master also retries to start a helper that could not be forked (D2).
#[test]
fn a_reload_that_forks_no_helper() {
    let server = Server::configurable("reload_forks_no_helper");
    let master = server.start(2, &["-m", "2"]);
    let helpers = || {
        (0..2)
            .flat_map(|i| server.titled(&format!("helper {i} process")))
            .count()
    };

    wait_until("the helpers", || helpers() == 2);

    let before = server.settled_descriptors();
    let old = server.processes();
    let tracer = Tracer::fail_forks(&server, master, ":when=3..4");

    server.signal(libc::SIGHUP);
    server.wait_for_others(2, &old);
    wait_until("the failures", || failures(&server) == 2);
    drop(tracer);
    wait_until("the helpers again", || helpers() == 2);
    server.wait_for_descriptors(&before);
    server.quit(&["fork() failed"]);
}

/// After SIGWINCH the master no longer retries to start workers that could not
/// be forked. SIGHUP starts all workers.
#[test]
fn noaccept_gives_up_what_is_missing() {
    let server = Server::echo("noaccept_missing");
    let master = server.start(WORKERS, &["-d"]);
    let before = server.settled_descriptors();
    let tracer = Tracer::fail_forks(&server, master, "");
    let killed = *server.workers().first().unwrap();

    server.signal(libc::SIGHUP);
    wait_until("a reload that fails", || failures(&server) >= WORKERS);
    sys::kill(killed, libc::SIGKILL);
    wait_until("a respawn that fails", || {
        !server.lines("could not respawn").is_empty()
    });
    server.signal(libc::SIGWINCH);
    wait_until("only the master", || {
        server.processes() == BTreeSet::from([master])
    });
    drop(tracer);

    // The next retry would come within this time.
    let begin = Instant::now();

    wait_until("a second and a half", || {
        assert_eq!(server.workers(), BTreeSet::new());
        begin.elapsed() > Duration::from_millis(1500)
    });
    assert_eq!(server.lines("start worker process ").len(), WORKERS);

    server.signal(libc::SIGHUP);
    server.wait_for_workers(WORKERS);
    recovers(&server, &before);
    assert_eq!(server.lines("start worker process ").len(), 2 * WORKERS);
}

/// An old worker is killed while a reload forks the new workers, before the old
/// worker has got QUIT. The master does not respawn it.
#[test]
fn a_worker_killed_within_a_reload_stays_away() {
    let server = Server::echo("killed_within_reload");
    let master = server.start(WORKERS, &[]);
    let before = server.settled_descriptors();
    let old = server.workers();
    let tracer = Tracer::delay_forks(&server, master, 200);

    server.signal(libc::SIGHUP);
    server.wait_for_lines(WORKERS + 1, "start worker process ");
    sys::kill(*old.first().unwrap(), libc::SIGKILL);
    server.wait_for_others(WORKERS, &old);
    drop(tracer);
    server.wait_for_end_of(&old);

    // After another reload the master has no reason to start a worker of the
    // old generation, so the number of starts is final.
    server.reload();
    assert_eq!(server.lines("start worker process ").len(), 3 * WORKERS);
    recovers(&server, &before);
}
