//! Messages to the master of an nginx that is built with the library. The master
//! waits in `sigsuspend(2)`.

use std::fs;
use std::time::{Duration, Instant};

use crate::messages::{HTTP, ask, main_with, start_with};
use crate::nginx::{Nginx, Which, ask as request, body};
use crate::support::{proc, sys, wait_until};

/// The flags of each descriptor of a process, from `/proc/PID/fdinfo`.
fn flags(pid: i32) -> Vec<i32> {
    proc::descriptors(pid)
        .keys()
        .filter_map(|fd| fs::read_to_string(format!("/proc/{pid}/fdinfo/{fd}")).ok())
        .filter_map(|text| {
            let flags = text.lines().find_map(|line| line.strip_prefix("flags:"))?;

            i32::from_str_radix(flags.trim(), 8).ok()
        })
        .collect()
}

/// The number of descriptors for which the kernel sends a process signals.
fn with_signals(pid: i32) -> usize {
    flags(pid)
        .iter()
        .filter(|&flags| flags & libc::O_ASYNC != 0)
        .count()
}

fn wait_for_handled_by_master(nginx: &Nginx, count: usize) {
    nginx.wait_for_line(&format!("messages: master handled:{count}"));
}

/// A message wakes up the master. The signal with which it does so is not logged.
/// Only the master has the descriptor that causes the signal.
#[test]
fn a_message_wakes_up_the_master() {
    let nginx = start_with("messages_master", Which::Ipc, "", "");

    for count in 1..=3 {
        assert!(body(&nginx.get("/?master=1")).starts_with("sent:1 "));
        wait_for_handled_by_master(&nginx, count);
    }

    assert_eq!(with_signals(nginx.master()), 1);

    for worker in nginx.workers() {
        assert_eq!(with_signals(worker), 0, "worker {worker}");
    }

    assert_eq!(nginx.lines("(SIGIO)"), [""; 0]);
    nginx.quit(&[]);
}

/// Each message is handled once although the master reloads and respawns meanwhile.
#[test]
fn no_message_to_a_busy_master_is_missed() {
    let nginx = start_with("messages_busy_master", Which::Ipc, "", "");
    let mut sent = 0;

    for _ in 0..3 {
        let old = nginx.workers();

        nginx.signal(libc::SIGHUP);

        for _ in 0..20 {
            assert!(body(&nginx.get("/?master=2")).starts_with("sent:2 "));
            sent += 2;
        }

        let killed = *nginx.wait_for_others(3, &old).first().unwrap();

        sys::kill(killed, libc::SIGKILL);
        wait_until("a replacement", || {
            let workers = nginx.workers();

            workers.len() == 3 && !workers.contains(&killed)
        });
    }

    wait_for_handled_by_master(&nginx, sent);
    nginx.quit(&["exited on signal 9"]);
    assert_eq!(
        nginx.lines(&format!("master handled:{}", sent + 1)),
        [""; 0]
    );
}

/// More messages wait for the master than it handles in one round.
#[test]
fn many_messages_for_the_master_are_handled_in_several_rounds() {
    let nginx = start_with("messages_rounds", Which::Ipc, "", "");
    let master = nginx.master();

    sys::kill(master, libc::SIGSTOP);
    wait_until("a stopped master", || proc::state(master) == Some('T'));
    assert!(body(&nginx.get("/?master=2000")).starts_with("sent:2000 "));
    sys::kill(master, libc::SIGCONT);
    wait_for_handled_by_master(&nginx, 2000);
    nginx.quit(&[]);
}

/// While a worker sends the master messages without end, the master handles those
/// of another worker, and signals: it reopens its log, respawns a worker, and
/// reloads. At SIGTERM it kills the worker, which does not react, in the usual
/// time.
#[test]
fn a_worker_that_floods_the_master_does_not_stop_it() {
    let main = main_with(Which::Ipc, "error_log log info;");
    let nginx = Nginx::new("messages_flood", Which::Ipc, &main, HTTP);

    nginx.spawn(&[]);

    let workers = nginx.wait_for_workers(3);
    let (floods, asks) = (*workers.first().unwrap(), *workers.last().unwrap());
    let before = cpu(floods);

    // The connection stays open until the end.
    let _flood = nginx.with_only(floods, || {
        let mut flood = nginx.connect();

        request(&mut flood, "/?flood=1").unwrap();
        wait_until("a flood", || cpu(floods) > before + 5);
        flood
    });

    assert!(ask(&nginx, asks, "/?master=1").starts_with("sent:1 "));
    nginx.wait_for_line("messages: master handled:");

    nginx.signal(libc::SIGUSR1);
    nginx.wait_for_line("reopening logs");
    sys::kill(asks, libc::SIGKILL);
    wait_until("a replacement", || {
        let workers = nginx.workers();

        workers.len() == 3 && !workers.contains(&asks)
    });

    let old = nginx.workers();

    nginx.signal(libc::SIGHUP);
    wait_until("new workers", || {
        nginx.workers().difference(&old).count() == 3
    });

    nginx.signal(libc::SIGTERM);
    nginx.finish(&["exited on signal 9"]);
}

/// A worker sends garbage on the socket that wakes up the master, and shuts it down.
/// The master still gets messages, waits between them, and exits.
#[test]
fn a_worker_that_breaks_the_socket_does_not_stop_the_master() {
    let nginx = start_with("messages_broken_socket", Which::Ipc, "", "");
    let master = nginx.master();

    assert!(body(&nginx.get("/?break=1")).starts_with("sent:0 "));

    for count in 1..=3 {
        assert!(body(&nginx.get("/?master=1")).starts_with("sent:1 "));
        wait_for_handled_by_master(&nginx, count);
    }

    let (before, begin) = (cpu(master), Instant::now());

    wait_until("a second", || begin.elapsed() > Duration::from_secs(1));
    assert!(cpu(master) < before + 30, "the master spins");
    nginx.quit(&[]);
}

/// In `exit_master` of a module that comes after the library's, the master has left: its
/// slot can be that of another master.
#[test]
fn a_master_that_has_left_sends_nothing() {
    let nginx = start_with("messages_left", Which::Ipc, "", "");

    nginx.quit(&[]);

    let lines = nginx.lines("messages: master exits, sent:-1 (108: ");

    assert_eq!(
        lines.len(),
        1,
        "{:?}",
        nginx.lines("messages: master exits")
    );
}

/// The time for which a process has run, in clock ticks.
fn cpu(pid: i32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let fields: Vec<&str> = stat
        .rsplit(") ")
        .next()
        .unwrap_or_default()
        .split(' ')
        .collect();

    fields
        .get(11)
        .and_then(|ticks| ticks.parse().ok())
        .unwrap_or_default()
}
