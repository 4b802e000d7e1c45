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

/// Who sent a signal: `None` if the kernel did or does not say.
///
/// # Safety
///
/// `info` is NULL or what the kernel handed to a SA_SIGINFO handler.
pub unsafe fn sender(info: *const libc::siginfo_t) -> Option<libc::pid_t> {
    if info.is_null() {
        return None;
    }

    // SAFETY: `info` is the kernel's. nginx reads si_pid whatever si_code
    // says; where it has no meaning it is other bytes of the same struct.
    let pid = unsafe { (*info).si_pid() };

    (pid != 0).then_some(pid)
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
