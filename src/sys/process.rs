//! Processes: fork, execute, signal, reap, exit.

use std::ffi::{c_char, c_int};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use nix::errno::Errno;

use super::usage::Cpu;

/// The process in which [`fork`] has returned.
pub enum Fork {
    /// The child, the new process.
    Child,
    /// The parent, with the pid of the child.
    Parent(libc::pid_t),
}

/// Makes a copy of the process, `fork(2)`.
///
/// The child may call async-signal-safe functions only, until it runs the
/// function that it was started for.
pub fn fork() -> Result<Fork, Errno> {
    // SAFETY: fork() has no precondition. The program has one thread, so no
    // lock of another thread stays taken in the child.
    match Errno::result(unsafe { libc::fork() })? {
        0 => Ok(Fork::Child),
        pid => Ok(Fork::Parent(pid)),
    }
}

/// The id of this process, `getpid(2)`.
pub fn getpid() -> libc::pid_t {
    // SAFETY: getpid() has no precondition.
    unsafe { libc::getpid() }
}

/// The id of this thread, `gettid(2)`.
#[cfg(feature = "standalone")]
pub fn gettid() -> libc::pid_t {
    // SAFETY: gettid() has no precondition.
    unsafe { libc::gettid() }
}

/// The id of the parent, `getppid(2)`.
pub fn getppid() -> libc::pid_t {
    // SAFETY: getppid() has no precondition.
    unsafe { libc::getppid() }
}

/// Makes the kernel send this process the signal `signo` when its parent dies,
/// `PR_SET_PDEATHSIG` of `prctl(2)`. Children do not inherit this.
pub fn signal_at_parents_death(signo: c_int) {
    // SAFETY: PR_SET_PDEATHSIG accesses no memory. It fails only if there is no such
    // signal.
    unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, signo as libc::c_ulong, 0, 0, 0) };
}

/// Sends the signal `signo` to the process `pid`, `kill(2)`.
pub fn kill(pid: libc::pid_t, signo: c_int) -> Result<(), Errno> {
    // SAFETY: kill() accesses no memory.
    Errno::result(unsafe { libc::kill(pid, signo) }).map(drop)
}

/// Whether no process has the pid `pid`, `kill(2)` with the signal 0. A zombie
/// still has its pid.
pub fn is_gone(pid: libc::pid_t) -> bool {
    kill(pid, 0) == Err(Errno::ESRCH)
}

/// Whether the process `pid` has exited. It need not be a child, and it can be a zombie:
/// the pidfd of a zombie is readable, `pidfd_open(2)`. Without pidfds a
/// zombie counts as running.
pub fn has_exited(pid: libc::pid_t) -> bool {
    match pidfd(pid) {
        Ok(fd) => {
            let mut fds = libc::pollfd {
                fd: fd.as_raw_fd(),
                events: libc::POLLIN,
                revents: 0,
            };

            // SAFETY: poll() reads and writes one pollfd, which is local.
            unsafe { libc::poll(&raw mut fds, 1, 0) > 0 }
        }
        Err(Errno::ESRCH) => true,
        Err(_) => is_gone(pid),
    }
}

/// Opens a descriptor of the process `pid`, close-on-exec and above stderr,
/// `pidfd_open(2)`. The descriptor becomes readable when the process exits.
pub fn pidfd(pid: libc::pid_t) -> Result<OwnedFd, Errno> {
    // SAFETY: pidfd_open() accesses no memory.
    let fd = Errno::result(unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) })?;

    // SAFETY: the kernel has just made the descriptor, so it has no owner.
    super::fd::above_stdio(unsafe { OwnedFd::from_raw_fd(fd as c_int) })
}

/// Sends a signal to a child, but not to another process that has got the
/// child's pid after the child was reaped.
///
/// Opens a descriptor of the process `pid`, `pidfd_open(2)`, and then calls
/// `is_ours`, which tells whether the child has not been reaped yet. If so, the
/// descriptor refers to the child, and `pidfd_send_signal(2)` reaches no other
/// process. If the kernel or a filter of system calls refuses one of these two
/// calls, or if no descriptor is free, the function calls `kill(2)`.
pub fn kill_child(pid: libc::pid_t, signo: c_int, is_ours: impl Fn() -> bool) -> Result<(), Errno> {
    // SAFETY: pidfd_open() accesses no memory.
    let fd = Errno::result(unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) });

    let fd = match fd {
        Err(Errno::ESRCH) => return Err(Errno::ESRCH),
        Err(_) if is_ours() => return kill(pid, signo),
        Err(_) => return Err(Errno::ESRCH),
        // SAFETY: the kernel has just made the descriptor, so it has no owner.
        Ok(fd) => unsafe { OwnedFd::from_raw_fd(fd as c_int) },
    };

    if !is_ours() {
        return Err(Errno::ESRCH);
    }

    // SAFETY: the kernel reads no siginfo, because the pointer is NULL. It
    // makes the siginfo itself, as for kill().
    let sent = Errno::result(unsafe {
        libc::syscall(
            libc::SYS_pidfd_send_signal,
            fd.as_raw_fd(),
            signo,
            std::ptr::null::<libc::siginfo_t>(),
            0,
        )
    });

    match sent {
        Ok(_) => Ok(()),
        Err(err) if err == Errno::ESRCH || !is_ours() => Err(Errno::ESRCH),
        Err(_) => kill(pid, signo),
    }
}

/// Makes `exit(3)` call a function, in this process and in the children that it
/// forks. Returns an error if there is no memory.
pub fn at_exit(function: extern "C" fn()) -> Result<(), Errno> {
    // SAFETY: the function is part of the library, which is never unloaded.
    match unsafe { libc::atexit(function) } {
        0 => Ok(()),
        _ => Err(Errno::ENOMEM),
    }
}

/// Ends the process at once, `_exit(2)`. A child must not run the exit
/// handlers, and must not write the buffers, that it has inherited from its
/// parent.
pub fn exit_now(code: c_int) -> ! {
    // SAFETY: _exit() has no precondition.
    unsafe { libc::_exit(code) }
}

/// The way in which a child has ended.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// The child has exited with this code.
    Code(c_int),
    /// A signal has killed the child.
    Signal {
        /// The number of the signal.
        signo: c_int,
        /// Whether the kernel has written a core of the child.
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

/// Whether a status of `wait(2)` is that of a process that has ended. A process
/// can also be stopped or continued.
pub fn has_ended(status: c_int) -> bool {
    libc::WIFEXITED(status) || libc::WIFSIGNALED(status)
}

/// A child that was reaped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reaped {
    /// The pid.
    pub pid: libc::pid_t,
    /// The status of `wait(2)`.
    pub status: c_int,
    /// The processor time.
    pub cpu: Cpu,
}

/// The pid that means "any child", for [`reap`].
pub const ANY: libc::pid_t = -1;

/// Reaps a child if it has exited: the child `pid`, or any child if `pid` is
/// [`ANY`], `wait4(2)`. Returns `None` if no such child has exited. Never waits.
pub fn reap(pid: libc::pid_t) -> Result<Option<Reaped>, Errno> {
    wait(pid, libc::WNOHANG)
}

/// Finds a zombie, `waitid(2)`: the child `pid`, or any child if `pid` is [`ANY`].
/// Returns the pid of the zombie; `None` if no such child has exited. If a child
/// has made this process its tracer, `waitid(2)` also reports that the child has
/// stopped; then the result is `None`.
pub fn zombie(pid: libc::pid_t) -> Option<libc::pid_t> {
    let info = exit_of(pid).ok()?;
    let exited = matches!(
        info.si_code,
        libc::CLD_EXITED | libc::CLD_KILLED | libc::CLD_DUMPED
    );

    // SAFETY: waitid() has written the pid, or left 0 if no such child has
    // exited.
    Some(unsafe { info.si_pid() }).filter(|&pid| pid > 0 && exited)
}

/// Whether this process has no child `pid`, although it has started one: other
/// code has reaped the child. Another process can have the pid by now.
pub fn is_no_child(pid: libc::pid_t) -> bool {
    match exit_of(pid) {
        Ok(_) => false,
        Err(Errno::ECHILD) => true,
        // A filter of system calls refuses waitid(2).
        Err(_) => is_gone(pid),
    }
}

/// Returns what `waitid(2)` reports about the child `pid`, or about any child if
/// `pid` is [`ANY`]. Does not reap the child. If no such child has exited, all
/// fields are 0.
fn exit_of(pid: libc::pid_t) -> Result<libc::siginfo_t, Errno> {
    // SAFETY: all-zero is a valid value of this plain C struct.
    let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
    let (kind, id) = match pid {
        ANY => (libc::P_ALL, 0),
        pid => (libc::P_PID, pid.cast_unsigned()),
    };

    // SAFETY: the kernel writes `info`, which is local.
    Errno::result(unsafe {
        libc::waitid(
            kind,
            id,
            &raw mut info,
            libc::WEXITED | libc::WNOHANG | libc::WNOWAIT,
        )
    })?;

    Ok(info)
}

/// Waits until the child `pid` exits, and reaps it.
pub fn reap_one(pid: libc::pid_t) -> Result<(), Errno> {
    wait(pid, 0).map(drop)
}

/// Waits until the child `pid` has ended, and reaps it. Returns the number of the
/// signal that has killed it; `None` if no signal has killed it.
pub fn wait_for_signal(pid: libc::pid_t) -> Option<c_int> {
    let status = wait(pid, 0).ok().flatten()?.status;

    libc::WIFSIGNALED(status).then(|| libc::WTERMSIG(status))
}

/// Calls `wait4(2)` until it reports a child that has exited.
///
/// A child can make its parent its tracer, `PTRACE_TRACEME` of `ptrace(2)`. Each
/// signal then stops the child, and `wait4(2)` reports the stop. The caller
/// would treat the child as one that has exited, and the child would stay stopped
/// for ever. So this function kills such a child.
fn wait(pid: libc::pid_t, options: c_int) -> Result<Option<Reaped>, Errno> {
    let mut status: c_int = 0;
    // SAFETY: all-zero is a valid value of this plain C struct.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };

    loop {
        // SAFETY: the kernel writes `status` and `usage`, which are local.
        let waited = unsafe { libc::wait4(pid, &raw mut status, options, &raw mut usage) };

        match Errno::result(waited) {
            Err(Errno::EINTR) => {}
            Ok(0) => return Ok(None),
            Ok(pid) if libc::WIFSTOPPED(status) => kill(pid, libc::SIGKILL)?,
            Ok(pid) => {
                return Ok(Some(Reaped {
                    pid,
                    status,
                    cpu: Cpu::new(&usage),
                }));
            }
            Err(err) => return Err(err),
        }
    }
}

/// Makes a pipe, close-on-exec, `pipe2(2)`. Returns the reading and the writing
/// end.
pub fn pipe() -> Result<(OwnedFd, OwnedFd), Errno> {
    let (r, w) = nix::unistd::pipe2(nix::fcntl::OFlag::O_CLOEXEC)?;

    Ok((super::fd::above_stdio(r)?, super::fd::above_stdio(w)?))
}

/// Sends an errno to a process that waits in [`read_errno`].
pub fn write_errno(pipe: &OwnedFd, err: Errno) {
    // If the write fails, the reader finds the end of the pipe and assumes that
    // execve() has succeeded. Only the exit code of the child then shows the
    // failure.
    let _ = nix::unistd::write(pipe, &(err as i32).to_ne_bytes());
}

/// Waits until execve(2) in a child has failed or succeeded. Returns the errno
/// of the failure; `None` if execve() has succeeded, because the kernel closes
/// the child's end of the pipe then.
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

/// The arguments of `execve(2)`, as C has passed them.
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
    /// `path` is NULL or a NUL-terminated string. `argv` and `envp` are NULL or
    /// NULL-terminated arrays of NUL-terminated strings. All are valid for as
    /// long as the result is used.
    pub unsafe fn new(
        path: *const c_char,
        argv: *const *const c_char,
        envp: *const *const c_char,
    ) -> Self {
        Self { path, argv, envp }
    }

    /// Replaces the program of this process, `execve(2)`. Returns only if the
    /// call fails, with its errno.
    pub fn exec(&self) -> Errno {
        if self.path.is_null() {
            return Errno::EFAULT;
        }

        // SAFETY: `new` demands that the three pointers are valid for execve().
        unsafe { libc::execve(self.path, self.argv, self.envp) };

        Errno::last()
    }
}

/// Calls the functions of `atexit(3)` and ends the process, `exit(3)`.
pub fn exit(code: c_int) -> ! {
    // SAFETY: the program has one thread, so exit() is not called twice at
    // once.
    unsafe { libc::exit(code) }
}

/// Ends the process with SIGABRT, `abort(3)`.
pub fn abort() -> ! {
    std::process::abort()
}

#[cfg(test)]
mod tests;
