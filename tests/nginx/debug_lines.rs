//! Tests that compare the debug logs of a stock nginx and of one that is built
//! with the library. The lines are the same, apart from numbers.

use std::collections::{BTreeMap, BTreeSet};

use crate::lines::Lines;
use crate::nginx::{BOTH, Nginx, Which, both};
use crate::support::{sys, wait_until};
use crate::zones::{LIMIT_REQ, TWO};

const HTTP: &str = "server { listen 127.0.0.1:PORT; location / { return 200 hello; } }";

/// Lines that only one of the two programs logs, each with the reason.
const DIFFERENT: [(Which, &str, &str); 8] = [
    (
        Which::Ipc,
        "[debug] close channel s:N pid:N our:-N fd:N",
        "D18: the pid in a closed channel's slot is -1 at once",
    ),
    (
        Which::Stock,
        "[debug] close channel s:N pid:N our:N fd:N",
        "D18: the pid in a closed channel's slot is not cleared",
    ),
    (
        Which::Ipc,
        "[info] sendmsg() failed (N: Broken pipe)",
        "D13: a message to a process that has exited and is not reaped yet fails",
    ),
    (
        Which::Stock,
        "[debug] slab alloc: N slot: N",
        "the library has no lines about pieces",
    ),
    (
        Which::Stock,
        "[debug] slab alloc: N",
        "the library has no lines about pieces",
    ),
    (
        Which::Stock,
        "[debug] shmtx lock",
        "a process on the library logs this only if it does not get the lock at once",
    ),
    (
        Which::Stock,
        "[debug] shmtx unlock",
        "the library has no lines about locks that no process waits for",
    ),
    (
        Which::Ipc,
        "[debug] shmget id: N",
        "with T_NGINX=sysvshm; a stock nginx with this backend has the line too",
    ),
];

/// Lines that depend on timing, so that one of the two logs can lack them, each
/// with the reason.
const TIMING: [(&str, &str); 8] = [
    (
        "[notice] signal N (SIGALRM) received",
        "missing if all processes exit before the master repeats SIGTERM",
    ),
    (
        "[debug] kill (N, N)",
        "missing if no process is about to exit when the master repeats SIGTERM",
    ),
    (
        "[notice] signal N (SIGIO) received",
        "missing if the process that has caused the signal is already reaped",
    ),
    (
        "[debug] channel command: N",
        "missing if a process exits before it reads that another one has exited",
    ),
    (
        "[debug] pass close channel s:N pid:N to:N",
        "missing if the receiver has already exited",
    ),
    (
        "[debug] child: N -N e:N t:N d:N r:N j:N",
        "missing if the master reaps all exited processes at once",
    ),
    (
        "[debug] epoll_wait() failed (N: Interrupted system call)",
        "missing if the signal arrives while the process does not wait",
    ),
    (
        "[info] epoll_wait() failed (N: Interrupted system call)",
        "missing if the signal arrives while the process does not wait",
    ),
];

/// The beginnings of the lines that a process logs in the same order in each
/// run, because they do not depend on timing.
const IN_ORDER: [&str; 4] = ["channel N:N", "start ", "pass channel ", "get channel "];

fn is_explained(which: Which, line: &str) -> bool {
    let differs = DIFFERENT
        .iter()
        .any(|&(by, text, _)| by == which && text == line);

    differs || TIMING.iter().any(|&(text, _)| text == line)
}

/// Runs the scenario with both programs; returns their logs.
fn logs(test: &str, main: &str, http: &str, scenario: impl Fn(&Nginx) + Sync) -> [Lines; 2] {
    both(|which| {
        let nginx = Nginx::new(test, which, main, http);

        nginx.spawn(&[]);
        scenario(&nginx);
        Lines::read(&nginx)
    })
}

/// Runs both programs from start to exit with the same actions, and compares
/// their logs.
fn compare(test: &str, main: &str, http: &str, scenario: impl Fn(&Nginx) + Sync) {
    let logs = logs(test, main, http, scenario);

    same_lines(logs.each_ref().map(Lines::set));
    same_order(logs.each_ref().map(|lines| lines.sequences(&IN_ORDER)));
}

fn same_lines(sets: [BTreeSet<String>; 2]) {
    let unexplained: Vec<_> = BOTH
        .iter()
        .zip([(&sets[0], &sets[1]), (&sets[1], &sets[0])])
        .flat_map(|(&which, (own, other))| own.difference(other).map(move |line| (which, line)))
        .filter(|&(which, line)| !is_explained(which, line))
        .collect();

    assert!(unexplained.is_empty(), "only one has {unexplained:#?}");
}

fn same_order([stock, ipc]: [BTreeMap<usize, Vec<String>>; 2]) {
    assert!(stock[&0].len() > 1, "what is compared is there: {stock:?}");
    assert!(stock.keys().eq(ipc.keys()), "as many processes");

    for (place, lines) in stock {
        assert_eq!(ipc[&place], lines, "process {place}");
    }
}

#[test]
fn workers() {
    compare("lines_workers", "worker_processes 3;", HTTP, |nginx| {
        nginx.settled(3);

        nginx.with_each(|_| drop(nginx.get("/")));

        nginx.reload();
        nginx.settled_descriptors();
        wait_until("the end of old workers", || nginx.processes().len() == 4);
        nginx.get("/");

        nginx.quit(&[]);
    });
}

/// A worker is killed. The other workers are told that it has exited, and that
/// another one was started.
#[test]
fn killed() {
    compare("lines_killed", "worker_processes 3;", HTTP, |nginx| {
        nginx.settled(3);

        let victim = *nginx.workers().first().expect("a worker");

        sys::kill(victim, libc::SIGKILL);
        wait_until("another worker", || {
            nginx.workers().len() == 3 && !nginx.workers().contains(&victim)
        });
        nginx.settled_descriptors();
        nginx.wait_for_lines(2, "close channel s:");

        nginx.quit(&["exited on signal 9"]);
    });
}

#[test]
fn reopen_and_stop() {
    compare("lines_stop", "worker_processes 3;", HTTP, |nginx| {
        nginx.settled(3);
        nginx.get("/");

        nginx.signal(libc::SIGUSR1);
        nginx.wait_for_lines(4, ": reopening logs");

        nginx.signal(libc::SIGTERM);
        nginx.finish(&[]);
    });
}

/// A process without a master starts no other process. The order of lines is
/// not compared, because all compared lines are about processes.
#[test]
fn single() {
    let logs = logs("lines_single", "master_process off;", HTTP, |nginx| {
        nginx.get("/");
        nginx.wait_for_idle();
        nginx.signal(libc::SIGUSR1);
        nginx.wait_for_line(": reopening logs");
        nginx.wait_for_idle();
        nginx.signal(libc::SIGHUP);
        nginx.wait_for_line(": reconfiguring");
        nginx.wait_for_idle();

        nginx.quit(&[]);
    });

    same_lines(logs.each_ref().map(Lines::set));
}

/// The workers allocate and free pieces of a zone.
#[test]
fn pieces_of_a_zone() {
    compare("lines_zones", TWO, LIMIT_REQ, |nginx| {
        nginx.settled(2);
        nginx.with_each(|_| drop(nginx.get("/")));

        assert_eq!(
            nginx.lines("slab alloc: ").is_empty(),
            nginx.which == Which::Ipc
        );

        nginx.quit(&[]);
    });
}

/// A cache has two helpers: a manager, and a loader.
#[test]
fn helpers() {
    let http = format!("proxy_cache_path cache keys_zone=c:1m; {HTTP}");

    compare("lines_helpers", "worker_processes 2;", &http, |nginx| {
        nginx.settled(2);
        assert_eq!(nginx.processes().len(), 5);

        nginx.reload();
        nginx.settled_descriptors();

        nginx.quit(&[]);
    });
}
