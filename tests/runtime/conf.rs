//! What the configuration promises.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::os::unix::net::UnixStream;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use crate::support::client::{ask, is_closed};
use crate::support::server::Server;
use crate::support::{find_within, proc, sys, wait_until, wait_within};

/// Helpers run beside the workers: they have their own titles and role, do not
/// accept, are respawned, replaced by a reload, and end with the rest.
#[test]
fn helpers_run_beside_the_workers() {
    let server = Server::configurable("helpers");

    server.start(2, &["-m", "3"]);

    let helpers = || -> BTreeSet<i32> {
        (0..3)
            .flat_map(|i| server.called(&format!("helper {i} process")))
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
    wait_until("nobody else", || server.everybody().len() == 6);
    server.quit(&["exited on signal 9"]);
}

/// Titles as nginx writes them; the master's has the arguments.
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

/// A module's hooks, in nginx's order.
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

/// A root's workers run as another user, with its groups.
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

    // They can be told everything that they are told: a new log is theirs.
    fs::remove_file(server.logfile()).unwrap();
    server.signal(libc::SIGUSR1);
    server.wait_for_new_log();
    server.reload();
    server.quit(&[]);
}

/// A processor for each worker, a limit of descriptors, a folder.
#[test]
fn workers_get_what_is_configured() {
    let server = Server::configurable("limits");
    let folder = server.folder.join("work");
    let n = std::thread::available_parallelism().unwrap().get();

    fs::create_dir(&folder).unwrap();

    let master = server.start(
        n + 1,
        &[
            "-c",
            "-n",
            "333",
            "-C",
            folder.to_str().unwrap(),
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
        assert_eq!(fs::read_link(format!("/proc/{pid}/cwd")).unwrap(), folder);
    }

    assert_eq!(
        proc::limit(master, "Max open files").as_deref(),
        Some("2000")
    );
    server.quit(&[]);
}

/// Without a number there is a worker for each processor.
#[test]
fn a_worker_for_each_processor() {
    let server = Server::configurable("processors");

    server.spawn(&[]);
    server.wait_for_workers(std::thread::available_parallelism().unwrap().get());
    server.quit(&[]);
}

/// In each generation there is one leader, be it respawned.
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

/// A worker sees all the others, by the iterator and as text.
#[test]
fn a_worker_lists_the_processes() {
    let server = Server::configurable("list");

    server.start(3, &["-m", "1"]);
    wait_until("the helper", || {
        server.called("helper 0 process").len() == 1
    });

    let mut client = server.connect();

    // What it is told of comes through its channel, before or after this.
    wait_until("four processes", || {
        ask(&mut client, 'n').len() == 4 && ask(&mut client, 'l').len() == 4
    });

    let rows: Vec<Vec<i32>> = ask(&mut client, 'n')
        .iter()
        .map(|line| line.split(' ').map(|word| word.parse().unwrap()).collect())
        .collect();
    let column = |i: usize| -> Vec<i32> { rows.iter().map(|row| row[i]).collect() };
    let mut pids = server.everybody();

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

/// A graceful shutdown with a deadline closes what is left then.
#[test]
fn a_shutdown_has_a_deadline() {
    let server = Server::configurable("deadline");

    server.start(2, &["-t", "500"]);

    let mut held = server.connect();

    ask(&mut held, 'w');

    let begin = Instant::now();

    server.signal(libc::SIGQUIT);
    wait_until("the shutdown", || server.leaving().len() == 1);
    assert!(is_closed(&mut held));

    let took = begin.elapsed();

    assert!(took >= Duration::from_millis(480), "{took:?}");
    assert!(took < Duration::from_secs(3), "{took:?}");
    server.finish(&[]);
}

/// One process that is master and worker: it serves, reloads, reopens, quits.
#[test]
fn a_single_process_does_it_all() {
    let server = Server::configurable("single");
    let pid = server.spawn(&["-1"]);
    let mut client = server.connect();

    assert!(ask(&mut client, 'w')[0].starts_with(&format!("{pid} 0 1 1 ")));
    server.signal(libc::SIGHUP);
    server.wait_for_line("reconfiguring");
    wait_until("the new configuration", || {
        server.lines("hook init_module").len() == 2
    });
    ask(&mut server.connect(), 'w');
    fs::remove_file(server.logfile()).unwrap();
    server.signal(libc::SIGUSR1);
    server.wait_for_new_log();
    assert_eq!(server.everybody(), BTreeSet::from([pid]));
    drop(client);
    server.quit(&[]);
}

/// A process that is killed when this goes: valgrind's is not found by the
/// program that it runs.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A connection of the configuration before is served after a reload: by
/// memory that is still there, as valgrind sees where there is one.
#[test]
fn a_single_process_reloads_under_a_connection() {
    let minute = Duration::from_secs(60);
    let server = Server::configurable("single_reload");
    let plain = server.command(&["-1"]);
    let has_valgrind = Command::new("valgrind")
        .arg("--version")
        .output()
        .is_ok_and(|out| out.status.success());
    let mut command = if has_valgrind {
        let mut command = Command::new("valgrind");

        command
            .args(["-q", "--error-exitcode=9"])
            .arg(plain.get_program());
        command
    } else {
        Command::new(plain.get_program())
    };
    let report = server.folder.join("stderr");
    let mut process = Killed(
        command
            .args(plain.get_args())
            .stderr(fs::File::create(&report).unwrap())
            .spawn()
            .unwrap(),
    );
    let initialized = |n: usize| {
        wait_within(minute, "a configuration", || {
            server.lines("hook init_module").len() == n
        });
    };

    wait_within(minute, "the pid file", || server.pidfile().exists());

    let mut clients = vec![find_within(minute, "a connection", || {
        server.try_connect().ok()
    })];

    for generation in 1..4 {
        clients.iter_mut().for_each(|client| {
            ask(client, 'w');
        });
        server.signal(libc::SIGHUP);
        initialized(generation + 1);
        clients.push(server.connect());
    }

    // A client that has not read its answer resets the connection: what the
    // server logs then is for the log that the connection began with.
    for mut client in clients.drain(..2) {
        client.write_all(b"w").unwrap();
        client.peek(&mut [0]).unwrap();
    }

    clients.iter_mut().for_each(|client| {
        ask(client, 'n');
    });
    server.signal(libc::SIGQUIT);

    let mut status = None;

    wait_within(minute, "its end", || {
        status = process.0.try_wait().unwrap();
        status.is_some()
    });

    let said = fs::read_to_string(report).unwrap();

    assert!(status.unwrap().success(), "{said}");
    assert!(!said.contains("Invalid "), "{said}");
    server.finish(&[]);
}

/// A reload that changes the pid file moves it.
#[test]
fn a_reload_moves_the_pid_file() {
    let server = Server::configurable("reload_pid");
    let conf = server.folder.join("conf");
    let moved = server.folder.join("pid.moved");
    let master = server.start(2, &["-r", conf.to_str().unwrap()]);
    let pid_in = |path| fs::read_to_string(path).unwrap_or_default();
    let reload = |content: String| {
        let old = server.workers();

        fs::write(&conf, content).unwrap();
        sys::kill(master, libc::SIGHUP);
        server.wait_for_others(2, &old);
    };

    // One that cannot be written is a reload that fails.
    let workers = server.workers();

    fs::write(&conf, "pid /nonexistent/pid").unwrap();
    server.signal(libc::SIGHUP);
    server.wait_for_line("open() \"/nonexistent/pid\" failed");
    assert_eq!(server.master(), master);
    assert_eq!(server.workers(), workers);

    reload(format!("pid {}", moved.display()));
    assert_eq!(pid_in(&moved), format!("{master}\n"));
    assert!(!server.pidfile().exists());

    reload(format!("pid {}", moved.display()));
    assert_eq!(pid_in(&moved), format!("{master}\n"));

    reload(format!("pid {}", server.pidfile().display()));
    assert_eq!(server.master(), master);
    assert!(!moved.exists());
    server.quit(&["/nonexistent/pid"]);
}

/// A reload whose log cannot be opened is refused; nothing has changed then,
/// and the next one may succeed.
#[test]
fn a_reload_needs_its_log() {
    let server = Server::configurable("reload_log");
    let conf = server.folder.join("conf");
    let master = server.start(2, &["-r", conf.to_str().unwrap()]);
    let workers = server.workers();
    let descriptors = proc::descriptors(master);

    fs::write(&conf, "log /nonexistent/log").unwrap();
    server.signal(libc::SIGHUP);
    server.wait_for_line("open() \"/nonexistent/log\" failed");
    wait_until("the descriptors as they were", || {
        proc::descriptors(master) == descriptors
    });
    assert_eq!(server.workers(), workers);
    assert_eq!(
        ask(&mut server.connect(), 'w')[0].split(' ').nth(2),
        Some("1")
    );

    fs::write(&conf, "").unwrap();
    server.reload();
    server.quit(&["/nonexistent/log"]);
}

/// A reload that drops a Unix socket removes its file; the next one can have
/// it back.
#[test]
fn a_dropped_unix_socket_s_file_goes() {
    let mut server = Server::configurable("dropped_unix");
    let conf = server.folder.join("conf");
    let path = server.folder.join("socket");
    let tcp = server.place.clone();
    let unix = format!("unix:{}", path.display());

    server.place.clone_from(&unix);

    let master = server.start(2, &["-r", conf.to_str().unwrap()]);
    let before = proc::kinds_of_descriptors(master);

    UnixStream::connect(&path).unwrap();

    for _ in 0..2 {
        fs::write(&conf, format!("address {tcp}")).unwrap();
        server.reload();
        wait_until("the file's end", || !path.exists());
        ask(&mut server.connect(), 'w');

        fs::write(&conf, format!("address {unix}")).unwrap();
        server.reload();
        UnixStream::connect(&path).unwrap();
        wait_until("nobody listens", || server.try_connect().is_err());
    }

    wait_until("the descriptors as they were", || {
        server.everybody().len() == 3 && proc::kinds_of_descriptors(master) == before
    });
    server.quit(&[]);
    assert!(!path.exists());
}

/// A start that fails, however late, exits with 1, in the background as well,
/// and leaves no file of a Unix socket behind.
#[test]
fn a_failed_start_leaves_nothing() {
    let mut server = Server::configurable("failed_start");
    let path = server.folder.join("socket");
    let conf: [&[&str]; 4] = [&[], &["-d"], &["-1"], &["-1", "-d"]];

    server.place = format!("unix:{}", path.display());

    for options in conf {
        let options = [options, &["-p", "/nonexistent/pid"]].concat();
        let status = server.command(&options).status().unwrap();

        assert_eq!(status.code(), Some(1), "{options:?}");
        assert!(!path.exists(), "{options:?}");
        wait_until("nobody", || server.everybody().is_empty());
    }

    assert_eq!(server.lines("open() \"/nonexistent/pid\" failed").len(), 4);
}

/// A limit of descriptors that is too low for the loop is an error, and not
/// the beginning of an endless one.
#[test]
fn too_few_descriptors_for_a_start() {
    let server = Server::configurable("few_descriptors");

    for mode in ["-w1", "-1", "-d"] {
        for n in ["3", "4", "5", "6", "7"] {
            let mut process = Killed(server.command(&[mode, "-b", n]).spawn().unwrap());
            let mut status = None;

            wait_until("its end", || {
                status = process.0.try_wait().unwrap();
                status.is_some()
            });
            assert_eq!(status.unwrap().code(), Some(1), "{mode} -b {n}");
            wait_until("nobody", || server.everybody().is_empty());
            assert!(!server.pidfile().exists());
        }
    }
}
