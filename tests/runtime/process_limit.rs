//! D1, D2 with the kernel's own failure: RLIMIT_NPROC, which does not hold for
//! root.

use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use crate::support::client::echo;
use crate::support::server::Server;
use crate::support::sys;

/// A user of this test's alone: the limit counts all processes of the user.
const USER: u32 = 54_321;

/// D2: a worker for which there is no room starts when there is, and the
/// others serve meanwhile.
#[test]
fn a_limit_of_processes() {
    if !sys::is_root() {
        eprintln!("SKIP: only root can be another user");
        return;
    }

    let mut other = Command::new("cat")
        .stdin(Stdio::piped())
        .uid(USER)
        .spawn()
        .expect("a process that takes room");
    let server = Server::echo("process_limit");

    // It, the master, and two of the three workers.
    server.spawn_limited(USER, 4, &["-w", "3"]);
    server.wait_for_line("fork() failed while spawning \"worker process\" (11: ");
    server.wait_for_workers(2);
    echo(&mut server.connect(), "served\n");

    drop(other.stdin.take());
    assert!(other.wait().expect("its end").success());

    server.wait_for_workers(3);
    echo(&mut server.connect(), "recovered\n");

    server.quit(&["fork() failed"]);
}
