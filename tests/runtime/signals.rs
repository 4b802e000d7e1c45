//! Tests of the signals to the master.

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::{Duration, Instant};

use crate::support::client::{ask, closes, echo};
use crate::support::server::Server;
use crate::support::{find, proc, sys, wait_until};

/// SIGHUP starts a new generation of workers. An old worker exits when its
/// connections are closed.
#[test]
fn reload_replaces_the_workers() {
    let server = Server::configurable("reload");
    let master = server.start(2, &[]);
    let old = server.workers();
    let mut held = server.connect();
    let holder = pid_of(&ask(&mut held, 'w'));

    let new = server.reload();

    wait_until("the end of the idle old worker", || {
        server.shutting_down() == BTreeSet::from([holder])
    });
    assert!(old.contains(&holder));
    assert!(new.contains(&pid_of(&ask(&mut server.connect(), 'w'))));
    assert_eq!(pid_of(&ask(&mut held, 'w')), holder, "still served");

    drop(held);
    server.wait_for_end_of(&old);
    assert_eq!(server.workers(), new);
    assert_eq!(server.master(), master);
    server.quit(&[]);
}

fn pid_of(answer: &[String]) -> i32 {
    answer[0].split(' ').next().unwrap().parse().unwrap()
}

/// A reload that fails at any step keeps the old generation of workers and
/// leaves no descriptor open. The next reload succeeds.
#[test]
fn a_failed_reload_changes_nothing() {
    let server = Server::configurable("failed_reload");
    let conf = server.directory.join("conf");
    let busy = TcpListener::bind("127.0.0.1:0").unwrap();
    let master = server.start(2, &["-r", conf.to_str().unwrap()]);
    let workers = server.workers();
    let descriptors = proc::descriptors(master);
    let mut held = server.connect();
    let address = format!("address {}", busy.local_addr().unwrap());

    for (content, complaint) in [
        ("refuse", "configuration refused"),
        ("module", "a module could not be initialized"),
        (&address, "failed (98:"),
        ("address nonsense", "invalid address \"nonsense\""),
    ] {
        fs::write(&conf, content).unwrap();
        server.signal(libc::SIGHUP);
        server.wait_for_line(complaint);

        assert_eq!(ask(&mut held, 'w')[0].split(' ').nth(2), Some("1"));
        assert_eq!(server.workers(), workers, "after \"{content}\"");
        wait_until("the descriptors as they were", || {
            proc::descriptors(master) == descriptors
        });
    }

    fs::write(&conf, "workers 3").unwrap();
    server.signal(libc::SIGHUP);
    server.wait_for_others(3, &workers);
    drop(held);
    server.quit(&[
        "still could not bind()",
        "refused",
        "could not be initialized",
        "98:",
        "invalid address",
    ]);
}

/// SIGQUIT: the workers accept no new connections, and serve the open ones.
#[test]
fn quit_is_graceful() {
    let server = Server::configurable("quit");
    let master = server.start(2, &[]);
    let mut busy = server.connect();
    let mut idle = server.connect();

    ask(&mut busy, 'w');
    ask(&mut idle, 'i');
    server.signal(libc::SIGQUIT);

    assert!(closes(&mut idle), "an idle connection is closed");
    wait_until("a closed port", || server.try_connect().is_err());
    wait_until("one worker", || server.shutting_down().len() == 1);
    ask(&mut busy, 'w');
    assert!(proc::alive(master));

    drop(busy);
    server.finish(&[]);
}

/// A connection that becomes idle after the graceful shutdown of its worker has begun is
/// closed too, so that the worker exits.
#[test]
fn quit_closes_connections_that_become_idle() {
    let server = Server::configurable("quit_idle_later");

    server.start(1, &[]);

    let mut client = server.connect();

    ask(&mut client, 'w');
    server.signal(libc::SIGQUIT);
    wait_until("a worker that shuts down", || {
        server.shutting_down().len() == 1
    });
    ask(&mut client, 'w');
    ask(&mut client, 'i');
    assert!(closes(&mut client));
    server.finish(&[]);
}

/// A worker that shuts down answers the data that has already arrived, because
/// a connection with unread data is not idle. In this test the data of 300
/// connections arrives after the master has sent QUIT, and before the worker
/// reads QUIT.
#[test]
fn quit_answers_what_has_arrived() {
    let server = Server::echo("quit_answers");

    server.start(1, &[]);

    let worker = *server.workers().first().unwrap();
    let mut clients: Vec<_> = (0..300).map(|_| server.connect()).collect();

    clients
        .iter_mut()
        .for_each(|client| echo(client, "first\n"));
    sys::kill(worker, libc::SIGSTOP);
    wait_until("a stopped worker", || proc::state(worker) == Some('T'));

    server.signal(libc::SIGQUIT);
    server.wait_for_line("(SIGQUIT) received");
    // The master sends QUIT to the worker before it closes its listening
    // sockets.
    wait_until("a master that does not listen", || {
        !proc::listens(server.master(), server.port)
    });
    for client in &mut clients {
        client.write_all(b"second\n").unwrap();
    }

    sys::kill(worker, libc::SIGCONT);

    let answered = clients
        .iter_mut()
        .filter_map(|client| {
            let mut answer = String::new();

            client.read_to_string(&mut answer).ok()?;
            (answer == "second\n").then_some(())
        })
        .count();

    assert_eq!(answered, clients.len());
    server.finish(&[]);
}

/// SIGTERM and SIGINT: the processes exit without waiting for connections, and
/// before the master sends SIGKILL.
#[test]
fn terminate_is_fast() {
    for signo in [libc::SIGTERM, libc::SIGINT] {
        let server = Server::configurable(&format!("terminate_{signo}"));

        server.start(2, &[]);

        let mut held = server.connect();

        ask(&mut held, 'w');
        server.signal(signo);
        assert!(closes(&mut held));
        server.finish(&[]);
    }
}

/// A second SIGQUIT does not begin a second shutdown. SIGTERM ends a graceful shutdown
/// that waits for a connection.
#[test]
fn quit_may_become_terminate() {
    let server = Server::configurable("quit_terminate");

    server.start(2, &[]);

    let mut held = server.connect();

    ask(&mut held, 'w');
    server.signal(libc::SIGQUIT);
    wait_until("one worker", || server.shutting_down().len() == 1);
    server.signal(libc::SIGQUIT);
    server.wait_for_lines(2, "(SIGQUIT) received");
    ask(&mut held, 'w');

    // The worker gets the signal of the master, and then one of its own.
    let worker = *server.shutting_down().first().unwrap();

    sys::kill(worker, libc::SIGQUIT);
    server.wait_for_line(&format!("{worker}#0: signal 3 (SIGQUIT) received"));
    ask(&mut held, 'w');
    assert_eq!(server.lines("gracefully shutting down").len(), 2);
    server.signal(libc::SIGTERM);
    assert!(closes(&mut held));
    server.finish(&[]);
}

/// SIGUSR1: the master and the workers write to a new log file.
#[test]
fn reopen_makes_a_new_log() {
    let server = Server::echo("reopen");
    let master = server.start(3, &[]);
    let moved = server.directory.join("log.1");
    let mut writers = server.workers();

    fs::rename(server.logfile(), &moved).unwrap();
    server.signal(libc::SIGUSR1);

    server.wait_for_new_log();

    let before = fs::metadata(&moved).unwrap().len();

    writers.insert(master);
    server.signal(libc::SIGQUIT);
    server.finish(&[]);

    for pid in writers {
        assert_ne!(server.lines(&format!(" {pid}#")), [""; 0], "{pid} writes");
    }

    assert_eq!(fs::metadata(&moved).unwrap().len(), before);
}

/// A daemon writes its stderr to its log, and after SIGUSR1 to the new log.
/// Each line is written once.
#[test]
fn a_daemon_s_stderr_follows_its_log() {
    let server = Server::configurable("stderr");
    let moved = server.directory.join("log.1");
    let stderr = |pid| proc::descriptors(pid).remove(&2).unwrap_or_default();
    let is_log = |what: &str| {
        let log = server.logfile().to_string_lossy().into_owned();

        wait_until(what, || {
            let all = server.processes();

            all.len() == 3 && all.iter().all(|&pid| stderr(pid) == log)
        });
    };
    let killed_is_told_once = || {
        let workers = server.workers();
        let killed = *workers.first().unwrap();

        sys::kill(killed, libc::SIGKILL);
        wait_until("another worker", || {
            let now = server.workers();

            now.len() == 2 && !now.contains(&killed)
        });
        assert_eq!(
            server.lines(&format!(" {killed} exited on signal")).len(),
            1
        );
    };

    server.start(2, &["-d"]);
    is_log("the log as stderr");
    killed_is_told_once();

    fs::rename(server.logfile(), moved).unwrap();
    server.signal(libc::SIGUSR1);
    is_log("the new log as stderr");
    killed_is_told_once();
    server.reload();
    is_log("the log as the new workers' stderr");
    server.quit(&["exited on signal 9"]);
}

/// SIGWINCH stops the workers of a daemon, but not its master, and SIGHUP then
/// starts workers again. A master in the foreground ignores SIGWINCH.
#[test]
fn noaccept_stops_the_workers_only() {
    let server = Server::echo("noaccept");
    let master = server.start(2, &["-d"]);

    server.signal(libc::SIGWINCH);
    wait_until("only the master", || {
        server.processes() == BTreeSet::from([master])
    });

    server.signal(libc::SIGHUP);
    server.wait_for_workers(2);
    echo(&mut server.connect(), "there again\n");
    server.quit(&[]);

    let server = Server::echo("noaccept_foreground");

    server.start(2, &[]);

    let workers = server.workers();

    server.signal(libc::SIGWINCH);
    server.wait_for_line("(SIGWINCH) received");
    echo(&mut server.connect(), "still there\n");
    assert_eq!(server.workers(), workers);
    server.quit(&[]);
}

/// The master repeats SIGTERM after 50, 100, 200, 400 and 800 ms, and then
/// sends SIGKILL. So a worker that ignores SIGTERM exits, and one that is
/// stopped does too.
#[test]
fn termination_ends_with_sigkill() {
    let deaf = Server::configurable("deaf");
    let stopped = Server::configurable("stopped");

    deaf.spawn(&["-w", "2", "-i"]);
    deaf.wait_for_lines(2, "hook init_process");
    stopped.start(2, &[]);

    let worker = *stopped.workers().first().unwrap();

    sys::kill(worker, libc::SIGSTOP);
    wait_until("a stopped worker", || proc::state(worker) == Some('T'));

    for server in [deaf, stopped] {
        let begin = Instant::now();

        server.signal(libc::SIGTERM);
        server.wait_for_exit();

        let took = begin.elapsed();

        assert!(took > Duration::from_secs(1), "{took:?}");
        server.finish(&["exited on signal 9"]);
    }
}

/// The status signal, SIGTTIN, makes the master log a line for each process.
#[test]
fn status_signal_lists_the_processes() {
    let server = Server::echo("status");

    server.start(3, &[]);
    server.reload();
    wait_until("the end of the old", || server.processes().len() == 4);

    let worker = *server.workers().last().unwrap();

    sys::kill(worker, libc::SIGKILL);
    wait_until("another worker", || {
        let workers = server.workers();

        workers.len() == 3 && !workers.contains(&worker)
    });
    server.signal(libc::SIGTTIN);
    server.wait_for_lines(3, " slot:");

    let lines = server.lines(" slot:");
    let workers = server.workers();
    let sum = |field: &str| -> i32 { lines.iter().map(|line| value(line, field)).sum() };

    assert_eq!(lines.len(), 3, "{lines:#?}");
    assert_eq!(
        lines
            .iter()
            .map(|line| value(line, "pid:"))
            .collect::<BTreeSet<i32>>(),
        workers
    );
    assert_eq!(sum("generation:"), 3 * 2);
    assert_eq!(sum("respawns:"), 1);
    assert_eq!(sum("worker:"), 1 + 2);
    assert_eq!(sum("queued:") + sum("dropped:"), 0);
    assert!(
        lines
            .iter()
            .all(|line| line.contains(" running \"worker process\" "))
    );
    server.quit(&["exited on signal 9"]);
}

/// Returns the number after the name of a field in a line of the status.
pub fn value(line: &str, field: &str) -> i32 {
    line.split(' ')
        .find_map(|word| word.strip_prefix(field))
        .and_then(|value| value.parse().ok())
        .unwrap_or_else(|| panic!("{field} in {line}"))
}

/// `ngx_ipc_signal()` finds the master by its pid file and sends the signal of
/// a command.
#[test]
fn commands_are_signals() {
    let server = Server::echo("commands");

    server.start(2, &[]);

    let command = |name: &str| {
        std::process::Command::new(&server.exe)
            .args(["-p", server.pidfile().to_str().unwrap(), "-s", name])
            .output()
            .unwrap()
    };
    let old = server.workers();

    assert!(command("reload").status.success());
    server.wait_for_others(2, &old);
    fs::remove_file(server.logfile()).unwrap();
    assert!(command("reopen").status.success());
    find("a new log", || server.logfile().exists().then_some(()));

    let nonsense = command("nonsense");
    let said = String::from_utf8_lossy(&nonsense.stderr);

    assert_eq!(nonsense.status.code(), Some(1));
    assert!(said.contains("invalid signal \"nonsense\""), "{said}");
    assert!(command("quit").status.success());
    server.finish(&[]);
    assert!(!command("stop").status.success(), "no process to stop");
}
