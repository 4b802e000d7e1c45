//! Tests of what a program shows of its processes.

use std::collections::{BTreeMap, BTreeSet};

use crate::support::client::ask;
use crate::support::server::Server;
use crate::support::{find, proc, sys, wait_until};

/// A line about a process: the name, the processor time in milliseconds, and the
/// resident memory in bytes.
struct Seen {
    name: String,
    cpu: i64,
    rss: i64,
}

/// What a worker shows of all processes.
fn seen(server: &Server) -> BTreeMap<i32, Seen> {
    ask(&mut server.connect(), 'v')
        .iter()
        .map(|line| {
            let fields: Vec<_> = line.splitn(5, ' ').collect();
            let number = |i: usize| fields[i].parse::<i64>().expect("a number");

            (
                fields[0].parse().expect("a pid"),
                Seen {
                    name: fields[4].to_string(),
                    cpu: number(1) + number(2),
                    rss: number(3),
                },
            )
        })
        .collect()
}

/// Each process that a worker shows has the name that is in its title. Asks until both
/// are settled.
fn assert_names(server: &Server, helpers: usize) {
    let names = |processes: &BTreeSet<i32>| -> BTreeSet<(i32, String)> {
        processes
            .iter()
            .map(|&pid| {
                let title = proc::title(pid);

                (
                    pid,
                    title.split_once(": ").unwrap_or(("", "")).1.to_string(),
                )
            })
            .collect()
    };

    wait_until("the names of all processes", || {
        let shown: BTreeSet<_> = seen(server)
            .into_iter()
            .map(|(pid, seen)| (pid, seen.name))
            .collect();
        let mut processes = server.processes();

        processes.remove(&server.master());

        shown == names(&processes)
            && shown
                .iter()
                .filter(|(_, name)| name.starts_with("helper "))
                .count()
                == helpers
    });
}

/// A worker knows the names of helpers that were started after it, in slots of other
/// processes too.
#[test]
fn helpers_have_their_names_in_every_process() {
    let server = Server::configurable("seen_names");
    let conf = server.directory.join("conf");

    std::fs::write(&conf, "").expect("a file");
    server.start(2, &["-m", "2", "-r", conf.to_str().expect("a path")]);
    assert_names(&server, 2);

    // The next generation uses the slots of the first one again in another order.
    for workers in [5, 1, 3] {
        std::fs::write(&conf, format!("workers {workers}")).expect("a file");

        let old = server.workers();

        server.signal(libc::SIGHUP);
        server.wait_for_others(workers, &old);
        assert_names(&server, 2);
    }

    let helper = *server.titled("helper 1 process").first().expect("a helper");

    sys::kill(helper, libc::SIGKILL);
    wait_until("another helper", || {
        server
            .titled("helper 1 process")
            .iter()
            .any(|&pid| pid != helper)
    });
    assert_names(&server, 2);

    server.signal(libc::SIGTTIN);
    server.wait_for_line("\"helper 0 process\" respawns:");
    assert!(!server.log().contains("(null)"), "{}", server.log());
    server.quit(&["exited on signal 9"]);
}

/// A worker shows the processor time and the memory of each process.
#[test]
fn processor_time_and_memory_are_shown() {
    let server = Server::configurable("seen_usage");

    server.start(2, &["-m", "1"]);

    let work = find("processor time of a worker", || {
        let shown = seen(&server);
        let worked = shown.iter().find(|(_, seen)| seen.cpu >= 50);

        worked.map(|(&pid, seen)| (pid, seen.cpu))
    });
    let ticks = i64::try_from(proc::cpu_time(work.0)).expect("a number");

    assert!(work.1 <= (ticks + 1) * 10, "{work:?} {ticks}");

    for (pid, seen) in seen(&server) {
        let resident = proc::status(pid, "VmRSS").expect("a field");
        let kilobytes: i64 = resident.split(' ').next().unwrap().parse().unwrap();

        assert!(seen.cpu >= 0, "{}", seen.name);
        // The kernel adds pages to the number some time later.
        assert!(
            (seen.rss - kilobytes * 1024).abs() <= kilobytes * 1024 / 2,
            "{} {} {kilobytes}",
            seen.name,
            seen.rss
        );
    }

    server.quit(&[]);
}
