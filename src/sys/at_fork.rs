//! A function that each new child calls.

use nix::errno::Errno;

/// Makes each `fork()` of this process, and of its children, call a function in the
/// new child. `vfork(2)` and a bare `clone(2)` do not call it. Returns an error if there
/// is no memory.
///
/// # References
///
/// `pthread_atfork(3)`.
pub fn in_child(function: unsafe extern "C" fn()) -> Result<(), Errno> {
    // SAFETY: the function is part of the library, which is never unloaded.
    match unsafe { libc::pthread_atfork(None, None, Some(function)) } {
        0 => Ok(()),
        err => Err(Errno::from_raw(err)),
    }
}
