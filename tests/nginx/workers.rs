//! Tests of different numbers of workers.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::nginx::{Nginx, Which, body, both, same, times};
use crate::support::{find_within, proc, wait_within};

const HTTP: &str = "server { listen 127.0.0.1:PORT; location / { return 200 $pid; } }";

fn each_answers(nginx: &Nginx) {
    nginx.with_each(|worker| assert_eq!(body(&nginx.get("/")), worker.to_string()));
}

/// Starts and reloads an nginx with so many workers, and checks that each
/// worker answers.
fn serves(test: &str, which: Which, main: &str, workers: usize) {
    let nginx = Nginx::new(test, which, main, HTTP);

    nginx.spawn(&[]);

    let before = nginx.settled(workers);

    for _ in 0..2 {
        nginx.reload();
        nginx.wait_for_descriptors(&before);

        each_answers(&nginx);
    }

    nginx.command_signal("quit");
    nginx.finish(&[]);
}

#[test]
fn one() {
    same(|which| serves("workers_one", which, "worker_processes 1;", 1));
}

/// `worker_processes auto`: one worker for each processor.
#[test]
fn auto() {
    let text = std::fs::read_to_string("/proc/cpuinfo").expect("/proc/cpuinfo");
    let processors = text
        .lines()
        .filter(|line| line.starts_with("processor"))
        .count();

    same(|which| serves("workers_auto", which, "worker_processes auto;", processors));
}

const MINUTES: Duration = Duration::from_secs(180);

/// Checks that each worker knows all others: its sockets are its own end of its
/// channel, an end of each other worker's channel, and the listening socket.
fn know_each_other(nginx: &Nginx, workers: &BTreeSet<i32>) -> bool {
    workers.iter().all(|&pid| {
        let all = proc::descriptors(pid);
        let sockets = all.values().filter(|what| what.starts_with("socket:"));

        sockets.count() == workers.len() + 1
    }) && nginx.workers() == *workers
}

#[test]
fn many() {
    let number = times(600, 100);

    both(|which| {
        let main = format!(
            "worker_processes {number};
             worker_rlimit_nofile 4096;
             events {{ worker_connections 16; }}
             error_log log notice;"
        );
        let nginx = Nginx::new("workers_many", which, &main, HTTP);

        nginx.spawn(&[]);

        let workers = find_within(MINUTES, "all workers", || {
            Some(nginx.workers()).filter(|workers| workers.len() == number)
        });

        // A channel has room for 278 messages. The stock nginx loses the
        // messages that do not fit (D14), so its workers do not know all
        // others.
        if which == Which::Ipc {
            wait_within(MINUTES, "workers that know each other", || {
                know_each_other(&nginx, &workers)
            });
        }

        each_answers(&nginx);

        nginx.command_signal("quit");
        wait_within(MINUTES, "the end", || nginx.processes().is_empty());
        nginx.finish(&[]);
    });
}
