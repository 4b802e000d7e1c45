//! The C library's heap, for memory whose life a C program decides about.

use std::ffi::c_void;
use std::ptr::NonNull;

use nix::errno::Errno;

/// The alignment of what [`allocate`] returns, that of `max_align_t`.
pub const ALIGNMENT: usize = 16;

/// Allocates `size` bytes, which are not initialised.
///
/// `ENOMEM` if there are not as many, or if `size` is more than the largest
/// `isize`: the compiler relies on no object being larger.
///
/// # References
///
/// `malloc(3)`.
pub fn allocate(size: usize) -> Result<NonNull<c_void>, Errno> {
    if isize::try_from(size).is_err() {
        Errno::ENOMEM.set();
        return Err(Errno::ENOMEM);
    }

    // SAFETY: malloc() takes any size.
    NonNull::new(unsafe { libc::malloc(size) }).ok_or_else(Errno::last)
}

/// Frees what [`allocate`] has returned.
///
/// # Safety
///
/// `memory` comes from [`allocate`], has not been freed yet, and nothing uses
/// it any more.
///
/// # References
///
/// `free(3)`.
pub unsafe fn free(memory: NonNull<c_void>) {
    // SAFETY: allocate() has got it from malloc(); the rest is required above.
    unsafe { libc::free(memory.as_ptr()) };
}
