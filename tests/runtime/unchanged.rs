//! Tests of what must change nothing: a refused reload, and new log files.

use std::fs;

use crate::support::client::ask;
use crate::support::server::Server;
use crate::support::{proc, sys, wait_until};

/// Reloads that are refused at each step leave descriptors, memory, processes, signals
/// and files of the master, the workers and the helper as they were.
#[test]
fn refused_reloads_leave_nothing() {
    for (test, content) in [
        ("refused_by_program", "refuse".to_string()),
        ("refused_by_module", "module".to_string()),
        ("refused_with_address", "module 127.0.0.1:0".to_string()),
        ("refused_log", "log /nonexistent/log".to_string()),
        ("refused_pid", "pid /nonexistent/pid".to_string()),
    ] {
        let server = Server::configurable(test);
        let conf = server.directory.join("conf");

        server.start(2, &["-m", "1", "-r", conf.to_str().unwrap()]);
        fs::write(&conf, content).unwrap();
        refuse_many(&server);
        ask(&mut server.connect(), 'w');
        server.quit(REFUSED);
    }
}

/// Lines that a refused reload writes.
const REFUSED: &[&str] = &["refused", "could not be initialized", "/nonexistent/"];

/// A reload of a single process that is refused leaves nothing either, and a Unix
/// socket that is new in the refused configuration leaves no file.
#[test]
fn a_single_process_refuses_a_reload() {
    let server = Server::configurable("refused_single");
    let conf = server.directory.join("conf");
    let socket = server.directory.join("socket");

    server.spawn(&["-1", "-r", conf.to_str().unwrap()]);
    fs::write(&conf, format!("module unix:{}", socket.display())).unwrap();
    refuse_many(&server);
    assert!(!socket.exists());
    ask(&mut server.connect(), 'w');
    server.quit(REFUSED);
}

/// Makes the master refuse a reload many times, and checks that nothing changes.
fn refuse_many(server: &Server) {
    let master = server.master();
    let mut lines = server.lines("reconfiguring").len();

    server.nothing_changes(|| {
        lines += 1;
        server.signal(libc::SIGHUP);
        server.wait_for_lines(lines, "reconfiguring");
        wait_until("a master that waits", || proc::waits_for_events(master));
    });
}

/// Each SIGUSR1 opens the log again, and no process keeps the old one: neither in
/// the foreground nor in a daemon, whose stderr is the log, nor in a single process.
#[test]
fn new_logs_leave_nothing() {
    for (test, options) in [
        ("logs_foreground", &["-w", "2", "-m", "1"][..]),
        ("logs_daemon", &["-w", "2", "-m", "1", "-d"]),
        ("logs_single", &["-1"]),
    ] {
        let server = Server::configurable(test);
        let old = server.directory.join("log.1");

        server.spawn(options);
        ask(&mut server.connect(), 'w');

        let all = if options.contains(&"-1") { 1 } else { 4 };

        wait_until("all processes", || server.processes().len() == all);
        server.nothing_changes(|| {
            fs::rename(server.logfile(), &old).unwrap();
            server.signal(libc::SIGUSR1);
            server.wait_for_new_log();
        });
        server.quit(&[]);
    }
}

/// A helper has the priority of the master, and no listening socket. The workers have
/// the priority of the configuration.
#[test]
fn a_helper_is_no_worker() {
    let server = Server::configurable("helper_state");
    let master = server.start(2, &["-m", "2", "-y", "5"]);
    let priority = proc::nice(master).unwrap();

    for pid in server.workers() {
        assert_eq!(proc::nice(pid), Some(5), "a worker");
    }

    for pid in server.helpers() {
        assert_eq!(proc::nice(pid), Some(priority), "a helper");
        assert!(!proc::listens(pid, server.port), "a helper");
    }

    assert_eq!(server.helpers().len(), 2);

    // A helper that is respawned, and those of a new configuration, are helpers too.
    let old = server.helpers();

    sys::kill(*old.first().unwrap(), libc::SIGKILL);
    server.reload();
    server.wait_for_end_of(&old);
    wait_until("two helpers", || server.helpers().len() == 2);

    for pid in server.helpers() {
        assert_eq!(proc::nice(pid), Some(priority), "a helper");
    }

    server.quit(&["exited on signal 9"]);
}
