//! Many reloads, and many generations at a time.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::signals::value;
use crate::support::client::ask;
use crate::support::server::Server;
use crate::support::{find_within, proc, sys, wait_until, wait_within};

/// 500 reloads, each tenth generation with an open connection. Descriptors and
/// slots do not run out, and all are free at the end.
#[test]
fn five_hundred_reloads() {
    let server = Server::configurable("many_reloads");
    let master = server.start(2, &[]);
    let before = proc::descriptors(master).len();
    let mut held = Vec::new();

    for i in 0..500 {
        if i % 10 == 0 {
            let mut client = server.connect();

            ask(&mut client, 'w');
            held.push(client);
        }

        server.reload();

        if i % 100 == 99 {
            bounded(&server, master, before, held.len());
        }
    }

    held.iter_mut().for_each(|client| {
        ask(client, 'w');
    });
    drop(held);
    wait_until("the end of all old workers", || {
        server.processes().len() == 3
    });
    wait_until("the descriptors as they were", || {
        proc::descriptors(master).len() == before
    });
    server.quit(&[]);
}

/// A master has a descriptor for each process; a worker has one for each
/// process of its time.
fn bounded(server: &Server, master: i32, before: usize, held: usize) {
    wait_until("the end of idle old workers", || {
        server.processes().len() == 3 + held
    });
    wait_until("the master's descriptors", || {
        proc::descriptors(master).len() == before + held
    });

    let most = server
        .processes()
        .into_iter()
        .map(|pid| proc::descriptors(pid).len())
        .max()
        .unwrap();

    assert!(most <= before + held + 10, "{most} with {held} held");

    let lines = server.lines(" slot:").len();

    server.signal(libc::SIGTTIN);

    for line in server
        .wait_for_lines(lines + held + 2, " slot:")
        .split_off(lines)
    {
        let slot = value(&line, "slot:");

        assert!(slot < 4 + 2 * i32::try_from(held).unwrap(), "{line}");
    }
}

/// Reloads in quick succession while workers are killed: at the end there is
/// one generation.
#[test]
fn hasty_reloads() {
    let server = Server::configurable("hasty_reloads");
    let master = server.start(4, &["-m", "1"]);
    let before = proc::descriptors(master).len();

    for _ in 0..30 {
        server.signal(libc::SIGHUP);

        for pid in server.workers().into_iter().take(1) {
            sys::kill(pid, libc::SIGKILL);
        }
    }

    let old = server.workers();

    server.signal(libc::SIGHUP);
    server.wait_for_others(4, &old);
    wait_until("one generation", || server.processes().len() == 6);
    assert_eq!(server.titled("helper 0 process").len(), 1);
    wait_until("the descriptors as they were", || {
        proc::descriptors(master).len() == before
    });
    server.quit(&["exited on signal 9"]);
}

/// The table is full: the log says so, and the running processes continue. When
/// slots are free again, the missing workers are started.
#[test]
fn a_full_table() {
    const WORKERS: usize = 250;
    const FULL: &str = "no more than 1024 processes can be spawned";

    let server = Server::configurable("full_table");
    let minute = Duration::from_secs(40);
    let has = |what: &str, workers: usize, leaving: usize| {
        wait_within(minute, what, || {
            server.workers().len() == workers && server.shutting_down().len() == leaving
        });
    };

    // Old workers stay: they wait for a timer.
    server.spawn(&["-b", "4096", "-k", "-w", &WORKERS.to_string()]);
    has("the first generation", WORKERS, 0);

    for generation in 1..4 {
        server.signal(libc::SIGHUP);
        has("the next generation", WORKERS, generation * WORKERS);
    }

    server.signal(libc::SIGHUP);
    find_within(minute, "the error", || {
        (!server.lines(FULL).is_empty()).then_some(())
    });
    has("what there is room for", 24, 4 * WORKERS);
    ask(&mut server.connect(), 'w');

    let leaving: Vec<i32> = server.shutting_down().into_iter().collect();

    kill(&leaving[..50]);
    has("fifty more", 24 + 50, 4 * WORKERS - 50);
    kill(&leaving[50..]);
    has("all of them", WORKERS, 0);
    assert_eq!(
        server.lines("hook init_process role:3 worker:0 ").len(),
        5,
        "one in each generation"
    );

    server.signal(libc::SIGTERM);
    wait_within(minute, "the end", || server.processes().is_empty());
    server.finish(&["exited on signal 9", FULL]);
}

fn kill(pids: &[i32]) {
    let pids: BTreeSet<i32> = pids.iter().copied().collect();

    for &pid in &pids {
        sys::kill(pid, libc::SIGKILL);
    }
}
