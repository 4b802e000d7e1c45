//! System calls for which neither the standard library nor the used features of
//! nix have a function.

#![allow(unsafe_code)]

use std::fs::File;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::Command;

use nix::sys::socket::getsockopt;
use nix::sys::socket::sockopt::AcceptConn;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

/// Sends a signal to a process; returns false if there is no such process.
pub fn kill(pid: i32, signo: i32) -> bool {
    assert!(pid > 1, "no process {pid}");

    // SAFETY: kill() has no pointers among its arguments.
    unsafe { libc::kill(pid, signo) == 0 }
}

/// Makes this process the parent of its descendants whose own parent exits, so
/// that the tests find and reap them.
pub fn adopt_orphans() {
    // SAFETY: this prctl() has no pointers among its arguments.
    let done = unsafe { libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) };

    assert_eq!(done, 0, "prctl(PR_SET_CHILD_SUBREAPER)");
}

/// Reaps the process `pid` if it is a child that has exited. Returns its exit
/// code, or `None` if it runs, if a signal has killed it, or if it is no child.
pub fn reap(pid: i32) -> Option<i32> {
    match waitpid(Pid::from_raw(pid), Some(WaitPidFlag::WNOHANG)) {
        Ok(WaitStatus::Exited(_, code)) => Some(code),
        _ => None,
    }
}

/// Sets how many processes the user of the command may have, when the command
/// is started.
pub fn limit_processes(command: &mut Command, n: u64) {
    let limit = libc::rlimit {
        rlim_cur: n,
        rlim_max: n,
    };

    // SAFETY: between fork() and execve() the closure calls only setrlimit(),
    // which is async-signal-safe. The closure has its own copy of `limit`, so
    // the pointer is valid.
    unsafe {
        command.pre_exec(
            move || match libc::setrlimit(libc::RLIMIT_NPROC, &raw const limit) {
                0 => Ok(()),
                _ => Err(std::io::Error::last_os_error()),
            },
        );
    }
}

/// Sets how many descriptors the process `pid` may have, the soft limit of
/// `prlimit(2)`. Does nothing if there is no such process.
pub fn limit_descriptors(pid: i32, n: u64) {
    let mut limit = libc::rlimit {
        rlim_cur: n,
        rlim_max: n,
    };

    // SAFETY: the kernel writes the old limit to `limit`, and reads the new one from it.
    // `limit` is local.
    unsafe {
        libc::prlimit(pid, libc::RLIMIT_NOFILE, std::ptr::null(), &raw mut limit);
        limit.rlim_cur = n;
        libc::prlimit(
            pid,
            libc::RLIMIT_NOFILE,
            &raw const limit,
            std::ptr::null_mut(),
        );
    }
}

/// Locks `file`, `flock(2)`, until the file is closed. If another process has
/// locked the file, the function waits.
pub fn lock(file: &File) {
    // SAFETY: flock() accesses no memory.
    let done = unsafe { libc::flock(file.as_raw_fd(), libc::LOCK_EX) };

    assert_eq!(done, 0, "flock()");
}

/// A user that has no process, for a test that limits what a user may have.
///
/// The kernel counts the processes of a user on the whole machine: the zombies,
/// and those of other containers and other runs of the tests too. Each call
/// returns another user, which is random because the pids in two containers can
/// be the same. A container may know no users above 65535.
pub fn new_user() -> u32 {
    let random = RandomState::new().build_hasher().finish();

    20_000 + (random % 40_000) as u32
}

/// Returns true if the effective user of this process is root.
pub fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

/// Duplicates a listening socket of the process `pid`.
pub fn listening_socket_of(pid: i32) -> OwnedFd {
    let mut sockets = listening_sockets_of(pid);

    assert!(!sockets.is_empty(), "a listening socket");
    sockets.swap_remove(0)
}

/// Duplicates all listening sockets of the process `pid`, in the order of their
/// descriptors.
pub fn listening_sockets_of(pid: i32) -> Vec<OwnedFd> {
    duplicates(pid, |_, fd| getsockopt(fd, AcceptConn) == Ok(true))
}

/// Duplicates those descriptors of the process `pid` for which `is_wanted` returns true,
/// `pidfd_getfd(2)`. It gets the target of the link in /proc, and the duplicate.
pub fn duplicates(pid: i32, is_wanted: impl Fn(&str, &OwnedFd) -> bool) -> Vec<OwnedFd> {
    // SAFETY: pidfd_open() and pidfd_getfd() access no memory.
    let call = |number, a: i32, b: i32| unsafe { libc::syscall(number, a, b, 0) } as i32;
    let process = call(libc::SYS_pidfd_open, pid, 0);

    assert!(process >= 0, "pidfd_open()");

    // SAFETY: the kernel has just made the descriptor, so it has no owner.
    let process = unsafe { OwnedFd::from_raw_fd(process) };

    let duplicate = |fd| {
        let fd = call(libc::SYS_pidfd_getfd, process.as_raw_fd(), fd);

        // SAFETY: the kernel has just made the descriptor, so it has no owner.
        (fd >= 0).then(|| unsafe { OwnedFd::from_raw_fd(fd) })
    };

    super::proc::descriptors(pid)
        .into_iter()
        .filter_map(|(fd, name)| Some((name, duplicate(fd)?)))
        .filter(|(name, fd)| is_wanted(name, fd))
        .map(|(_, fd)| fd)
        .collect()
}

/// The backlogs of the TCP sockets on which a process listens.
pub fn backlogs_of(pid: i32) -> Vec<u32> {
    listening_sockets_of(pid).iter().map(backlog_of).collect()
}

/// The backlog of a TCP socket that listens, see `listen(2)`.
pub fn backlog_of(sock: &OwnedFd) -> u32 {
    // SAFETY: an all-zero tcp_info is valid.
    let mut info: libc::tcp_info = unsafe { std::mem::zeroed() };
    let mut len = size_of_val(&info) as libc::socklen_t;

    // SAFETY: the kernel writes at most `len` bytes to `info`, and the length to
    // `len`; both are local.
    let done = unsafe {
        libc::getsockopt(
            sock.as_raw_fd(),
            libc::IPPROTO_TCP,
            libc::TCP_INFO,
            (&raw mut info).cast(),
            &raw mut len,
        )
    };

    assert_eq!(done, 0, "getsockopt(TCP_INFO)");

    // In a listening socket this field has the backlog.
    info.tcpi_sacked
}

/// Makes the command inherit `fd`, and have it as the descriptor `number`.
pub fn pass(command: &mut Command, fd: &OwnedFd, number: i32) {
    let fd = fd.as_raw_fd();

    // SAFETY: between fork() and execve() the closure calls only dup2() and
    // fcntl(), which are async-signal-safe and access no memory.
    unsafe {
        command.pre_exec(move || {
            let done = if fd == number {
                libc::fcntl(fd, libc::F_SETFD, 0)
            } else {
                libc::dup2(fd, number)
            };

            match done {
                -1 => Err(std::io::Error::last_os_error()),
                _ => Ok(()),
            }
        });
    }
}

/// Makes the command block all signals, and ignore SIGHUP and SIGCHLD.
pub fn block_signals(command: &mut Command) {
    // SAFETY: between fork() and execve() the closure calls only
    // async-signal-safe functions. `all` is local, and all-zero is valid for it.
    unsafe {
        command.pre_exec(|| {
            let mut all: libc::sigset_t = std::mem::zeroed();

            libc::sigfillset(&raw mut all);
            libc::sigprocmask(libc::SIG_SETMASK, &raw const all, std::ptr::null_mut());
            libc::signal(libc::SIGHUP, libc::SIG_IGN);
            libc::signal(libc::SIGCHLD, libc::SIG_IGN);
            Ok(())
        });
    }
}

/// Makes the command start with stdin, stdout and stderr closed.
pub fn close_stdio(command: &mut Command) {
    // SAFETY: between fork() and execve() the closure calls only close(), which is
    // async-signal-safe and accesses no memory.
    unsafe {
        command.pre_exec(|| {
            for fd in 0..=libc::STDERR_FILENO {
                libc::close(fd);
            }
            Ok(())
        });
    }
}

/// Whether the open file of `fd` is non-blocking, O_NONBLOCK of `open(2)`.
pub fn is_nonblocking(fd: &OwnedFd) -> bool {
    // SAFETY: F_GETFL accesses no memory.
    unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_GETFL) & libc::O_NONBLOCK != 0 }
}
