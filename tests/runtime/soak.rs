//! Test of reloads, upgrades and killed workers under load.

use std::collections::BTreeSet;
use std::sync::PoisonError;
use std::sync::atomic::Ordering::Relaxed;

use crate::signals::value;
use crate::support::client::{Load, LoadTarget, echo};
use crate::support::counters::Counters;
use crate::support::server::Server;
use crate::support::upgrade::{change_binary, retire, take_back};
use crate::support::{find, proc, sys, wait_until};

const WORKERS: usize = 4;
const CLIENTS: usize = 300;
const ROUNDS: usize = 20;

/// 300 clients send lines all the time. Meanwhile the master reloads 20 times,
/// 20 workers are killed, a new binary replaces the old one, and another new
/// binary is stopped again. No line is lost, except on connections of workers
/// that were killed.
#[test]
fn nothing_is_lost_under_load() {
    let server = Server::echo("soak");

    server.start(WORKERS, &["-d"]);

    let before = server.settled_descriptors();
    let load = Load::default();
    let target = LoadTarget::new(&server);

    std::thread::scope(|scope| {
        // The clients are also stopped if the test panics.
        let _stop = Stop(&load);

        for number in 0..CLIENTS {
            let (load, target) = (&load, &target);

            std::thread::Builder::new()
                .stack_size(256 * 1024)
                .spawn_scoped(scope, move || load.client(target, number))
                .unwrap();
        }

        wait_until("a load", || load.answered.load(Relaxed) > 10 * CLIENTS);
        disturb(&server, &load);
    });

    let lost = load.lost.lock().unwrap_or_else(PoisonError::into_inner);

    println!(
        "{} lines, {} connections, {} closed when idle, {} of them with a line \
         unread, {} killed, {} lost",
        load.answered.load(Relaxed),
        load.connections.load(Relaxed),
        load.closed_idle.load(Relaxed),
        load.unread.load(Relaxed),
        load.killed.load(Relaxed),
        lost.len()
    );
    assert!(lost.is_empty(), "{} lost: {lost:#?}", lost.len());

    // A line can arrive between the worker's last read and its close(), and is
    // then lost. As in HTTP, a client must send again if its idle connection is
    // closed. The test checks that this is rare, although the clients send all
    // the time.
    let (unread, closed) = (load.unread.load(Relaxed), load.closed_idle.load(Relaxed));

    assert!(unread * 10 < closed, "{unread} of {closed}");

    adds_up(&server);
    server.wait_for_descriptors(&before);
    echo(&mut server.connect(), "all is well\n");
    server.quit(&["exited on signal 9"]);
}

/// Checks the status and the server's own counters at the end of the test.
fn adds_up(server: &Server) {
    server.wait_for_workers(WORKERS);
    wait_until("only these processes", || {
        server.processes().len() == WORKERS + 1
    });

    let lines = server.lines(" slot:").len();

    server.signal(libc::SIGTTIN);

    let lines = server
        .wait_for_lines(lines + WORKERS, " slot:")
        .split_off(lines);
    let sum = |field: &str| -> i32 { lines.iter().map(|line| value(line, field)).sum() };

    assert_eq!(lines.len(), WORKERS);
    assert_eq!(sum("respawns:"), 1, "of the last generation");
    // The new binary begins with generation 1, and each reload adds 1.
    let reloads = ROUNDS - ROUNDS / 3 - 1;

    assert_eq!(
        sum("generation:").unsigned_abs() as usize,
        WORKERS * (1 + reloads)
    );

    // A worker counts a connection as accepted and then as handled. A killed
    // worker can have done only the first.
    let now = || Counters::read(server, server.master());

    wait_until("no active connections", || now().active == 0);

    let counters = now();

    assert!(counters.accepted >= counters.handled, "{counters:?}");
    assert!(
        counters.accepted - counters.handled <= ROUNDS as u64,
        "{counters:?}"
    );
    assert!(counters.requests > counters.handled, "{counters:?}");
}

struct Stop<'a>(&'a Load);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.stop.store(true, Relaxed);
    }
}

fn disturb(server: &Server, load: &Load) {
    for round in 0..ROUNDS {
        let old = server.workers();

        server.reload();
        kill_one(server, load, round);

        if round == ROUNDS / 3 {
            let (old, _) = change_binary(server, WORKERS);

            retire(server, old);
        }

        if round == 2 * ROUNDS / 3 {
            let (old, new) = change_binary(server, WORKERS);

            take_back(server, old, new, WORKERS);
            server.wait_for_workers(WORKERS);
        }

        server.wait_for_end_of(&old);
    }
}

/// Kills a worker. The worker is stopped first, so that the test can record its
/// connections, on which lines can be lost.
fn kill_one(server: &Server, load: &Load, round: usize) {
    let workers = server.workers();
    // The choice is arbitrary, because pids and connections are random.
    let victim = *workers.iter().nth(round % WORKERS).unwrap();

    sys::kill(victim, libc::SIGSTOP);
    wait_until("a stopped worker", || proc::state(victim) == Some('T'));
    load.victims
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .extend(proc::clients_of(victim, server.port));
    sys::kill(victim, libc::SIGKILL);

    let others: BTreeSet<i32> = find("another worker in its place", || {
        let mut now = server.workers();

        (now.len() == WORKERS && !now.contains(&victim)).then(|| {
            now.retain(|pid| !workers.contains(pid));
            now
        })
    });

    assert_eq!(others.len(), 1);
}
