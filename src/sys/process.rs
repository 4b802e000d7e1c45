//! Processes: fork, wait, kill, exit.

use std::ffi::{c_char, c_int};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use nix::errno::Errno;

/// Which side of a `fork` is running.
pub enum Fork {
    /// The new process.
    Child,
    /// The process that called, and the child's pid.
    Parent(libc::pid_t),
}

/// Makes a copy of the process, `fork(2)`.
///
/// Until the child runs the caller's function it does only what is
/// async-signal-safe; the core keeps to that.
pub fn fork() -> Result<Fork, Errno> {
    // SAFETY: fork() itself has no precondition; what the child may do is
    // stated above.
    match Errno::result(unsafe { libc::fork() })? {
        0 => Ok(Fork::Child),
        pid => Ok(Fork::Parent(pid)),
    }
}

/// The id of this process.
pub fn getpid() -> libc::pid_t {
    // SAFETY: no precondition.
    unsafe { libc::getpid() }
}

/// The id of the parent.
pub fn getppid() -> libc::pid_t {
    // SAFETY: no precondition.
    unsafe { libc::getppid() }
}

/// Sends a signal, `kill(2)`.
pub fn kill(pid: libc::pid_t, signo: c_int) -> Result<(), Errno> {
    // SAFETY: no memory is involved.
    Errno::result(unsafe { libc::kill(pid, signo) }).map(drop)
}

/// Sends a signal through a descriptor of the process, `pidfd_open(2)`, while
/// `is_ours` holds once that is open: then it cannot reach another process
/// that has got the same pid. Older kernels, and a full descriptor table,
/// leave `kill(2)`.
pub fn kill_child(pid: libc::pid_t, signo: c_int, is_ours: impl Fn() -> bool) -> Result<(), Errno> {
    // SAFETY: no memory is involved; the descriptor is close-on-exec.
    let fd = Errno::result(unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) });

    let fd = match fd {
        Err(Errno::ESRCH) => return Err(Errno::ESRCH),
        Err(_) if is_ours() => return kill(pid, signo),
        Err(_) => return Err(Errno::ESRCH),
        // SAFETY: the kernel has just made it; a descriptor fits an int.
        Ok(fd) => unsafe { OwnedFd::from_raw_fd(fd as c_int) },
    };

    if !is_ours() {
        return Err(Errno::ESRCH);
    }

    // SAFETY: a NULL siginfo has the kernel fill one in as for kill().
    Errno::result(unsafe {
        libc::syscall(
            libc::SYS_pidfd_send_signal,
            fd.as_raw_fd(),
            signo,
            std::ptr::null::<libc::siginfo_t>(),
            0,
        )
    })
    .map(drop)
}

/// Ends the process at once, without the handlers and buffers that it has
/// inherited from its parent, `_exit(2)`.
pub fn exit_now(code: c_int) -> ! {
    // SAFETY: no precondition.
    unsafe { libc::_exit(code) }
}

/// How a child has ended.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// It has exited with this code.
    Code(c_int),
    /// A signal has killed it.
    Signal {
        /// The signal.
        signo: c_int,
        /// Whether the kernel has written a core.
        core: bool,
    },
}

impl Ended {
    /// Decodes the status of `wait(2)`.
    pub fn new(status: c_int) -> Self {
        match libc::WTERMSIG(status) {
            0 => Self::Code(libc::WEXITSTATUS(status)),
            signo => Self::Signal {
                signo,
                core: libc::WCOREDUMP(status),
            },
        }
    }
}

/// Any child, for `reap`.
pub const ANY: libc::pid_t = -1;

/// Reaps the child `pid` if it has exited; `None` if it, or each, still runs.
pub fn reap(pid: libc::pid_t) -> Result<Option<(libc::pid_t, c_int)>, Errno> {
    wait(pid, libc::WNOHANG)
}

/// Waits until the child `pid` has exited and reaps it.
pub fn reap_one(pid: libc::pid_t) -> Result<(), Errno> {
    wait(pid, 0).map(drop)
}

fn wait(pid: libc::pid_t, options: c_int) -> Result<Option<(libc::pid_t, c_int)>, Errno> {
    let mut status: c_int = 0;

    loop {
        // SAFETY: `status` is writable and of the right type.
        match Errno::result(unsafe { libc::waitpid(pid, &raw mut status, options) }) {
            Err(Errno::EINTR) => {}
            Ok(0) => return Ok(None),
            result => return result.map(|pid| Some((pid, status))),
        }
    }
}

/// A pipe that an execve closes, `pipe2(O_CLOEXEC)`: reading and writing end.
pub fn pipe() -> Result<(OwnedFd, OwnedFd), Errno> {
    let (r, w) = nix::unistd::pipe2(nix::fcntl::OFlag::O_CLOEXEC)?;

    Ok((super::fd::above_stdio(r)?, super::fd::above_stdio(w)?))
}

/// Sends an errno to whoever waits in `read_errno`.
pub fn write_errno(pipe: &OwnedFd, err: Errno) {
    // Should this fail the reader sees the end of the pipe: the exit code is
    // left to tell.
    let _ = nix::unistd::write(pipe, &(err as i32).to_ne_bytes());
}

/// Waits for the errno of a failed execve; `None` once it has succeeded.
pub fn read_errno(pipe: &OwnedFd) -> Option<Errno> {
    let mut err = [0; size_of::<c_int>()];

    loop {
        match nix::unistd::read(pipe, &mut err) {
            Err(Errno::EINTR) => {}
            Ok(n) if n == err.len() => return Some(Errno::from_raw(i32::from_ne_bytes(err))),
            _ => return None,
        }
    }
}

/// The arguments of an `execve(2)`, as C handed them over.
#[derive(Clone, Copy)]
pub struct Program {
    path: *const c_char,
    argv: *const *const c_char,
    envp: *const *const c_char,
}

impl Program {
    /// Wraps C pointers.
    ///
    /// # Safety
    ///
    /// `path` is NULL or a NUL-terminated string, `argv` and `envp` are NULL
    /// or NULL-terminated arrays of such, for as long as the result is used.
    pub unsafe fn new(
        path: *const c_char,
        argv: *const *const c_char,
        envp: *const *const c_char,
    ) -> Self {
        Self { path, argv, envp }
    }

    /// Replaces the process by the program; returns only if that failed.
    pub fn exec(&self) -> Errno {
        if self.path.is_null() {
            return Errno::EFAULT;
        }

        // SAFETY: `new` was promised valid arguments.
        unsafe { libc::execve(self.path, self.argv, self.envp) };

        Errno::last()
    }
}

/// Ends the process with the handlers of `atexit(3)`, `exit(3)`.
pub fn exit(code: c_int) -> ! {
    // SAFETY: nothing is borrowed that a handler would need.
    unsafe { libc::exit(code) }
}

/// Ends the process with SIGABRT, `abort(3)`.
pub fn abort() -> ! {
    std::process::abort()
}
