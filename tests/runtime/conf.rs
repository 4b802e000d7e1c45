//! Tests of the fields of `ngx_core_conf_t`.

use std::collections::BTreeSet;
use std::fs;
use std::time::{Duration, Instant};

use crate::support::client::{ask, closes};
use crate::support::server::Server;
use crate::support::{proc, sys, wait_until};

/// Helpers are processes beside the workers, with titles and a role of their
/// own. They do not accept connections. The master respawns them, replaces them
/// at a reload, and stops them with the workers.
#[test]
fn helpers_run_beside_the_workers() {
    let server = Server::configurable("helpers");

    server.start(2, &["-m", "3"]);

    let helpers = || -> BTreeSet<i32> {
        (0..3)
            .flat_map(|i| server.titled(&format!("helper {i} process")))
            .collect()
    };
    let three_but = |old: &BTreeSet<i32>| {
        wait_until("three helpers", || {
            let now = helpers();

            now.len() == 3 && now.is_disjoint(old)
        });
        helpers()
    };
    let first = three_but(&BTreeSet::new());

    server.wait_for_lines(3, "helper works, role:4");
    server.signal(libc::SIGTTIN);
    server.wait_for_lines(5, " slot:");
    assert_eq!(server.lines(" helper:-1 ").len(), 3);

    for &pid in &first {
        sys::kill(pid, libc::SIGKILL);
    }

    let second = three_but(&first);

    for _ in 0..20 {
        let answer = ask(&mut server.connect(), 'w');
        let pid = answer[0].split(' ').next().unwrap().parse().unwrap();

        assert!(!second.contains(&pid), "a helper accepts");
    }

    server.reload();
    three_but(&second);
    wait_until("only these processes", || server.processes().len() == 6);
    server.quit(&["exited on signal 9"]);
}

/// The titles of processes are those of nginx. The master's title contains the
/// arguments of its command.
#[test]
fn titles_are_nginx_s() {
    let server = Server::configurable("titles");
    let master = server.start(1, &[]);
    let arguments = server.command(&["-w", "1"]);
    let arguments: Vec<_> = [arguments.get_program()]
        .into_iter()
        .chain(arguments.get_args())
        .map(|arg| arg.to_str().unwrap().to_string())
        .collect();

    assert_eq!(
        proc::title(master),
        format!("server: master process {}", arguments.join(" "))
    );
    server.quit(&[]);
}

/// The library calls the functions of a module, such as `init_process()`, in
/// nginx's order.
#[test]
fn hooks_run_in_order() {
    let server = Server::configurable("hooks");

    server.start(2, &[]);
    server.quit(&[]);

    let hooks: Vec<String> = server
        .lines("hook ")
        .iter()
        .map(|line| line.split_once("hook ").unwrap().1)
        .map(|hook| hook.split(' ').next().unwrap().to_string())
        .collect();

    assert_eq!(
        hooks,
        [
            "init_module",
            "init_process",
            "init_process",
            "exit_process",
            "exit_process",
            "exit_master"
        ]
    );
}

/// If root starts the master, the workers run as the configured user, with the
/// groups of this user.
#[test]
fn workers_run_as_their_user() {
    if !sys::is_root() {
        return;
    }

    let server = Server::configurable("user");
    let master = server.start(2, &["-u", "nobody"]);
    let ids = |pid, field| proc::status(pid, field).unwrap();
    let passwd = fs::read_to_string("/etc/passwd").unwrap();
    let nobody: Vec<&str> = passwd
        .lines()
        .find(|line| line.starts_with("nobody:"))
        .unwrap()
        .split(':')
        .collect();

    for pid in server.workers() {
        assert_eq!(ids(pid, "Uid"), [nobody[2]; 4].join("\t"));
        assert_eq!(ids(pid, "Gid"), [nobody[3]; 4].join("\t"));
        assert_eq!(ids(pid, "Groups"), nobody[3]);
    }

    assert!(ids(master, "Uid").starts_with("0\t"));

    // The master can send commands to workers of another user. At REOPEN, such
    // a worker opens the new log, because the file belongs to its user.
    fs::remove_file(server.logfile()).unwrap();
    server.signal(libc::SIGUSR1);
    server.wait_for_new_log();
    server.reload();
    server.quit(&[]);
}

/// A worker runs on its configured processor, with the configured limit of
/// descriptors and working directory.
#[test]
fn workers_get_what_is_configured() {
    let server = Server::configurable("limits");
    let directory = server.directory.join("work");
    let n = std::thread::available_parallelism().unwrap().get();

    fs::create_dir(&directory).unwrap();

    let master = server.start(
        n + 1,
        &[
            "-c",
            "-n",
            "333",
            "-C",
            directory.to_str().unwrap(),
            "-b",
            "2000",
        ],
    );
    let mut processors: Vec<String> = server
        .workers()
        .iter()
        .map(|&pid| proc::status(pid, "Cpus_allowed_list").unwrap())
        .collect();

    processors.sort();

    let mut expected: Vec<String> = (0..=n).map(|worker| (worker % n).to_string()).collect();

    expected.sort();
    assert_eq!(processors, expected);

    for pid in server.workers() {
        assert_eq!(proc::limit(pid, "Max open files").as_deref(), Some("333"));
        assert_eq!(
            fs::read_link(format!("/proc/{pid}/cwd")).unwrap(),
            directory
        );
    }

    assert_eq!(
        proc::limit(master, "Max open files").as_deref(),
        Some("2000")
    );
    server.quit(&[]);
}

/// If no number of workers is configured, the master starts one for each
/// processor.
#[test]
fn a_worker_for_each_processor() {
    let server = Server::configurable("processors");

    server.spawn(&[]);
    server.wait_for_workers(std::thread::available_parallelism().unwrap().get());
    server.quit(&[]);
}

/// Each generation has one leader. If the leader is killed, the process that
/// replaces it is the leader.
#[test]
fn one_leader_in_each_generation() {
    let server = Server::configurable("leader");

    server.start(4, &[]);
    server.reload();

    let old = server.workers();

    for &pid in &old {
        sys::kill(pid, libc::SIGKILL);
    }

    server.wait_for_others(4, &old);

    let count = |text: &str| server.lines(text).len();

    assert_eq!(count("worker:0 leader:1 generation:1"), 1);
    assert_eq!(count("worker:0 leader:1 generation:2"), 2);
    assert_eq!(count("leader:1"), 3);
    assert_eq!(count("leader:0 generation:1"), 3);
    assert_eq!(count("leader:0 generation:2"), 6);
    server.quit(&["exited on signal 9"]);
}

/// A worker lists all processes, with `ngx_ipc_next_process()` and as text.
#[test]
fn a_worker_lists_the_processes() {
    let server = Server::configurable("list");

    server.start(3, &["-m", "1"]);
    wait_until("the helper", || {
        server.titled("helper 0 process").len() == 1
    });

    let mut client = server.connect();

    // The worker reads messages about other processes from its channel, which
    // can happen after it has answered once. So the test asks until the list is
    // complete.
    wait_until("four processes", || {
        ask(&mut client, 'n').len() == 4 && ask(&mut client, 'l').len() == 4
    });

    let rows: Vec<Vec<i32>> = ask(&mut client, 'n')
        .iter()
        .map(|line| line.split(' ').map(|word| word.parse().unwrap()).collect())
        .collect();
    let column = |i: usize| -> Vec<i32> { rows.iter().map(|row| row[i]).collect() };
    let mut pids = server.processes();

    pids.remove(&server.master());
    assert_eq!(column(0), [0, 1, 2, 3], "slots");
    assert_eq!(column(1).into_iter().collect::<BTreeSet<_>>(), pids);
    assert_eq!(column(2), [1; 4], "states");
    assert_eq!(column(3), [0, 1, 2, -1], "workers");
    assert_eq!(column(4), [1; 4], "generations");
    assert_eq!(column(5), [3, 3, 3, 4], "roles");
    assert_eq!(column(6), [0; 4], "respawns");
    assert_eq!(column(7), [1; 4], "have been started");

    let text = ask(&mut client, 'l');

    for (row, line) in rows.iter().zip(&text) {
        assert!(
            line.starts_with(&format!("slot:{} pid:{} ", row[0], row[1])),
            "{line}"
        );
    }

    drop(client);
    server.quit(&[]);
}

/// A graceful shutdown with a time limit closes the connections that are still
/// open when the limit is reached.
#[test]
fn a_shutdown_has_a_deadline() {
    let server = Server::configurable("deadline");

    server.start(2, &["-t", "500"]);

    let mut held = server.connect();

    ask(&mut held, 'w');

    let begin = Instant::now();

    server.signal(libc::SIGQUIT);
    wait_until("the shutdown", || server.shutting_down().len() == 1);
    assert!(closes(&mut held));

    let took = begin.elapsed();

    assert!(took >= Duration::from_millis(480), "{took:?}");
    server.finish(&[]);
}
