//! System calls that the standard library and the used features of nix do not
//! have.

#![allow(unsafe_code)]

use std::fs::File;
use std::os::fd::AsRawFd;
use std::os::unix::process::CommandExt;
use std::process::Command;

use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

/// Sends a signal; false if there is no such process.
pub fn kill(pid: i32, signo: i32) -> bool {
    assert!(pid > 1, "no process {pid}");

    // SAFETY: kill() gets no pointers.
    unsafe { libc::kill(pid, signo) == 0 }
}

/// Makes orphans of this process's descendants its children, so that they are
/// found and reaped.
pub fn adopt_orphans() {
    // SAFETY: this prctl() gets no pointers.
    let done = unsafe { libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) };

    assert_eq!(done, 0, "prctl(PR_SET_CHILD_SUBREAPER)");
}

/// Reaps `pid` if it is a child that has ended. Returns its exit code, or
/// `None` if it was killed by a signal.
pub fn reap(pid: i32) -> Option<i32> {
    match waitpid(Pid::from_raw(pid), Some(WaitPidFlag::WNOHANG)) {
        Ok(WaitStatus::Exited(_, code)) => Some(code),
        _ => None,
    }
}

/// Limits the number of processes that the program's user may have when it
/// forks.
pub fn limit_processes(command: &mut Command, n: u64) {
    let limit = libc::rlimit {
        rlim_cur: n,
        rlim_max: n,
    };

    // SAFETY: between fork() and execve() only setrlimit() is called, which is
    // async-signal-safe; `limit` is a copy in the closure.
    unsafe {
        command.pre_exec(
            move || match libc::setrlimit(libc::RLIMIT_NPROC, &raw const limit) {
                0 => Ok(()),
                _ => Err(std::io::Error::last_os_error()),
            },
        );
    }
}

/// Waits until no other process has locked `file`, and locks it until it is
/// closed.
pub fn lock(file: &File) {
    // SAFETY: flock() touches no memory.
    let done = unsafe { libc::flock(file.as_raw_fd(), libc::LOCK_EX) };

    assert_eq!(done, 0, "flock()");
}

/// Whether the effective user of this process is root.
pub fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}
