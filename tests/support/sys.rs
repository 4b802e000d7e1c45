//! System calls that neither the standard library nor nix's features in use
//! have.

#![allow(unsafe_code)]

use std::os::unix::process::CommandExt;
use std::process::Command;

use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

/// Sends a signal; whether there was somebody to get it.
pub fn kill(pid: i32, signo: i32) -> bool {
    assert!(pid > 1, "no process {pid}");

    // SAFETY: no memory is involved.
    unsafe { libc::kill(pid, signo) == 0 }
}

/// Orphans of this process's descendants become its children, so that they
/// are found, and reaped, whatever happens to their parents.
pub fn adopt_orphans() {
    // SAFETY: no memory is involved.
    let done = unsafe { libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) };

    assert_eq!(done, 0, "prctl(PR_SET_CHILD_SUBREAPER)");
}

/// Reaps `pid` if it is a child of this process that has ended: the exit code,
/// unless it was a signal.
pub fn reap(pid: i32) -> Option<i32> {
    match waitpid(Pid::from_raw(pid), Some(WaitPidFlag::WNOHANG)) {
        Ok(WaitStatus::Exited(_, code)) => Some(code),
        _ => None,
    }
}

/// Limits how many processes the user of a program may have for it to fork
/// more.
pub fn limit_processes(command: &mut Command, n: u64) {
    let limit = libc::rlimit {
        rlim_cur: n,
        rlim_max: n,
    };

    // SAFETY: setrlimit() is async-signal-safe, `limit` is a copy.
    unsafe {
        command.pre_exec(
            move || match libc::setrlimit(libc::RLIMIT_NPROC, &raw const limit) {
                0 => Ok(()),
                _ => Err(std::io::Error::last_os_error()),
            },
        );
    }
}

/// Whether this process is root's.
pub fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}
