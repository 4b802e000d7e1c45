//! Functions for daemons: to become a daemon, and to get a signal when the parent
//! dies.

use std::ffi::c_int;
use std::os::fd::{AsRawFd, IntoRawFd, OwnedFd};

use nix::errno::Errno;
use nix::fcntl::{OFlag, open};
use nix::sys::stat::Mode;

use super::signal::Blocked;

/// The name of the system call that failed, and its errno.
pub type Failure = (&'static str, Errno);

/// The daemon's end of a pipe to its parent, which waits until the daemon is
/// set up.
pub struct Starting(OwnedFd);

/// The byte that tells the parent that the daemon is set up.
const SET_UP: u8 = b'1';
/// The byte that tells the parent that the daemon could not be set up.
const FAILED: u8 = b'0';

impl Starting {
    /// Tells the parent that the daemon is set up, so that the parent exits
    /// with 0. If this value is dropped instead, the parent exits with 1.
    pub fn done(self) {
        self.tell(SET_UP);
    }

    fn tell(&self, byte: u8) {
        // The write fails if the parent has exited meanwhile. Nothing has to be
        // done then.
        let _ = super::fd::write(self.0.as_raw_fd(), &[byte]);
    }
}

impl Drop for Starting {
    fn drop(&mut self) {
        // The parent reads one byte only, so after `done` this has no effect.
        self.tell(FAILED);
    }
}

/// Opens `/dev/null` as each of stdin, stdout and stderr that is closed, so that
/// no other file gets their numbers. Does nothing if `/dev/null` cannot be opened.
pub fn open_stdio() {
    loop {
        // The kernel assigns the lowest number that is free. The descriptor is not
        // close-on-exec, because the programs that a process executes have stdin,
        // stdout and stderr too.
        let Ok(null) = open(c"/dev/null", OFlag::O_RDWR, Mode::empty()) else {
            return;
        };

        if null.as_raw_fd() > libc::STDERR_FILENO {
            return;
        }

        // The numbers up to stderr have no owner, see `daemonize`.
        let _ = null.into_raw_fd();
    }
}

/// Makes the program a daemon, as nginx does: the program continues in a child,
/// which has a session of its own, and `/dev/null` as stdin and stdout. The
/// parent exits when the child has called [`Starting::done`], has dropped
/// `starting`, or was killed: then the parent calls `killed` with the pid of the
/// child and the number of the signal before.
///
/// `starting` is set in the child, also if a later step fails: the caller cleans
/// up before it drops `starting`.
pub fn daemonize(
    starting: &mut Option<Starting>,
    killed: &dyn Fn(libc::pid_t, c_int),
) -> Result<(), Failure> {
    let (result, theirs) = super::process::pipe().map_err(|err| ("pipe()", err))?;

    // In the parent all signals stay blocked, so that none ends the wait, and the
    // handler of SIGCHLD does not reap the child.
    let blocked = Blocked::all().map_err(|err| ("sigprocmask()", err))?;

    match super::process::fork().map_err(|err| ("fork()", err))? {
        super::process::Fork::Parent(pid) => {
            drop(theirs);
            super::process::exit_now(wait_for_daemon(&result, pid, killed));
        }
        super::process::Fork::Child => *starting = Some(Starting(theirs)),
    }

    drop(blocked);

    nix::unistd::setsid().map_err(|err| ("setsid()", err))?;

    // SAFETY: umask() accesses no memory.
    unsafe { libc::umask(0) };

    let null = open(c"/dev/null", OFlag::O_RDWR, Mode::empty())
        .map_err(|err| ("open(\"/dev/null\")", err))?;

    for (to, call) in [
        (libc::STDIN_FILENO, "dup2(STDIN)"),
        (libc::STDOUT_FILENO, "dup2(STDOUT)"),
    ] {
        // SAFETY: dup2() accesses no memory. The numbers 0 and 1 have no owner:
        // Rust's stdin and stdout use the numbers, whatever file they refer to.
        Errno::result(unsafe { libc::dup2(null.as_raw_fd(), to) }).map_err(|err| (call, err))?;
    }

    Ok(())
}

/// In the parent of a daemon: waits until the daemon `pid` has written a byte to
/// the pipe `result`, or was killed. Returns the exit code of the parent.
fn wait_for_daemon(
    result: &OwnedFd,
    pid: libc::pid_t,
    killed: &dyn Fn(libc::pid_t, c_int),
) -> c_int {
    let mut byte = [0];

    loop {
        match nix::unistd::read(result, &mut byte) {
            Err(Errno::EINTR) => {}
            // The daemon exits without a byte, because `Starting` was not dropped.
            Ok(0) => {
                if let Some(signo) = super::process::wait_for_signal(pid) {
                    killed(pid, signo);
                }
                return 1;
            }
            read => return c_int::from(read != Ok(1) || byte != [SET_UP]),
        }
    }
}

/// Makes stderr a copy of `fd`, `dup2(2)`.
pub fn redirect_stderr(fd: c_int) -> Result<(), Errno> {
    // SAFETY: dup2() accesses no memory. The number 2 has no owner: Rust's
    // stderr uses the number, whatever file it refers to.
    Errno::result(unsafe { libc::dup2(fd, libc::STDERR_FILENO) }).map(drop)
}

/// Makes the kernel send `signo` to this process when its parent dies,
/// `PR_SET_PDEATHSIG` of `prctl(2)`. The kernel clears this setting when the
/// process changes its user.
pub fn signal_at_parents_death(signo: c_int) -> Result<(), Errno> {
    // SAFETY: PR_SET_PDEATHSIG accesses no memory.
    Errno::result(unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, signo) }).map(drop)
}

/// Allows the kernel to write a core of this process after the process has
/// changed its user, `PR_SET_DUMPABLE` of `prctl(2)`.
pub fn allow_core() -> Result<(), Errno> {
    // SAFETY: PR_SET_DUMPABLE accesses no memory.
    Errno::result(unsafe { libc::prctl(libc::PR_SET_DUMPABLE, 1, 0, 0, 0) }).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::fd::identity;
    use crate::sys::process::{exit_now, getpid, getppid, pipe};
    use crate::sys::testing::{exit_code, in_child};

    /// Makes a child a daemon, and calls `run` in the daemon with the pid of the child.
    /// Returns the exit code of the child, which is the parent of the daemon.
    fn code_of_parent(run: impl FnOnce(Starting, libc::pid_t)) -> c_int {
        exit_code(|| {
            let parent = getpid();
            let mut starting = None;

            // The daemon must replace the files 0 and 1.
            let zero = open(c"/dev/zero", OFlag::O_RDWR, Mode::empty()).unwrap();

            // SAFETY: dup2() and umask() access no memory, and no code of this child
            // uses the descriptors 0 and 1.
            unsafe {
                libc::dup2(zero.as_raw_fd(), 0);
                libc::dup2(zero.as_raw_fd(), 1);
                libc::umask(0o77);
            }

            let result = daemonize(&mut starting, &|_, _| {});

            // The parent must not return from daemonize().
            if getpid() == parent {
                exit_now(77);
            }

            // If this fails, `starting` is dropped, and the parent exits with 1.
            assert_eq!(result, Ok(()));
            run(starting.unwrap(), parent);
            exit_now(0)
        })
    }

    #[test]
    fn a_daemon_has_a_session_and_no_terminal() {
        let code = code_of_parent(|starting, parent| {
            let null = open(c"/dev/null", OFlag::O_RDWR, Mode::empty()).unwrap();

            assert_eq!(getppid(), parent);
            assert_eq!(nix::unistd::getsid(None).unwrap().as_raw(), getpid());
            assert_eq!(identity(0), identity(null.as_raw_fd()));
            assert_eq!(identity(1), identity(null.as_raw_fd()));
            // SAFETY: umask() accesses no memory.
            assert_eq!(unsafe { libc::umask(0) }, 0);

            starting.done();
        });

        assert_eq!(code, 0);
    }

    #[test]
    fn the_parent_of_a_daemon_that_fails_exits_with_1() {
        assert_eq!(code_of_parent(|starting, _| drop(starting)), 1);
    }

    #[test]
    fn stderr_is_redirected() {
        in_child(|| {
            let (_, writer) = pipe().unwrap();

            redirect_stderr(writer.as_raw_fd()).unwrap();
            assert_eq!(identity(2), identity(writer.as_raw_fd()));
        });
    }

    #[test]
    fn the_kernel_keeps_the_settings_of_a_process() {
        in_child(|| {
            let mut signo: c_int = 0;

            signal_at_parents_death(libc::SIGUSR2).unwrap();

            // SAFETY: PR_GET_PDEATHSIG writes `signo`, which is local. The other
            // operations access no memory.
            unsafe {
                libc::prctl(libc::PR_GET_PDEATHSIG, &raw mut signo);
                libc::prctl(libc::PR_SET_DUMPABLE, 0, 0, 0, 0);
            }
            assert_eq!(signo, libc::SIGUSR2);

            allow_core().unwrap();
            // SAFETY: PR_GET_DUMPABLE accesses no memory.
            let dumpable = unsafe { libc::prctl(libc::PR_GET_DUMPABLE, 0, 0, 0, 0) };

            assert_eq!(dumpable, 1);
        });
    }
}
