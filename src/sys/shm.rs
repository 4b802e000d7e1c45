//! Memory that forked children share, which there are three ways to get.

// A build uses one of the ways; the functions of the others are unused.
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

/// A piece of shared memory. It is printed as its address, as nginx's `%p` does.
pub struct Segment {
    addr: NonNull<c_void>,
    size: usize,
}

impl Segment {
    /// The segment that C has stored as its address and size.
    ///
    /// # Safety
    ///
    /// `addr` and `size` are those of a segment of this file, and nothing uses
    /// its memory any more.
    pub unsafe fn from_raw(addr: NonNull<c_void>, size: usize) -> Self {
        Self { addr, size }
    }

    /// The address of the memory.
    pub fn addr(&self) -> NonNull<c_void> {
        self.addr
    }

    /// The size that was requested, in bytes.
    pub fn size(&self) -> usize {
        self.size
    }

    /// Unmaps the segment, `munmap(2)`.
    pub fn unmap(&self) -> Result<(), Errno> {
        // SAFETY: only `from_raw` makes a segment that is unmapped; it demands
        // that nothing uses the memory.
        Errno::result(unsafe { libc::munmap(self.addr.as_ptr(), self.size) }).map(drop)
    }

    /// Requests huge pages, `MADV_HUGEPAGE` of `madvise(2)`. The kernel uses them
    /// only if they are enabled for shared memory.
    pub fn advise_huge_pages(&self) -> Result<(), Errno> {
        // SAFETY: MADV_HUGEPAGE does not change the contents of the memory.
        Errno::result(unsafe { libc::madvise(self.addr.as_ptr(), self.size, libc::MADV_HUGEPAGE) })
            .map(drop)
    }

    /// Detaches a System V segment, `shmdt(2)`.
    pub fn detach(&self) -> Result<(), Errno> {
        // SAFETY: only `from_raw` makes a segment that is detached; it demands
        // that nothing uses the memory.
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
    // SAFETY: without MAP_FIXED the kernel chooses a free address.
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

/// Maps `/dev/zero`: each mapping is new memory.
pub fn map_zero(zero: &OwnedFd, size: usize) -> Result<Segment, Errno> {
    mmap(size, 0, zero.as_raw_fd())
}

/// Makes a System V segment, `shmget(IPC_PRIVATE)`, readable and writable
/// for the owner.
pub fn shmget(size: usize) -> Result<c_int, Errno> {
    // SAFETY: shmget() touches no memory.
    Errno::result(unsafe { libc::shmget(libc::IPC_PRIVATE, size, libc::IPC_CREAT | 0o600) })
}

/// Attaches the segment `id` of `size` bytes, `shmat(2)`.
pub fn shmat(id: c_int, size: usize) -> Result<Segment, Errno> {
    // SAFETY: with NULL the kernel chooses a free address.
    let addr = unsafe { libc::shmat(id, ptr::null(), 0) };

    if addr as isize == -1 {
        return Err(Errno::last());
    }

    let addr = NonNull::new(addr).ok_or(Errno::ENOMEM)?;

    Ok(Segment { addr, size })
}

/// Makes the kernel remove the segment `id` when no process uses it any more,
/// `shmctl(IPC_RMID)`.
pub fn shm_remove(id: c_int) -> Result<(), Errno> {
    // SAFETY: IPC_RMID does not use the buffer.
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

/// Makes a `T` in zeroed memory that forked children share. It is never freed.
pub fn share<T: Share>() -> Result<&'static T, Errno> {
    let segment = map_anon(size_of::<T>())?;

    // SAFETY: the mapping is large enough, page-aligned and zeroed, and nothing
    // unmaps it; all-zero bytes are a value of a `Share`.
    Ok(unsafe { segment.addr.cast::<T>().as_ref() })
}

/// A static that keeps what [`share`] has returned.
pub struct Shared<T>(AtomicPtr<T>);

impl<T: Share> Shared<T> {
    /// Keeps nothing yet.
    pub const fn none() -> Self {
        Self(AtomicPtr::new(ptr::null_mut()))
    }

    /// Keeps `shared`.
    pub fn set(&self, shared: &'static T) {
        self.0.store(ptr::from_ref(shared).cast_mut(), Relaxed);
    }

    /// What was kept, or `None`.
    pub fn get(&self) -> Option<&'static T> {
        // SAFETY: the pointer is NULL, or `set` has made it of a reference that
        // lives for ever. Nothing writes to the memory but through atomics.
        unsafe { self.0.load(Relaxed).as_ref() }
    }
}
