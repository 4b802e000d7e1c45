//! The C library's heap, for memory that a C program frees.

use std::ffi::c_void;
use std::ptr::NonNull;

use nix::errno::Errno;

/// The alignment in bytes of the memory that [`allocate`] returns: the
/// alignment of `max_align_t`.
pub const ALIGNMENT: usize = 16;

/// Allocates `size` bytes, which are not initialised.
///
/// Returns `ENOMEM` if there is not enough memory, or if `size` is more than
/// the largest `isize`, because the compiler relies on no object being larger.
///
/// # References
///
/// `malloc(3)`.
pub fn allocate(size: usize) -> Result<NonNull<c_void>, Errno> {
    if isize::try_from(size).is_err() {
        Errno::ENOMEM.set();
        return Err(Errno::ENOMEM);
    }

    // SAFETY: malloc() accepts any size.
    NonNull::new(unsafe { libc::malloc(size) }).ok_or_else(Errno::last)
}

/// Frees what [`allocate`] has returned.
///
/// # Safety
///
/// `memory` comes from [`allocate`] and has not been freed yet, and no code
/// uses this memory any more.
///
/// # References
///
/// `free(3)`.
pub unsafe fn free(memory: NonNull<c_void>) {
    // SAFETY: as this function demands, `memory` comes from allocate(), which
    // calls malloc(), and has not been freed yet.
    unsafe { libc::free(memory.as_ptr()) };
}
