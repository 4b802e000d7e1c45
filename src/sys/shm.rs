//! The three ways to memory that forked children share.

// A build uses one of them; the other two are compiled all the same.
#![allow(dead_code)]

use std::ffi::{c_int, c_void};
use std::fmt;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::ptr::{self, NonNull};
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicI32, AtomicI64, AtomicIsize, AtomicPtr, AtomicUsize};

use nix::errno::Errno;
use nix::fcntl::{OFlag, open};
use nix::sys::stat::Mode;

/// The size of a huge page, in bytes.
pub const HUGE_PAGE: usize = 2 * 1024 * 1024;

/// A piece of shared memory; prints as its address, the way nginx's `%p` does.
pub struct Segment {
    addr: NonNull<c_void>,
    size: usize,
}

impl Segment {
    /// The segment that C has kept.
    ///
    /// # Safety
    ///
    /// `addr` and `size` are those of a segment of this module, and nothing
    /// uses it any more.
    pub unsafe fn from_raw(addr: NonNull<c_void>, size: usize) -> Self {
        Self { addr, size }
    }

    /// Its address.
    pub fn addr(&self) -> NonNull<c_void> {
        self.addr
    }

    /// Its size as it was asked for, in bytes.
    pub fn size(&self) -> usize {
        self.size
    }

    /// Takes a mapping away, `munmap(2)`.
    pub fn unmap(&self) -> Result<(), Errno> {
        // SAFETY: `from_raw` was promised that the mapping is ours and unused.
        Errno::result(unsafe { libc::munmap(self.addr.as_ptr(), self.size) }).map(drop)
    }

    /// Asks for huge pages, `madvise(MADV_HUGEPAGE)`; what the kernel allows
    /// for shared memory is another question.
    pub fn advise_huge_pages(&self) -> Result<(), Errno> {
        // SAFETY: the advice changes no contents.
        Errno::result(unsafe { libc::madvise(self.addr.as_ptr(), self.size, libc::MADV_HUGEPAGE) })
            .map(drop)
    }

    /// Detaches a System V segment, `shmdt(2)`.
    pub fn detach(&self) -> Result<(), Errno> {
        // SAFETY: `from_raw` was promised that the segment is ours and unused.
        Errno::result(unsafe { libc::shmdt(self.addr.as_ptr()) }).map(drop)
    }
}

impl fmt::Display for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:0width$X}",
            self.addr.addr(),
            width = 2 * size_of::<usize>()
        )
    }
}

fn mmap(size: usize, flags: c_int, fd: RawFd) -> Result<Segment, Errno> {
    // SAFETY: without MAP_FIXED a new mapping disturbs no other.
    let addr = unsafe {
        libc::mmap(
            ptr::null_mut(),
            size,
            libc::PROT_READ | libc::PROT_WRITE,
            flags | libc::MAP_SHARED,
            fd,
            0,
        )
    };

    if addr == libc::MAP_FAILED {
        return Err(Errno::last());
    }

    let addr = NonNull::new(addr).ok_or(Errno::ENOMEM)?;

    Ok(Segment { addr, size })
}

/// Maps anonymous memory, `mmap(MAP_ANON|MAP_SHARED)`.
pub fn map_anon(size: usize) -> Result<Segment, Errno> {
    mmap(size, libc::MAP_ANON, -1)
}

/// Opens `/dev/zero`, `zero(4)`.
pub fn open_zero() -> Result<OwnedFd, Errno> {
    open(
        c"/dev/zero",
        OFlag::O_RDWR | OFlag::O_CLOEXEC,
        Mode::empty(),
    )
}

/// Maps `/dev/zero`, which makes memory of its own for each mapping.
pub fn map_zero(zero: &OwnedFd, size: usize) -> Result<Segment, Errno> {
    mmap(size, 0, zero.as_raw_fd())
}

/// Makes a System V segment, `shmget(IPC_PRIVATE)`, readable and writable
/// for the owner.
pub fn shmget(size: usize) -> Result<c_int, Errno> {
    // SAFETY: no memory is involved.
    Errno::result(unsafe { libc::shmget(libc::IPC_PRIVATE, size, libc::IPC_CREAT | 0o600) })
}

/// Attaches the segment `id` of `size` bytes, `shmat(2)`.
pub fn shmat(id: c_int, size: usize) -> Result<Segment, Errno> {
    // SAFETY: with a NULL address the kernel picks a free place.
    let addr = unsafe { libc::shmat(id, ptr::null(), 0) };

    if addr as isize == -1 {
        return Err(Errno::last());
    }

    let addr = NonNull::new(addr).ok_or(Errno::ENOMEM)?;

    Ok(Segment { addr, size })
}

/// Has the segment `id` vanish with its last user, `shmctl(IPC_RMID)`.
pub fn shm_remove(id: c_int) -> Result<(), Errno> {
    // SAFETY: IPC_RMID reads no buffer.
    Errno::result(unsafe { libc::shmctl(id, libc::IPC_RMID, ptr::null_mut()) }).map(drop)
}

/// Types that may lie in shared memory: any process may read and write them at
/// any time, and all-zero bytes are a value.
///
/// # Safety
///
/// The type consists of integer atomics only.
pub unsafe trait Share: Sync + 'static {}

// SAFETY: an integer atomic.
unsafe impl Share for AtomicI32 {}
// SAFETY: an integer atomic.
unsafe impl Share for AtomicI64 {}
// SAFETY: an integer atomic.
unsafe impl Share for AtomicIsize {}
// SAFETY: an integer atomic.
unsafe impl Share for AtomicUsize {}
// SAFETY: the elements are of a type that consists of integer atomics.
unsafe impl<T: Share, const N: usize> Share for [T; N] {}

/// `impl_share!(Type { field, field })` implements [`Share`] for a struct.
///
/// It names all fields; the compiler rejects it if one is left out or is not
/// `Share` itself. So the code that uses it needs no `unsafe`.
macro_rules! impl_share {
    ($type:ident { $($field:ident),+ $(,)? }) => {
        // SAFETY: each field is `Share`, as the function below checks, and so
        // consists of integer atomics only.
        #[allow(unsafe_code)]
        unsafe impl $crate::sys::shm::Share for $type {}

        const _: fn(&$type) = |$type { $($field),+ }| {
            fn is_share<T: $crate::sys::shm::Share>(_: &T) {}

            $(is_share($field);)+
        };
    };
}

pub(crate) use impl_share;

/// Zeroed memory for a `T` that children share, for as long as the process
/// lives.
pub fn share<T: Share>() -> Result<&'static T, Errno> {
    let segment = map_anon(size_of::<T>())?;

    // SAFETY: the mapping is large enough, page-aligned, zeroed and never
    // taken away; zero is a value of a `Share`.
    Ok(unsafe { segment.addr.cast::<T>().as_ref() })
}

/// What [`share`] has returned and the caller has kept, or `None`.
pub fn shared<T: Share>(kept: &AtomicPtr<T>) -> Option<&'static T> {
    // SAFETY: NULL, or from `share`.
    unsafe { kept.load(Relaxed).as_ref() }
}
