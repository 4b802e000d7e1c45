//! Going into the background, titles, the parent's death.

use std::ffi::{CStr, c_char, c_int};
use std::os::fd::{AsRawFd, OwnedFd};
use std::ptr;

use nix::errno::Errno;
use nix::fcntl::{OFlag, open};
use nix::sys::stat::Mode;

use super::lock::Lock;

/// The call that failed, and how.
pub type Failure = (&'static str, Errno);

/// A daemon whose parent waits to hear that it is set up.
pub struct Starting(OwnedFd);

impl Starting {
    /// Lets the parent exit with 0; if this is dropped instead, with 1.
    pub fn done(self) {
        // A parent that has gone does not wait.
        let _ = super::fd::write(self.0.as_raw_fd(), b"1");
    }
}

/// Goes on in a child, in a session of its own, with `/dev/null` for stdin and
/// stdout, as nginx does; the parent exits when the child is set up, or has
/// failed to.
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

    // SAFETY: no memory is involved.
    unsafe { libc::umask(0) };

    let null = open(c"/dev/null", OFlag::O_RDWR, Mode::empty())
        .map_err(|err| ("open(\"/dev/null\")", err))?;

    for (to, call) in [
        (libc::STDIN_FILENO, "dup2(STDIN)"),
        (libc::STDOUT_FILENO, "dup2(STDOUT)"),
    ] {
        // SAFETY: no memory is involved; replacing these two is the purpose.
        Errno::result(unsafe { libc::dup2(null.as_raw_fd(), to) }).map_err(|err| (call, err))?;
    }

    Ok(Starting(starting))
}

/// Makes stderr a copy of `fd`, `dup2(2)`.
pub fn redirect_stderr(fd: c_int) -> Result<(), Errno> {
    // SAFETY: no memory is involved; replacing stderr is the purpose.
    Errno::result(unsafe { libc::dup2(fd, libc::STDERR_FILENO) }).map(drop)
}

/// Has the kernel send `signo` when the parent dies, `PR_SET_PDEATHSIG`.
///
/// To be asked for again after a change of user.
pub fn signal_at_parents_death(signo: c_int) -> Result<(), Errno> {
    // SAFETY: no memory is involved.
    Errno::result(unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, signo) }).map(drop)
}

/// Lets the kernel write a core although the user has changed.
pub fn allow_core() -> Result<(), Errno> {
    // SAFETY: no memory is involved.
    Errno::result(unsafe { libc::prctl(libc::PR_SET_DUMPABLE, 1, 0, 0, 0) }).map(drop)
}

/// Where the kernel keeps the arguments that ps shows.
struct Area {
    start: *mut c_char,
    len: usize,
}

// SAFETY: the memory lives as long as the process.
unsafe impl Send for Area {}

static AREA: Lock<Option<Area>> = Lock::new(None);

/// Makes room for titles: the arguments and, behind them, the environment,
/// which is moved elsewhere.
///
/// # Safety
///
/// `argv` is what main() was given. Pointers to the environment and to the
/// arguments that were taken before do not survive the first title.
pub unsafe fn init_title(argv: *mut *mut c_char) {
    unsafe extern "C" {
        static mut environ: *mut *mut c_char;
    }

    super::text::keep_program_name();

    // SAFETY: argv and environ are NULL-terminated arrays of strings.
    unsafe {
        if argv.is_null() || (*argv).is_null() {
            return;
        }

        let start = *argv;
        let mut end = start;
        let mut arg = argv;

        // The strings lie one behind the other, as far as they have not been
        // replaced.
        while !(*arg).is_null() {
            if *arg == end {
                end = end.add(CStr::from_ptr(*arg).count_bytes() + 1);
            }
            arg = arg.add(1);
        }

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

        let area = Area {
            start,
            len: end.offset_from_unsigned(start),
        };

        *argv.add(1) = ptr::null_mut();
        *AREA.lock() = Some(area);
    }
}

/// Shows `title` in place of the arguments, as far as there is room.
pub fn set_title(title: &[u8]) {
    let guard = AREA.lock();

    let Some(area) = guard.as_ref() else { return };
    let n = title.len().min(area.len.saturating_sub(1));

    // SAFETY: the area is ours since `init_title`; `n` is less than its size.
    unsafe {
        area.start.write_bytes(0, area.len);
        ptr::copy_nonoverlapping(title.as_ptr(), area.start.cast(), n);
    }
}
