//! Signal dispositions and masks.

use std::ffi::{c_int, c_void};

use nix::errno::Errno;

/// A handler as `sigaction(2)` wants it with SA_SIGINFO.
pub type Handler = unsafe extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void);

fn action(signo: c_int, disposition: libc::sighandler_t, flags: c_int) -> Result<(), Errno> {
    // SAFETY: an all-zero sigaction is a valid value: no flag, empty mask.
    let mut sa: libc::sigaction = unsafe { std::mem::zeroed() };

    sa.sa_sigaction = disposition;
    sa.sa_flags = flags;

    // SAFETY: `sa` is valid; `disposition` is SIG_IGN, SIG_DFL or a Handler.
    Errno::result(unsafe { libc::sigaction(signo, &raw const sa, std::ptr::null_mut()) }).map(drop)
}

/// Runs `handler` at each `signo`.
pub fn handle(signo: c_int, handler: Handler) -> Result<(), Errno> {
    action(signo, handler as libc::sighandler_t, libc::SA_SIGINFO)
}

/// Ignores `signo`.
pub fn ignore(signo: c_int) -> Result<(), Errno> {
    action(signo, libc::SIG_IGN, 0)
}

/// Gives `signo` back its default disposition.
pub fn reset(signo: c_int) -> Result<(), Errno> {
    action(signo, libc::SIG_DFL, 0)
}

/// Gives every signal that has a handler back its default disposition.
///
/// For a child that has borrowed the memory that the handlers work on. Those
/// that the C library keeps to itself are sent to threads by name.
pub fn reset_handlers() {
    for signo in 1..=libc::SIGRTMAX() {
        // SAFETY: an all-zero sigaction is a valid value.
        let mut sa: libc::sigaction = unsafe { std::mem::zeroed() };

        // SAFETY: `sa` is writable.
        let known = unsafe { libc::sigaction(signo, std::ptr::null(), &raw mut sa) } == 0;

        if known && !matches!(sa.sa_sigaction, libc::SIG_DFL | libc::SIG_IGN) {
            // It fails for no signal that may have a handler.
            let _ = reset(signo);
        }
    }
}

/// While this lives this thread has all signals blocked, `sigprocmask(2)`.
pub struct Blocked(libc::sigset_t);

impl Blocked {
    /// Blocks them.
    pub fn all() -> Result<Self, Errno> {
        // SAFETY: all-zero sigsets are valid values, and writable.
        unsafe {
            let mut all: libc::sigset_t = std::mem::zeroed();
            let mut before: libc::sigset_t = std::mem::zeroed();

            libc::sigfillset(&raw mut all);
            Errno::result(libc::sigprocmask(
                libc::SIG_SETMASK,
                &raw const all,
                &raw mut before,
            ))
            .map(|_| Self(before))
        }
    }
}

impl Drop for Blocked {
    fn drop(&mut self) {
        // SAFETY: the set was filled in by sigprocmask().
        unsafe { libc::sigprocmask(libc::SIG_SETMASK, &raw const self.0, std::ptr::null_mut()) };
    }
}

/// Blocks no signal any more, `sigprocmask(2)`.
pub fn unblock_all() -> Result<(), Errno> {
    // SAFETY: an all-zero sigset is an empty one on Linux; sigemptyset()
    // makes sure of it.
    unsafe {
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut set);
        Errno::result(libc::sigprocmask(
            libc::SIG_SETMASK,
            &raw const set,
            std::ptr::null_mut(),
        ))
        .map(drop)
    }
}

/// Raises `signo` in this process, `raise(3)`.
pub fn raise(signo: c_int) {
    // SAFETY: no memory is involved.
    unsafe { libc::raise(signo) };
}

/// What the kernel tells a handler.
pub struct Received {
    /// The signal.
    pub signo: c_int,
    /// Who sent it: `None` if the kernel did or does not say.
    pub sender: Option<libc::pid_t>,
    /// The value of the timer that has sent it, `timer_create(2)`.
    pub timer: Option<usize>,
    /// The interrupted code had blocked it and let it in only to wait, with
    /// `sigsuspend(2)` or the like: it is in the middle of nothing.
    pub awaited: bool,
}

impl Received {
    /// Reads it.
    ///
    /// # Safety
    ///
    /// `info` and `context` are NULL or what the kernel handed to a SA_SIGINFO
    /// handler of `signo`.
    pub unsafe fn new(signo: c_int, info: *const libc::siginfo_t, context: *const c_void) -> Self {
        // SAFETY: the kernel's. nginx reads si_pid whatever si_code says;
        // where it has no meaning it is other bytes of the same struct.
        let (sender, timer) = unsafe { info.as_ref() }.map_or((0, None), |info| unsafe {
            let timer = info.si_code == libc::SI_TIMER;

            (
                info.si_pid(),
                timer.then(|| info.si_value().sival_ptr.addr()),
            )
        });

        // SAFETY: the kernel's. What is blocked once the handler returns is
        // not what sigsuspend() has set, but what it will set back.
        let awaited =
            unsafe { context.cast::<libc::ucontext_t>().as_ref() }.is_some_and(|context| unsafe {
                libc::sigismember(&raw const context.uc_sigmask, signo) == 1
            });

        Self {
            signo,
            sender: (sender != 0).then_some(sender),
            timer,
            awaited,
        }
    }
}

/// Saves `errno` and sets it back when dropped: what a handler must do.
pub struct SavedErrno(Errno);

impl SavedErrno {
    /// Saves it.
    pub fn save() -> Self {
        Self(Errno::last())
    }
}

impl Drop for SavedErrno {
    fn drop(&mut self) {
        self.0.set();
    }
}
