//! Functions for daemons: to become a daemon, to set the process title, and to
//! get a signal when the parent dies.

use std::ffi::{CStr, c_char, c_int};
use std::os::fd::{AsRawFd, OwnedFd};
use std::ptr;

use nix::errno::Errno;
use nix::fcntl::{OFlag, open};
use nix::sys::stat::Mode;

use super::lock::Lock;

/// The name of the system call that failed, and its errno.
pub type Failure = (&'static str, Errno);

/// The daemon's end of a pipe to its parent, which waits until the daemon is
/// set up.
pub struct Starting(OwnedFd);

impl Starting {
    /// Tells the parent that the daemon is set up, so that the parent exits
    /// with 0. If this value is dropped instead, the parent exits with 1.
    pub fn done(self) {
        // The write fails if the parent has exited meanwhile. Nothing has to be
        // done then.
        let _ = super::fd::write(self.0.as_raw_fd(), b"1");
    }
}

/// Makes the program a daemon, as nginx does: the program continues in a child,
/// which has a session of its own, and `/dev/null` as stdin and stdout. The
/// parent exits when the child has called [`Starting::done`], or when the child
/// has dropped `starting`.
///
/// `starting` is set in the child, also if a later step fails: the caller cleans
/// up before it drops `starting`.
pub fn daemonize(starting: &mut Option<Starting>) -> Result<(), Failure> {
    let (result, theirs) = super::process::pipe().map_err(|err| ("pipe()", err))?;

    match super::process::fork().map_err(|err| ("fork()", err))? {
        super::process::Fork::Parent(_) => {
            drop(theirs);

            let mut byte = [0];
            let set_up = nix::unistd::read(&result, &mut byte) == Ok(1);

            super::process::exit_now(c_int::from(!set_up));
        }
        super::process::Fork::Child => *starting = Some(Starting(theirs)),
    }

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

/// The memory of the program's arguments, which ps shows as the title of the
/// process.
struct Area {
    start: *mut c_char,
    len: usize,
}

// SAFETY: `start` points to the memory of the arguments, which lives as long as
// the process and belongs to no thread.
unsafe impl Send for Area {}

static AREA: Lock<Option<Area>> = Lock::new(None);

/// Prepares for process titles. A title overwrites the program's arguments and
/// the environment behind them, so this function first moves the environment to
/// other memory.
///
/// # Safety
///
/// `argv` is NULL or the argument of main(). After the first title, the program
/// uses neither the arguments nor pointers to the environment that it got
/// before this call.
pub unsafe fn init_title(argv: *mut *mut c_char) {
    super::text::keep_program_name();

    // SAFETY: as this function demands, `argv` is NULL or the argument of
    // main(), which is a NULL-terminated array.
    if argv.is_null() || unsafe { (*argv).is_null() } {
        return;
    }

    // SAFETY: `argv` has a first string. The kernel has put the strings of the
    // arguments and the environment one behind the other, so that they are one
    // piece of memory, from `start` to `end`.
    unsafe {
        let start = *argv;
        let end = end_of_environment(end_of_arguments(argv));

        *argv.add(1) = ptr::null_mut();
        *AREA.lock() = Some(Area {
            start,
            len: end.offset_from_unsigned(start),
        });
    }
}

/// The end of the memory of the arguments, which the kernel has put one behind
/// the other. Skips an argument at another place, because the program has
/// replaced it.
///
/// # Safety
///
/// `argv` is a NULL-terminated array of strings with a first element.
unsafe fn end_of_arguments(argv: *mut *mut c_char) -> *mut c_char {
    // SAFETY: `arg` goes from element to element of `argv`, up to the NULL.
    unsafe {
        let mut end = *argv;
        let mut arg = argv;

        while !(*arg).is_null() {
            if *arg == end {
                end = end.add(CStr::from_ptr(*arg).count_bytes() + 1);
            }
            arg = arg.add(1);
        }

        end
    }
}

/// Copies the strings of the environment that lie one behind the other from
/// `end` on to other memory. Returns the end of the strings that were copied:
/// the first one that could not be copied, for lack of memory, begins there.
///
/// # Safety
///
/// `end` points behind the arguments of main().
unsafe fn end_of_environment(mut end: *mut c_char) -> *mut c_char {
    unsafe extern "C" {
        static mut environ: *mut *mut c_char;
    }

    // SAFETY: `environ` is NULL or a NULL-terminated array of strings, whose
    // elements the program may replace. `env` goes from element to element.
    unsafe {
        let mut env = environ;

        while !env.is_null() && !(*env).is_null() {
            if *env == end {
                let text = CStr::from_ptr(*env);
                let copy = libc::strdup(text.as_ptr());

                if copy.is_null() {
                    break;
                }

                end = end.add(text.count_bytes() + 1);
                *env = copy;
            }
            env = env.add(1);
        }
    }

    end
}

/// Sets the title that `ps(1)` shows to "NAME: TITLE". TITLE is the parts of
/// `title`, joined. A title that is longer than the memory for it is cut.
pub fn set_title<'a>(name: &[u8], title: impl Iterator<Item = &'a [u8]>) {
    let guard = AREA.lock();

    let Some(area) = guard.as_ref() else { return };
    let mut at = 0;

    // SAFETY: after the call of `init_title` no other code uses the area.
    unsafe { area.start.write_bytes(0, area.len) };

    let mut append = |part: &[u8]| {
        let n = part.len().min(area.len.saturating_sub(at + 1));

        // SAFETY: `at` + `n` is less than the size of the area, and `part` lies
        // elsewhere.
        unsafe { ptr::copy_nonoverlapping(part.as_ptr(), area.start.cast::<u8>().add(at), n) };

        at += n;
    };

    append(name);
    append(b": ");
    title.for_each(append);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::fd::identity;
    use crate::sys::process::{exit_now, getpid, getppid, pipe};
    use crate::sys::testing::{exit_code, in_child};
    use crate::sys::text;

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

            let result = daemonize(&mut starting);

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

    /// The arguments of the test are "program" and "an argument", in memory that ends
    /// with "end".
    #[test]
    fn a_title_overwrites_the_arguments() {
        in_child(|| {
            let mut memory = *b"program\0an argument\0end";
            let start: *mut c_char = memory.as_mut_ptr().cast();
            let name = text::program_name().to_vec();
            // SAFETY: the second argument begins at the offset 8.
            let mut argv = [start, unsafe { start.add(8) }, ptr::null_mut()];

            // SAFETY: `argv` is an array of strings that ends with NULL, as that of
            // main(), and only this code uses the strings.
            unsafe { init_title(argv.as_mut_ptr()) };

            set_title(b"test", [&b"a "[..], b"title"].into_iter());
            assert_eq!(&memory, b"test: a title\0\0\0\0\0\0\0end");

            set_title(b"test", [&b"too long "[..], b"a title"].into_iter());
            assert_eq!(&memory, b"test: too long a ti\0end");

            assert!(argv[1].is_null());
            assert_eq!(text::program_name(), name);
        });
    }
}
