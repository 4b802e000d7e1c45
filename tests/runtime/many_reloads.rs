//! Tests of many reloads, and of many generations of workers at the same time.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::signals::value;
use crate::support::client::ask;
use crate::support::server::Server;
use crate::support::{find_within, proc, sys, wait_until, wait_within};

/// The master reloads 500 times; every tenth generation keeps an open
/// connection. The master does not run out of descriptors and slots, and has no
/// more of them at the end than at the start. Its memory grows by less than a kilobyte
/// for each reload.
#[test]
fn five_hundred_reloads() {
    let server = Server::configurable("many_reloads");
    let master = server.start(2, &[]);
    let before = proc::descriptors(master).len();
    let memory = proc::anonymous_memory(master);
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
    assert!(proc::anonymous_memory(master) < memory + 500);
    server.quit(&[]);
}

/// Checks that no process has too many descriptors: a master has one for each
/// process, and a worker has one for each process that has run since the worker
/// was started.
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

/// The master reloads again and again while workers are killed. At the end the
/// workers of one generation are left.
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

/// The process table is full when a reload starts new workers. The master logs
/// this, and the running processes continue. When slots become free, the master
/// starts the missing workers.
#[test]
fn a_full_table() {
    const WORKERS: usize = 250;
    const FULL: &str = "no more than 1024 processes can be spawned";

    let server = Server::configurable("full_table");
    let minutes = Duration::from_secs(180);
    let has = |what: &str, workers: usize, leaving: usize| {
        wait_within(minutes, what, || {
            server.workers().len() == workers && server.shutting_down().len() == leaving
        });
    };

    // The old workers do not exit, because option -k gives each of them a timer
    // that runs.
    server.spawn(&["-b", "4096", "-k", "-w", &WORKERS.to_string()]);
    has("the first generation", WORKERS, 0);

    for generation in 1..4 {
        server.signal(libc::SIGHUP);
        has("the next generation", WORKERS, generation * WORKERS);
    }

    server.signal(libc::SIGHUP);
    find_within(minutes, "the error", || {
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
    wait_within(minutes, "the end", || server.processes().is_empty());
    server.finish(&["exited on signal 9", FULL]);
}

fn kill(pids: &[i32]) {
    let pids: BTreeSet<i32> = pids.iter().copied().collect();

    for &pid in &pids {
        sys::kill(pid, libc::SIGKILL);
    }
}
