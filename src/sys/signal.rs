//! Signals: dispositions, signal masks, and the arguments of a signal handler.

use std::ffi::{c_int, c_void};
#[cfg(feature = "standalone")]
use std::fmt;

use nix::errno::Errno;

/// A handler for `sigaction(2)` with SA_SIGINFO.
pub type Handler = unsafe extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void);

fn action(signo: c_int, disposition: libc::sighandler_t, flags: c_int) -> Result<(), Errno> {
    // SAFETY: an all-zero sigaction is valid: no flags, an empty mask.
    let mut sa: libc::sigaction = unsafe { std::mem::zeroed() };

    sa.sa_sigaction = disposition;
    sa.sa_flags = flags;

    // SAFETY: the kernel reads `sa`, which is local; `disposition` is SIG_IGN,
    // SIG_DFL or a Handler, for which `flags` has SA_SIGINFO.
    Errno::result(unsafe { libc::sigaction(signo, &raw const sa, std::ptr::null_mut()) }).map(drop)
}

/// The name of a signal, such as "SIGTTIN", or "SIGRTMIN+2" for a real-time signal.
///
/// # References
///
/// `signal(7)`.
#[cfg(feature = "standalone")]
pub struct Name(pub c_int);

#[cfg(feature = "standalone")]
impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(signo) = *self;

        match nix::sys::signal::Signal::try_from(signo) {
            Ok(signal) => f.write_str(signal.as_str()),
            Err(_) => write!(f, "SIGRTMIN+{}", signo.saturating_sub(libc::SIGRTMIN())),
        }
    }
}

/// Makes `handler` the handler of the signal `signo`.
pub fn handle(signo: c_int, handler: Handler) -> Result<(), Errno> {
    action(signo, handler as libc::sighandler_t, libc::SA_SIGINFO)
}

/// Whether the signal `signo` runs the handler with the address `handler`: the
/// handler is installed, and this thread does not block the signal.
pub fn reaches(signo: c_int, handler: libc::sighandler_t) -> bool {
    // SAFETY: an all-zero sigaction and an all-zero sigset are valid.
    let (mut sa, mut blocked): (libc::sigaction, libc::sigset_t) = unsafe { std::mem::zeroed() };

    // SAFETY: the kernel writes `sa` and `blocked`, which are local, and reads
    // nothing, because the other pointers are NULL.
    unsafe {
        libc::sigaction(signo, std::ptr::null(), &raw mut sa) == 0
            && sa.sa_sigaction == handler
            && libc::sigprocmask(libc::SIG_BLOCK, std::ptr::null(), &raw mut blocked) == 0
            && libc::sigismember(&raw const blocked, signo) == 0
    }
}

/// Makes this process ignore the signal `signo`.
pub fn ignore(signo: c_int) -> Result<(), Errno> {
    action(signo, libc::SIG_IGN, 0)
}

/// Sets the default disposition of `signo`.
pub fn reset(signo: c_int) -> Result<(), Errno> {
    action(signo, libc::SIG_DFL, 0)
}

/// Sets the default disposition of each signal that has a handler.
///
/// A child that shares the memory of its parent calls this function, because a
/// handler in the child would change the memory of the parent. The signals that
/// the C library uses itself keep their handlers; the C library sends these
/// signals only to single threads.
pub fn reset_handlers() {
    for signo in 1..=libc::SIGRTMAX() {
        // SAFETY: an all-zero sigaction is valid.
        let mut sa: libc::sigaction = unsafe { std::mem::zeroed() };

        // SAFETY: the kernel writes `sa`, which is local.
        let known = unsafe { libc::sigaction(signo, std::ptr::null(), &raw mut sa) } == 0;

        if known && !matches!(sa.sa_sigaction, libc::SIG_DFL | libc::SIG_IGN) {
            // reset() cannot fail for a signal that has a handler.
            let _ = reset(signo);
        }
    }
}

/// While a value of this type lives, all signals are blocked, `sigprocmask(2)`.
/// The value stores the signal mask from before, and restores it when it is
/// dropped.
pub struct Blocked(libc::sigset_t);

impl Blocked {
    /// Blocks all signals.
    pub fn all() -> Result<Self, Errno> {
        // SAFETY: a sigset of all-zero bytes is valid, and both sigsets are
        // local.
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

    /// The signal mask from before, for `ppoll(2)`.
    #[cfg(feature = "standalone")]
    pub(super) fn before(&self) -> *const libc::sigset_t {
        &raw const self.0
    }
}

impl Drop for Blocked {
    fn drop(&mut self) {
        // SAFETY: sigprocmask() has written this sigset in `all`.
        unsafe { libc::sigprocmask(libc::SIG_SETMASK, &raw const self.0, std::ptr::null_mut()) };
    }
}

/// Blocks these signals, `sigprocmask(2)`. A signal handler that has called this
/// function has the effect until it returns, because the kernel then sets the mask
/// from before.
pub fn block(signals: impl Iterator<Item = c_int>) {
    change_mask(libc::SIG_BLOCK, signals);
}

/// Changes the signal mask by these signals. `how` is SIG_BLOCK or SIG_UNBLOCK.
fn change_mask(how: c_int, signals: impl Iterator<Item = c_int>) {
    // SAFETY: an all-zero sigset is valid; `set` is local. The call cannot fail,
    // because its first argument is valid.
    unsafe {
        let mut set: libc::sigset_t = std::mem::zeroed();

        libc::sigemptyset(&raw mut set);

        for signo in signals {
            libc::sigaddset(&raw mut set, signo);
        }

        libc::sigprocmask(how, &raw const set, std::ptr::null_mut());
    }
}

/// Unblocks these signals, `sigprocmask(2)`.
pub fn unblock(signals: impl Iterator<Item = c_int>) {
    change_mask(libc::SIG_UNBLOCK, signals);
}

/// Unblocks all signals, `sigprocmask(2)`.
pub fn unblock_all() -> Result<(), Errno> {
    // SAFETY: a sigset of all-zero bytes is valid; `set` is local, and
    // sigemptyset() empties it.
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

/// Sends `signo` to this process, `raise(3)`.
pub fn raise(signo: c_int) {
    // SAFETY: raise() accesses no memory.
    unsafe { libc::raise(signo) };
}

/// The data that a signal handler gets from the kernel.
pub struct Received {
    /// The number of the signal.
    pub signo: c_int,
    /// The pid of the sender; `None` if the kernel is the sender or does not
    /// tell the pid.
    pub sender: Option<libc::pid_t>,
    /// The value of the timer that has sent the signal, `timer_create(2)`;
    /// `None` if no timer has sent it.
    pub timer: Option<usize>,
    /// Whether the kernel has sent the signal itself, as for a descriptor with
    /// `O_ASYNC`, `fcntl(2)`.
    pub is_from_kernel: bool,
    /// True if the signal has interrupted `sigsuspend(2)` in a program that
    /// blocks this signal at all other times. The handler interrupts no other
    /// code then.
    pub awaited: bool,
}

impl Received {
    /// Reads the arguments of a handler.
    ///
    /// # Safety
    ///
    /// `info` and `context` are NULL, or the pointers that the kernel has
    /// passed to a SA_SIGINFO handler of `signo`.
    pub unsafe fn new(signo: c_int, info: *const libc::siginfo_t, context: *const c_void) -> Self {
        // SAFETY: as this function demands, the kernel has written `info`. Like
        // nginx, this code reads si_pid for any si_code. If the signal has no
        // sender, si_pid is other bytes of the same struct, which is
        // initialised.
        let (sender, timer, code) = unsafe { info.as_ref() }.map_or((0, None, 0), |info| unsafe {
            let timer = info.si_code == libc::SI_TIMER;

            (
                info.si_pid(),
                timer.then(|| info.si_value().sival_ptr.addr()),
                info.si_code,
            )
        });

        // SAFETY: as this function demands, the kernel has written `context`.
        // `uc_sigmask` is the mask that the kernel sets when the handler
        // returns: after sigsuspend() this is the mask from before
        // sigsuspend().
        let awaited =
            unsafe { context.cast::<libc::ucontext_t>().as_ref() }.is_some_and(|context| unsafe {
                libc::sigismember(&raw const context.uc_sigmask, signo) == 1
            });

        Self {
            signo,
            sender: (sender != 0).then_some(sender),
            timer,
            is_from_kernel: code == libc::SI_KERNEL,
            awaited,
        }
    }
}

/// Saves `errno`, and restores it when the value is dropped, because a handler
/// must not change the `errno` of the code that it interrupts.
pub struct SavedErrno(Errno);

impl SavedErrno {
    /// Saves `errno`.
    pub fn save() -> Self {
        Self(Errno::last())
    }
}

impl Drop for SavedErrno {
    fn drop(&mut self) {
        self.0.set();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicI32;
    use std::sync::atomic::Ordering::Relaxed;

    use super::*;
    use crate::sys::testing::in_child;

    /// The sum of the signals that `count` has handled.
    static HANDLED: AtomicI32 = AtomicI32::new(0);

    unsafe extern "C" fn count(signo: c_int, _: *mut libc::siginfo_t, _: *mut c_void) {
        HANDLED.fetch_add(signo, Relaxed);
    }

    /// Runs a test in a child with `count` as the handler of SIGUSR1.
    fn with_handler(test: impl FnOnce(libc::sighandler_t)) {
        in_child(|| {
            handle(libc::SIGUSR1, count).unwrap();
            test(count as *const () as libc::sighandler_t);
        });
    }

    fn disposition(signo: c_int) -> libc::sighandler_t {
        // SAFETY: an all-zero sigaction is valid; the kernel writes `sa`, which is
        // local.
        unsafe {
            let mut sa: libc::sigaction = std::mem::zeroed();

            libc::sigaction(signo, std::ptr::null(), &raw mut sa);
            sa.sa_sigaction
        }
    }

    #[test]
    fn a_signal_reaches_its_handler_unless_it_is_blocked() {
        with_handler(|handler| {
            assert!(reaches(libc::SIGUSR1, handler));
            assert!(!reaches(libc::SIGUSR1, libc::SIG_DFL));
            assert!(!reaches(libc::SIGUSR1, handler + 1));
            assert!(!reaches(libc::SIGUSR2, handler));
            assert!(!reaches(libc::SIGRTMAX() + 1, handler));
            assert!(!reaches(libc::SIGRTMAX() + 1, libc::SIG_DFL));

            let blocked = Blocked::all().unwrap();

            assert!(!reaches(libc::SIGUSR1, handler));
            drop(blocked);
            assert!(reaches(libc::SIGUSR1, handler));
        });
    }

    #[test]
    fn blocked_signals_arrive_later() {
        with_handler(|_| {
            raise(libc::SIGUSR1);
            assert_eq!(HANDLED.load(Relaxed), libc::SIGUSR1);

            let blocked = Blocked::all().unwrap();

            raise(libc::SIGUSR1);
            assert_eq!(HANDLED.load(Relaxed), libc::SIGUSR1);
            drop(blocked);
            assert_eq!(HANDLED.load(Relaxed), 2 * libc::SIGUSR1);

            std::mem::forget(Blocked::all().unwrap());
            raise(libc::SIGUSR1);
            assert_eq!(HANDLED.load(Relaxed), 2 * libc::SIGUSR1);
            unblock_all().unwrap();
            assert_eq!(HANDLED.load(Relaxed), 3 * libc::SIGUSR1);
        });
    }

    #[test]
    fn only_handlers_are_reset() {
        with_handler(|handler| {
            assert_eq!(disposition(libc::SIGUSR1), handler);
            ignore(libc::SIGUSR2).unwrap();
            assert_eq!(disposition(libc::SIGUSR2), libc::SIG_IGN);

            reset_handlers();
            assert_eq!(disposition(libc::SIGUSR1), libc::SIG_DFL);
            assert_eq!(disposition(libc::SIGUSR2), libc::SIG_IGN);

            reset(libc::SIGUSR2).unwrap();
            assert_eq!(disposition(libc::SIGUSR2), libc::SIG_DFL);
            assert_eq!(reset(libc::SIGKILL), Err(Errno::EINVAL));
        });
    }

    #[test]
    fn errno_is_restored() {
        Errno::ENOTTY.set();

        let saved = SavedErrno::save();

        Errno::EBADF.set();
        drop(saved);
        assert_eq!(Errno::last(), Errno::ENOTTY);
    }
}
