//! Tests of the list of processes in the status.

use std::collections::BTreeSet;
use std::io::Write;

use serde_json::Value;

use super::{json, nginx, number, pids, processes, workers};
use crate::nginx::Nginx;
use crate::support::tracer::Tracer;
use crate::support::{find, proc, sys, wait_until};

/// The status lists all processes that run, and no others.
#[test]
fn processes_are_those_that_run() {
    let nginx = nginx("status_processes");
    let status = json(&nginx);
    let mut running = nginx.processes();

    running.remove(&nginx.master());

    assert_eq!(pids(processes(&status)), running);
    assert_eq!(pids(workers(&status).into_values()), nginx.workers());
    assert_eq!(Vec::from_iter(workers(&status).into_keys()), [0, 1, 2]);

    let slots: BTreeSet<_> = processes(&status)
        .iter()
        .map(|p| number(p, "slot"))
        .collect();
    let helpers = pids(processes(&status).iter().filter(|p| p["role"] == "helper"));

    assert_eq!(slots.len(), running.len());
    assert!(nginx.titled("cache manager process").is_subset(&helpers));

    for process in processes(&status) {
        assert_eq!(process["state"], "running", "{process}");
        assert_eq!(number(process, "generation"), 1, "{process}");
        assert_eq!(number(process, "respawns"), 0, "{process}");
        assert_eq!(number(process, "dropped"), 0, "{process}");
    }

    // The master has sent one message about each other process to the first
    // process.
    let first = processes(&status).first().expect("a process");
    assert_eq!(number(first, "sent"), running.len() as i64 - 1);

    nginx.quit(&[]);
}

/// A process has its role in the status before the master has started all other
/// processes.
#[test]
fn roles_are_known() {
    let nginx = nginx("status_roles");
    let before = nginx.workers();
    let tracer = Tracer::delay_forks(&nginx, nginx.master(), 300);

    nginx.signal(libc::SIGHUP);
    nginx.wait_for_others(3, &before);
    drop(tracer);

    wait_until("the next generation", || {
        let status = json(&nginx);
        let next = processes(&status)
            .iter()
            .all(|p| number(p, "generation") == 2);

        next && workers(&status).len() == 3
    });

    assert!(
        processes(&json(&nginx))
            .iter()
            .all(|p| p["role"] != "other")
    );

    nginx.quit(&[]);
}

/// Sends the beginning of a request to a worker, which then does not exit at a
/// reload.
fn begin_request(nginx: &Nginx) -> std::net::TcpStream {
    let mut stream = nginx.connect();

    write!(stream, "GET / HTTP/1.1\r\nHost: ").expect("a request");
    stream
}

/// A killed worker is replaced in the same slot. A reload starts the next
/// generation while the old one finishes its requests.
#[test]
fn deaths_and_reloads() {
    let nginx = nginx("status_deaths");
    let before = json(&nginx);
    let killed = workers(&before)[&1];

    sys::kill(number(killed, "pid") as i32, libc::SIGKILL);

    let after = find("another worker", || {
        let status = json(&nginx);
        let others = pids(processes(&status)) != pids(processes(&before));

        (others && workers(&status).len() == 3).then_some(status)
    });
    let other = workers(&after)[&1];

    assert_eq!(other["slot"], killed["slot"]);
    assert_eq!(number(other, "respawns"), 1);
    assert_eq!(number(other, "generation"), 1);
    assert_eq!(number(workers(&after)[&0], "respawns"), 0);

    let request = begin_request(&nginx);
    let busy = find("a busy worker", || {
        let port = request.local_addr().expect("an address").port();

        nginx
            .workers()
            .into_iter()
            .find(|&pid| proc::clients_of(pid, nginx.port).contains(&port))
    });

    nginx.signal(libc::SIGHUP);

    let reloaded = find("the next generation", || {
        let status = json(&nginx);
        let old = |p: &&Value| number(p, "generation") == 1;
        let one = processes(&status).iter().filter(old).count() == 1;

        (one && nginx.workers().len() == 3).then_some(status)
    });

    for process in processes(&reloaded) {
        let old = number(process, "pid") == i64::from(busy);

        assert_eq!(
            number(process, "generation"),
            if old { 1 } else { 2 },
            "{process}"
        );
        assert_eq!(
            process["state"],
            if old { "exiting" } else { "running" },
            "{process}"
        );
    }

    drop(request);
    wait_until("the old one's end", || {
        !pids(processes(&json(&nginx))).contains(&busy)
    });

    nginx.quit(&["exited on signal 9"]);
}
