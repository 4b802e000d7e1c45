//! Tests of a program that fails to start.

use std::process::Command;

use crate::support::server::Server;
use crate::support::{Killed, wait_until};

/// A program whose start fails at any step exits with 1, in the foreground and
/// as a daemon, and leaves no file of a Unix socket.
#[test]
fn a_failed_start_leaves_nothing() {
    let mut server = Server::configurable("failed_start");
    let path = server.directory.join("socket");
    let conf: [&[&str]; 4] = [&[], &["-d"], &["-1"], &["-1", "-d"]];

    server.place = format!("unix:{}", path.display());

    for options in conf {
        let options = [options, &["-p", "/nonexistent/pid"]].concat();
        let status = server.command(&options).status().unwrap();

        assert_eq!(status.code(), Some(1), "{options:?}");
        assert!(!path.exists(), "{options:?}");
        wait_until("no process", || server.processes().is_empty());
    }

    assert_eq!(server.lines("open() \"/nonexistent/pid\" failed").len(), 4);
}

/// The start of a daemon fails. The daemon removes the file of its Unix socket, and
/// only then its parent exits. strace delays the removal, and makes the daemon fail
/// right after the fork or later.
#[test]
fn the_parent_of_a_failed_daemon_exits_last() {
    const DELAY: &str = "inject=unlink,unlinkat:delay_enter=300000";

    let mut server = Server::configurable("failed_daemon");
    let path = server.directory.join("socket");

    server.place = format!("unix:{}", path.display());

    for fault in ["inject=setsid:error=EPERM", "trace=unlink,unlinkat"] {
        let daemon = server.command(&["-d", "-p", "/nonexistent/pid"]);
        // With -D the parent of the daemon is a child of this process, and not
        // of strace, which would wait for both.
        let status = Command::new("strace")
            .args(["-D", "-f", "-o", "/dev/null", "-e", DELAY, "-e", fault])
            .arg(daemon.get_program())
            .args(daemon.get_args())
            .status()
            .unwrap();

        assert_eq!(status.code(), Some(1), "{fault}");
        assert!(!path.exists(), "{fault}");
        wait_until("no process", || server.processes().is_empty());
    }

    assert_eq!(server.lines("setsid() failed").len(), 1);
}

/// If the limit of descriptors is too low for the event loop, the program exits
/// with an error and does not retry forever.
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
            wait_until("no process", || server.processes().is_empty());
            assert!(!server.pidfile().exists());
        }
    }
}
