//! Daemons, process titles, and the death of the parent.

use std::ffi::{CStr, c_char, c_int};
use std::os::fd::{AsRawFd, OwnedFd};
use std::ptr;

use nix::errno::Errno;
use nix::fcntl::{OFlag, open};
use nix::sys::stat::Mode;

use super::lock::Lock;

/// The name of the call that failed, and its errno.
pub type Failure = (&'static str, Errno);

/// A daemon that has not told its parent yet that it is set up.
pub struct Starting(OwnedFd);

impl Starting {
    /// Makes the parent exit with 0. If this value is dropped instead, the
    /// parent exits with 1.
    pub fn done(self) {
        // If the parent has exited meanwhile, there is nothing to tell.
        let _ = super::fd::write(self.0.as_raw_fd(), b"1");
    }
}

/// Makes the program a daemon, as nginx does: it continues in a child, which
/// has its own session, and `/dev/null` as stdin and stdout. The parent exits
/// when the child is set up, or when that has failed.
pub fn daemonize() -> Result<Starting, Failure> {
    let (result, starting) = super::process::pipe().map_err(|err| ("pipe()", err))?;

    match super::process::fork().map_err(|err| ("fork()", err))? {
        super::process::Fork::Parent(_) => {
            drop(starting);

            let mut byte = [0];
            let set_up = nix::unistd::read(&result, &mut byte) == Ok(1);

            super::process::exit_now(c_int::from(!set_up));
        }
        super::process::Fork::Child => {}
    }

    nix::unistd::setsid().map_err(|err| ("setsid()", err))?;

    // SAFETY: umask() touches no memory.
    unsafe { libc::umask(0) };

    let null = open(c"/dev/null", OFlag::O_RDWR, Mode::empty())
        .map_err(|err| ("open(\"/dev/null\")", err))?;

    for (to, call) in [
        (libc::STDIN_FILENO, "dup2(STDIN)"),
        (libc::STDOUT_FILENO, "dup2(STDOUT)"),
    ] {
        // SAFETY: dup2() touches no memory. No owner of the two numbers exists:
        // Rust's stdin and stdout use them whatever file is behind them.
        Errno::result(unsafe { libc::dup2(null.as_raw_fd(), to) }).map_err(|err| (call, err))?;
    }

    Ok(Starting(starting))
}

/// Makes stderr a copy of `fd`, `dup2(2)`.
pub fn redirect_stderr(fd: c_int) -> Result<(), Errno> {
    // SAFETY: dup2() touches no memory; Rust's stderr uses the number whatever
    // file is behind it.
    Errno::result(unsafe { libc::dup2(fd, libc::STDERR_FILENO) }).map(drop)
}

/// Makes the kernel send `signo` to this process when its parent dies,
/// `PR_SET_PDEATHSIG` of `prctl(2)`. A change of the user undoes this.
pub fn signal_at_parents_death(signo: c_int) -> Result<(), Errno> {
    // SAFETY: PR_SET_PDEATHSIG touches no memory.
    Errno::result(unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, signo) }).map(drop)
}

/// Allows the kernel to write a core after a change of the user,
/// `PR_SET_DUMPABLE` of `prctl(2)`.
pub fn allow_core() -> Result<(), Errno> {
    // SAFETY: PR_SET_DUMPABLE touches no memory.
    Errno::result(unsafe { libc::prctl(libc::PR_SET_DUMPABLE, 1, 0, 0, 0) }).map(drop)
}

/// The memory of the arguments, which ps shows.
struct Area {
    start: *mut c_char,
    len: usize,
}

// SAFETY: `start` points to the memory of the arguments, which lives as long as
// the process and belongs to no thread.
unsafe impl Send for Area {}

static AREA: Lock<Option<Area>> = Lock::new(None);

/// Makes room for titles. A title overwrites the arguments and the environment
/// behind them; the environment is moved to other memory first.
///
/// # Safety
///
/// `argv` is NULL or the argument of main(). The program does not use the
/// arguments, or pointers to the environment that it has taken before, after
/// the first title.
pub unsafe fn init_title(argv: *mut *mut c_char) {
    super::text::keep_program_name();

    // SAFETY: as this function demands, NULL or the argument of main(), which is
    // a NULL-terminated array.
    if argv.is_null() || unsafe { (*argv).is_null() } {
        return;
    }

    // SAFETY: `argv` has a first string. The strings that the kernel has put one
    // behind the other are one piece of memory, from `start` to `end`.
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

/// The end of the arguments that lie one behind the other, as the kernel has put
/// them. An argument that lies elsewhere has been replaced.
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
/// `end` on to other memory. Returns their end; if there is no memory, the end
/// of those that were copied.
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

/// Sets the title that ps shows. It is cut if there is no room for all of it.
pub fn set_title(title: &[u8]) {
    let guard = AREA.lock();

    let Some(area) = guard.as_ref() else { return };
    let n = title.len().min(area.len.saturating_sub(1));

    // SAFETY: since `init_title` nothing else uses the area; `n` is less than its
    // size, and `title` lies elsewhere.
    unsafe {
        area.start.write_bytes(0, area.len);
        ptr::copy_nonoverlapping(title.as_ptr(), area.start.cast(), n);
    }
}
