//! Test of a `fork()` that the kernel itself refuses (D1, D2), because the user
//! has too many processes (RLIMIT_NPROC). The limit does not apply to root.

use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use crate::support::client::echo;
use crate::support::server::Server;
use crate::support::sys;

/// A worker that cannot be forked because of the limit is started when other
/// processes have exited. The other workers serve meanwhile (D2).
#[test]
fn a_limit_of_processes() {
    if !sys::is_root() {
        eprintln!("SKIP: only root can be another user");
        return;
    }

    let user = sys::new_user();
    let mut other = Command::new("cat")
        .stdin(Stdio::piped())
        .uid(user)
        .spawn()
        .expect("a process that takes room");
    let server = Server::echo("process_limit");

    // The user may have four processes: one that this test has started, the
    // master and two of the three workers.
    server.spawn_limited(user, 4, &["-w", "3"]);
    server.wait_for_line("fork() failed while spawning \"worker process\" (11: ");
    server.wait_for_workers(2);
    echo(&mut server.connect(), "served\n");

    drop(other.stdin.take());
    assert!(other.wait().expect("its end").success());

    server.wait_for_workers(3);
    echo(&mut server.connect(), "recovered\n");

    server.quit(&["fork() failed"]);
}
