//! Steps of an upgrade: SIGUSR2 starts another binary, and then the old or the
//! new binary is stopped.

use std::fs;

use super::server::Server;
use super::{find, proc, sys, wait_until};

/// Starts another binary, and waits until it has so many workers. Returns the
/// pids of the old and of the new master.
pub fn change_binary(server: &Server, workers: usize) -> (i32, i32) {
    let old = server.master();

    server.signal(libc::SIGUSR2);

    let new = find("the new master", || {
        let new = fs::read_to_string(server.pidfile())
            .ok()?
            .trim()
            .parse()
            .ok()?;

        (new != old && server.old_master() == Some(old)).then_some(new)
    });

    wait_until("the new master's workers", || {
        server.workers_of(new).len() == workers
    });

    (old, new)
}

/// Stops the old binary, and waits until the new one is the only one.
pub fn retire(server: &Server, old: i32) {
    sys::kill(old, libc::SIGQUIT);
    wait_until("the old master's end", || !proc::alive(old));
    assert!(!server.old_pidfile().exists(), "the old pid file is left");
}

/// Stops the workers of the old binary, starts them again, and stops the new
/// binary. Both binaries are daemons.
pub fn take_back(server: &Server, old: i32, new: i32, workers: usize) {
    sys::kill(old, libc::SIGWINCH);
    wait_until("the end of the old master's workers", || {
        server.workers_of(old).is_empty()
    });

    restart_workers(server, old, workers);
    sys::kill(new, libc::SIGQUIT);
    wait_for_old(server, old, new);
}

/// Makes the old binary, whose workers were stopped, start workers again.
pub fn restart_workers(server: &Server, old: i32, workers: usize) {
    sys::kill(old, libc::SIGHUP);
    wait_until("the old master's workers", || {
        server.workers_of(old).len() == workers
    });
}

/// Waits until the new binary has exited and the pid file is that of the old
/// binary again.
pub fn wait_for_old(server: &Server, old: i32, new: i32) {
    wait_until("the new master's end", || !proc::alive(new));
    wait_until("the old pid file", || {
        !server.old_pidfile().exists() && server.pidfile().exists()
    });
    assert_eq!(server.master(), old);
}
