//! Memory that a process shares with its forked children. There are three ways
//! to get such memory.

// A build uses only one of the three ways; the functions for the other ways are
// unused.
#![allow(dead_code)]

use std::ffi::{c_int, c_void};
use std::fmt;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicI32, AtomicI64, AtomicIsize, AtomicUsize};

use nix::errno::Errno;
use nix::fcntl::{OFlag, open};
use nix::sys::stat::Mode;

/// The size of a huge page, in bytes.
pub const HUGE_PAGE: usize = 2 * 1024 * 1024;

/// A piece of shared memory. Its text in a log line is its address, in the
/// format of nginx's `%p`.
pub struct Segment {
    addr: NonNull<c_void>,
    size: usize,
}

impl Segment {
    /// Makes the segment that C code has stored as an address and a size.
    ///
    /// # Safety
    ///
    /// `addr` and `size` are the address and the size of a segment that this
    /// file has made, and no code uses the memory of the segment any more.
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
        // SAFETY: callers unmap only a segment that comes from `from_raw`,
        // which demands that no code uses the memory any more.
        Errno::result(unsafe { libc::munmap(self.addr.as_ptr(), self.size) }).map(drop)
    }

    /// Requests huge pages for the segment, `MADV_HUGEPAGE` of `madvise(2)`.
    /// The kernel uses huge pages only if they are enabled for shared memory.
    pub fn advise_huge_pages(&self) -> Result<(), Errno> {
        self.advise(libc::MADV_HUGEPAGE)
    }

    /// Gives the kernel the advice `advice` about the segment, `madvise(2)`. The
    /// advice must not change what the memory contains in this process.
    pub(super) fn advise(&self, advice: c_int) -> Result<(), Errno> {
        // SAFETY: callers pass advice that leaves the memory as it is.
        Errno::result(unsafe { libc::madvise(self.addr.as_ptr(), self.size, advice) }).map(drop)
    }

    /// Detaches a System V segment, `shmdt(2)`.
    pub fn detach(&self) -> Result<(), Errno> {
        // SAFETY: callers detach only a segment that comes from `from_raw`,
        // which demands that no code uses the memory any more.
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

const READ_WRITE: c_int = libc::PROT_READ | libc::PROT_WRITE;

fn mmap(size: usize, rights: c_int, flags: c_int, fd: RawFd) -> Result<Segment, Errno> {
    // SAFETY: without MAP_FIXED the kernel chooses a free address.
    let addr = unsafe { libc::mmap(ptr::null_mut(), size, rights, flags, fd, 0) };

    if addr == libc::MAP_FAILED {
        return Err(Errno::last());
    }

    let addr = NonNull::new(addr).ok_or(Errno::ENOMEM)?;

    Ok(Segment { addr, size })
}

/// Maps `size` bytes of anonymous memory, `mmap(MAP_ANON|MAP_SHARED)`.
pub fn map_anon(size: usize) -> Result<Segment, Errno> {
    mmap(size, READ_WRITE, libc::MAP_SHARED | libc::MAP_ANON, -1)
}

/// Maps `size` bytes of anonymous memory that forked processes get a copy of.
pub(super) fn map_private(size: usize) -> Result<Segment, Errno> {
    mmap(size, READ_WRITE, libc::MAP_PRIVATE | libc::MAP_ANON, -1)
}

/// Maps `size` bytes of a file, with `rights` such as `PROT_READ`.
pub(super) fn map_shared(file: &OwnedFd, size: usize, rights: c_int) -> Result<Segment, Errno> {
    mmap(size, rights, libc::MAP_SHARED, file.as_raw_fd())
}

/// Opens `/dev/zero`, `zero(4)`.
pub fn open_zero() -> Result<OwnedFd, Errno> {
    open(
        c"/dev/zero",
        OFlag::O_RDWR | OFlag::O_CLOEXEC,
        Mode::empty(),
    )
}

/// Maps `size` bytes of `/dev/zero`. Each such mapping is new memory.
pub fn map_zero(zero: &OwnedFd, size: usize) -> Result<Segment, Errno> {
    map_shared(zero, size, READ_WRITE)
}

/// Makes a System V segment that only this user can read and write,
/// `shmget(IPC_PRIVATE)`. Returns the id of the segment.
pub fn shmget(size: usize) -> Result<c_int, Errno> {
    // SAFETY: shmget() accesses no memory.
    Errno::result(unsafe { libc::shmget(libc::IPC_PRIVATE, size, libc::IPC_CREAT | 0o600) })
}

/// Attaches the segment `id` of `size` bytes, `shmat(2)`.
pub fn shmat(id: c_int, size: usize) -> Result<Segment, Errno> {
    // SAFETY: the kernel chooses a free address, because the pointer is NULL.
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

/// A type whose values can lie in shared memory, where any process can read and
/// write them at any time. New shared memory contains zeros, so all-zero bytes
/// must be a valid value.
///
/// # Safety
///
/// The type consists of integer atomics only.
pub unsafe trait Share: Sync + 'static {}

// SAFETY: `AtomicI32` is an integer atomic.
unsafe impl Share for AtomicI32 {}
// SAFETY: `AtomicI64` is an integer atomic.
unsafe impl Share for AtomicI64 {}
// SAFETY: `AtomicIsize` is an integer atomic.
unsafe impl Share for AtomicIsize {}
// SAFETY: `AtomicUsize` is an integer atomic.
unsafe impl Share for AtomicUsize {}
// SAFETY: the elements of the array are `Share`, so they consist of integer
// atomics.
unsafe impl<T: Share, const N: usize> Share for [T; N] {}

/// `impl_share!(Type { field, field })` implements [`Share`] for a struct.
///
/// The macro call names all fields of the struct. The compiler rejects the call
/// if a field is left out, or if the type of a field is not `Share`. So the
/// code that uses the macro needs no `unsafe`.
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
