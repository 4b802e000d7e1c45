//! Memory that a process shares with its forked children. There are three ways
//! to get such memory.

// A build uses only one of the three ways; the functions for the other ways are
// unused.
#![allow(dead_code)]

use std::ffi::{c_int, c_void};
use std::fmt;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicI32, AtomicI64, AtomicIsize, AtomicU8, AtomicUsize};

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
    /// file has made. When the result is unmapped or detached, no code uses the
    /// memory of the segment any more.
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

/// Maps `size` bytes of a file, at the address `hint` if that is free.
pub fn map_file(file: &OwnedFd, size: usize, hint: usize) -> Result<Segment, Errno> {
    map_near(hint, size, (READ_WRITE, libc::MAP_SHARED), file)
}

/// What a process may do with a mapping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rights {
    /// Read.
    Read,
    /// Read and write.
    ReadWrite,
}

/// Maps `size` bytes of a file at the address `at`. Fails with EEXIST if something else is
/// mapped there, `MAP_FIXED_NOREPLACE` of `mmap(2)`.
pub fn map_file_at(
    file: &impl AsRawFd,
    at: usize,
    size: usize,
    rights: Rights,
) -> Result<Segment, Errno> {
    let rights = match rights {
        Rights::Read => libc::PROT_READ,
        Rights::ReadWrite => READ_WRITE,
    };
    let flags = libc::MAP_SHARED | libc::MAP_FIXED_NOREPLACE;
    let segment = map_near(at, size, (rights, flags), file)?;

    // A kernel before Linux 4.17 does not know the flag, and can choose another address.
    if segment.addr.addr().get() != at {
        let _ = segment.unmap();
        return Err(Errno::EEXIST);
    }

    Ok(segment)
}

/// Maps a file at the place of a segment, `MAP_FIXED` of `mmap(2)`. Afterwards the segment has
/// the content of the file, which has its size.
///
/// # Safety
///
/// No reference to the memory of the segment exists.
pub unsafe fn map_over(segment: &Segment, file: &OwnedFd) -> Result<(), Errno> {
    let (addr, fd) = (segment.addr.as_ptr(), file.as_raw_fd());
    let flags = libc::MAP_SHARED | libc::MAP_FIXED;

    // SAFETY: the mapping replaces that of the segment, to which no reference exists.
    if unsafe { libc::mmap(addr, segment.size, READ_WRITE, flags, fd, 0) } == libc::MAP_FAILED {
        return Err(Errno::last());
    }

    Ok(())
}

/// Maps `size` bytes of a file. `flags` do not have MAP_FIXED.
fn map_near(
    hint: usize,
    size: usize,
    (rights, flags): (c_int, c_int),
    file: &impl AsRawFd,
) -> Result<Segment, Errno> {
    let hint = ptr::without_provenance_mut(hint);

    // SAFETY: without MAP_FIXED the kernel replaces no other mapping.
    let addr = unsafe { libc::mmap(hint, size, rights, flags, file.as_raw_fd(), 0) };

    if addr == libc::MAP_FAILED {
        return Err(Errno::last());
    }

    let addr = NonNull::new(addr).ok_or(Errno::ENOMEM)?;

    Ok(Segment { addr, size })
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

// SAFETY: `AtomicU8` is an integer atomic.
unsafe impl Share for AtomicU8 {}
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

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering::Relaxed;

    use super::*;
    use crate::sys::testing::in_child;

    const SIZE: usize = 3 * 4096;

    /// The last number in the memory.
    fn last(segment: &Segment) -> &AtomicI32 {
        // SAFETY: the segments of the tests are zeroed, page-aligned, have SIZE bytes
        // and are not unmapped while the result is used.
        unsafe { segment.addr().byte_add(SIZE - 4).cast().as_ref() }
    }

    /// Returns what this process reads when a child has written 7.
    fn written_by_child(segment: &Segment) -> i32 {
        in_child(|| last(segment).store(7, Relaxed));
        last(segment).load(Relaxed)
    }

    fn is_mapped(segment: &Segment) -> bool {
        segment.advise(libc::MADV_NORMAL).is_ok()
    }

    #[test]
    fn a_child_shares_its_parent_s_memory() {
        let zero = open_zero().unwrap();
        let id = shmget(SIZE).unwrap();
        let shared = [map_anon(SIZE), map_zero(&zero, SIZE), shmat(id, SIZE)];

        shm_remove(id).unwrap();

        for segment in shared.map(Result::unwrap) {
            assert_eq!(segment.size(), SIZE);
            assert_eq!(written_by_child(&segment), 7);
        }

        assert_eq!(written_by_child(&map_private(SIZE).unwrap()), 0);
        // SAFETY: F_GETFD accesses no memory.
        let flags = unsafe { libc::fcntl(zero.as_raw_fd(), libc::F_GETFD) };

        assert_eq!(flags, libc::FD_CLOEXEC);
    }

    #[test]
    fn memory_that_is_not_used_any_more_is_unmapped() {
        in_child(|| {
            let segment = map_anon(SIZE).unwrap();

            assert!(is_mapped(&segment));
            segment.unmap().unwrap();
            assert!(!is_mapped(&segment));

            let id = shmget(SIZE).unwrap();
            let segment = shmat(id, SIZE).unwrap();

            shm_remove(id).unwrap();
            segment.detach().unwrap();
            assert!(!is_mapped(&segment));
            assert_eq!(segment.detach(), Err(Errno::EINVAL));
            // The kernel has removed the segment with the last detach.
            assert_eq!(shmat(id, SIZE).err(), Some(Errno::EINVAL));
        });
    }

    #[test]
    fn other_users_cannot_attach_a_segment() {
        let id = shmget(SIZE).unwrap();
        // SAFETY: an all-zero shmid_ds is valid, and the kernel writes it.
        let mode = unsafe {
            let mut data: libc::shmid_ds = std::mem::zeroed();

            libc::shmctl(id, libc::IPC_STAT, &raw mut data);
            data.shm_perm.mode
        };

        shm_remove(id).unwrap();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn too_much_memory_is_an_error() {
        let (size, zero) = (isize::MAX.unsigned_abs(), open_zero().unwrap());

        assert_eq!(map_anon(size).err(), Some(Errno::ENOMEM));
        assert!(map_zero(&zero, size).is_err() && shmget(size).is_err());
    }

    #[test]
    fn huge_pages_are_requested() {
        assert_eq!(HUGE_PAGE, 1 << 21);

        in_child(|| {
            let segment = map_anon(HUGE_PAGE).unwrap();

            // A kernel without huge pages refuses the advice.
            assert!(matches!(
                segment.advise_huge_pages(),
                Ok(()) | Err(Errno::EINVAL)
            ));
            segment.unmap().unwrap();
            assert!(segment.advise_huge_pages().is_err());
        });
    }
}
