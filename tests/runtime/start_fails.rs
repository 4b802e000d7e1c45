//! Tests of a program that fails to start.

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
