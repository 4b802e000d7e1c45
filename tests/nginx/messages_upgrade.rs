//! Messages while another nginx binary replaces the running one.

use crate::messages::{HTTP, ask, main_with, wait_for_handled};
use crate::nginx::{Nginx, Which};
use crate::support::upgrade::{change_binary, retire};
use crate::support::{proc, sys, wait_until};

/// An nginx in the background, with 3 workers whose module sends messages.
fn start(test: &str) -> Nginx {
    let nginx = Nginx::new(test, Which::Ipc, &main_with(Which::Ipc, "daemon on;"), HTTP);

    nginx.spawn(&["-d"]);
    nginx.settled(3);
    nginx
}

/// The workers of an nginx and of the new binary that replaces it broadcast to each
/// other. Then the new binary goes on alone.
#[test]
fn two_binaries_broadcast() {
    let nginx = start("two_binaries_broadcast");
    let (old, new) = change_binary(&nginx, 3);
    let (olds, news) = (nginx.workers_of(old), nginx.workers_of(new));
    let (&from_old, &from_new) = (olds.first().unwrap(), news.first().unwrap());

    nginx.wait_for_line("using the messages of the old binary");
    assert!(ask(&nginx, from_old, "/?n=10&all=1").starts_with("sent:50 "));
    assert!(ask(&nginx, from_new, "/?n=10&all=1").starts_with("sent:50 "));
    assert!(ask(&nginx, from_new, "/?n=10").starts_with("sent:20 "));

    for &worker in olds.union(&news) {
        let count = match worker {
            _ if worker == from_old || worker == from_new => 10,
            _ if news.contains(&worker) => 30,
            _ => 20,
        };

        wait_for_handled(&nginx, worker, count);
    }

    // A message wakes up the master of the sender's own binary.
    for (worker, master) in [(from_new, new), (from_old, old)] {
        assert!(ask(&nginx, worker, "/?master=1").starts_with("sent:1 "));
        wait_until("the message to the master", || {
            let lines = nginx.lines("messages: master handled:1");

            lines
                .iter()
                .any(|line| line.contains(&format!(" {master}#")))
        });
    }

    assert_eq!(nginx.lines("messages: master handled:").len(), 2);
    retire(&nginx, old);
    nginx.wait_for_workers(3);
    assert!(ask(&nginx, from_new, "/?n=10&all=1").starts_with("sent:20 "));
    nginx.quit(&[]);
}

/// The kinds of the descriptors that a master has for messages: what they refer to,
/// without numbers.
fn descriptors_for_messages(master: i32) -> Vec<String> {
    let mut all: Vec<String> = proc::descriptors(master)
        .into_values()
        .filter(|what| what.contains("eventfd") || what.contains("memfd"))
        .map(|what| what.replace(|c: char| c.is_ascii_digit(), ""))
        .collect();

    all.sort();
    all
}

/// Five upgrades follow each other. Each binary uses the memory of the one before, and
/// the last one has as many descriptors as the first.
#[test]
fn many_upgrades_use_the_same_memory() {
    let nginx = start("messages_upgrades");
    let before = descriptors_for_messages(nginx.master());

    assert!(!before.is_empty());

    for round in 1..=5 {
        let (old, new) = change_binary(&nginx, 3);

        nginx.wait_for_lines(round, "using the messages of the old binary");
        retire(&nginx, old);
        sys::reap(old);
        assert_eq!(descriptors_for_messages(new), before);

        let workers = nginx.wait_for_workers(3);
        let (&sender, &receiver) = (workers.first().unwrap(), workers.last().unwrap());

        assert!(ask(&nginx, sender, "/?n=3&all=1").starts_with("sent:6 "));
        wait_for_handled(&nginx, receiver, 3);
    }

    nginx.quit(&[]);
}

/// The configuration of the new binary has no messages: it closes what it has
/// inherited. The next binary has messages again.
#[test]
fn a_binary_without_messages_keeps_no_descriptor() {
    let nginx = start("messages_upgrade_without");
    let before = descriptors_for_messages(nginx.master());
    let page = "server { listen 127.0.0.1:PORT; location / { return 200 $pid; } }";

    nginx.configure("user root;\nworker_processes 3;\ndaemon on;", page);

    let (old, new) = change_binary(&nginx, 3);

    assert_eq!(descriptors_for_messages(new), [""; 0]);
    retire(&nginx, old);
    sys::reap(old);
    nginx.configure(&main_with(Which::Ipc, "daemon on;"), HTTP);

    let (old, new) = change_binary(&nginx, 3);

    assert_eq!(descriptors_for_messages(new), before);
    retire(&nginx, old);
    sys::reap(old);

    let workers = nginx.wait_for_workers(3);
    let (&sender, &receiver) = (workers.first().unwrap(), workers.last().unwrap());

    assert!(ask(&nginx, sender, "/?n=3&all=1").starts_with("sent:6 "));
    wait_for_handled(&nginx, receiver, 3);
    assert_eq!(nginx.lines("messages of the old binary"), [""; 0]);
    nginx.quit(&[]);
}
