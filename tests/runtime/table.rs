//! Tests of the process table of a worker that does not read its channel for a
//! while (D14). The program is `c-tests/fixtures/runtime_table.c`.

use std::process::{Command, Stdio};
use std::time::Duration;

use crate::support::server::Server;
use crate::support::{build, proc, wait_until, wait_within};

fn run(what: &str) {
    let program = build::program("runtime_table");
    let server = Server::new(&format!("table_{what}"), "table", &program);
    let log = std::fs::File::create(server.logfile()).unwrap();
    let out = std::fs::File::create(server.directory.join("stdout")).unwrap();
    let mut child = Command::new(&server.exe)
        .arg(what)
        .stdin(Stdio::null())
        .stdout(out)
        .stderr(log)
        .spawn()
        .unwrap();
    let mut status = None;

    wait_within(Duration::from_secs(180), "the program's end", || {
        server.processes();
        status = child.try_wait().unwrap();
        status.is_some()
    });

    let said = std::fs::read_to_string(server.directory.join("stdout")).unwrap();

    assert!(status.unwrap().success(), "{said}");
    assert!(said.ends_with("ok\n"), "{said}");
    wait_until("the end of all", || server.processes().is_empty());
    assert_eq!(proc::running(&server.exe).len(), 0);
    server.check_log(&["exited on signal 9"]);
}

/// A worker is stopped while the master spawns 320 other workers and replaces
/// 150 of them. When the worker continues, it gets the CLOSE and OPEN messages
/// of each slot in order, and its table has the same pids and sockets as the
/// master's.
#[test]
fn a_stopped_worker_learns_of_everybody() {
    run("table");
}

/// A stopped worker's queue is full of messages. SIGQUIT to the master does not
/// wait for this queue: the master sends the signal to the worker.
#[test]
fn quit_does_not_wait_for_a_stopped_worker() {
    run("quit");
}
