//! Tests of a program without workers: one process is master and worker.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::process::Command;
use std::time::Duration;

use crate::support::client::ask;
use crate::support::server::Server;
use crate::support::{Killed, find_within, wait_until, wait_within};

/// One process that is master and worker serves, reloads, reopens its log and
/// quits.
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
    assert_eq!(server.processes(), BTreeSet::from([pid]));
    drop(client);
    server.quit(&[]);
}

/// After a reload, a connection of the previous configuration is still served,
/// because the memory of that configuration is not freed. valgrind, if it is
/// installed, checks that no freed memory is used.
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
    let report = server.directory.join("stderr");
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

    // If a client closes its connection before it has read the answer, the
    // kernel resets the connection. The server logs the reset to the log of the
    // connection's configuration, which must still exist.
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
