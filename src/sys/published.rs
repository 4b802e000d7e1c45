//! Memory that one process writes, and that its children can only read.
//!
//! The process maps the same file in memory twice. One mapping is writable, and
//! children do not inherit it. Children inherit the other mapping, which is
//! read-only. They cannot make it writable, because the file has the seal
//! `F_SEAL_FUTURE_WRITE`, `fcntl(2)`.

use std::ffi::{CStr, c_int};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::ptr;
use std::sync::atomic::AtomicPtr;
use std::sync::atomic::Ordering::Relaxed;

use nix::errno::Errno;
use nix::fcntl::{OFlag, open};
use nix::sys::stat::Mode;

use super::path::CPath;
use super::shm::{Segment, Share, map_private, map_shared};

/// `MFD_NOEXEC_SEAL`: the file can never be executed. Linux 6.3 can be set up to
/// refuse files without this flag.
const NOEXEC_SEAL: libc::c_uint = 8;

/// The name of the files.
pub(super) const NAME: &CStr = c"ngx_ipc";

/// A static variable for a `T` that this process writes, and that it and the
/// children that it forks later can read.
pub struct Published<T> {
    readable: AtomicPtr<T>,
    /// Points to a page with the address of the writable mapping. A forked
    /// process has no such mapping. There the kernel fills this page with zeros,
    /// `MADV_WIPEONFORK` of `madvise(2)`, so the address is NULL.
    writable: AtomicPtr<AtomicPtr<T>>,
}

impl<T: Share> Published<T> {
    /// A variable without memory.
    pub const fn none() -> Self {
        Self {
            readable: AtomicPtr::new(ptr::null_mut()),
            writable: AtomicPtr::new(ptr::null_mut()),
        }
    }

    /// Makes new memory, which is zeroed, lets `fill` write it, and stores it in
    /// the variable. The memory is never freed.
    ///
    /// After an error the variable is unchanged.
    ///
    /// # References
    ///
    /// `memfd_create(2)`, `fcntl(2)`: `F_SEAL_FUTURE_WRITE`, `madvise(2)`:
    /// `MADV_DONTFORK`.
    pub fn create(&self, fill: impl FnOnce(&T)) -> Result<(), Errno> {
        let file = make_file(NAME, size_of::<T>())?;
        let writable = map_shared(&file, size_of::<T>(), libc::PROT_READ | libc::PROT_WRITE)?;
        let readable = read_only(&file)
            .and_then(|file| map_shared(&file, size_of::<T>(), libc::PROT_READ))
            .inspect_err(|_| discard(&writable))?;
        let place = keep_from_children(&writable).inspect_err(|_| {
            discard(&writable);
            discard(&readable);
        })?;

        let address = writable.addr().cast::<T>();
        let place = place.addr().cast::<AtomicPtr<T>>();

        // SAFETY: the mapping is large enough, page-aligned and zeroed, and
        // this process does not unmap it. All-zero bytes are a valid value of a
        // type that is `Share`.
        fill(unsafe { address.as_ref() });

        // SAFETY: `place` is a new, zeroed page, and NULL is a valid value.
        unsafe { place.as_ref() }.store(address.as_ptr(), Relaxed);

        // A signal handler may run between these two stores. It then finds no
        // writable memory, as before the call.
        self.readable
            .store(readable.addr().as_ptr().cast(), Relaxed);
        self.writable.store(place.as_ptr(), Relaxed);

        Ok(())
    }

    /// The memory for reading; `None` if there is none.
    pub fn readable(&self) -> Option<&'static T> {
        // SAFETY: the pointer is NULL, or `create` has stored the address of a
        // `T` in a mapping that is never unmapped and that children inherit.
        // All writes to the memory go through atomics.
        unsafe { self.readable.load(Relaxed).as_ref() }
    }

    /// The memory for writing; `None` if this process has not made it.
    pub fn writable(&self) -> Option<&'static T> {
        // SAFETY: the pointer is NULL, or `create` has stored the address of a
        // page that is never unmapped and that children inherit.
        let place = unsafe { self.writable.load(Relaxed).as_ref() }?;

        // SAFETY: the pointer is NULL, or this process has made the mapping and
        // never unmaps it. All writes to the memory go through atomics.
        unsafe { place.load(Relaxed).as_ref() }
    }
}

/// Makes a file of `size` bytes in memory. Several files can have the name `name`, which only
/// tools show.
pub(super) fn make_file(name: &CStr, size: usize) -> Result<OwnedFd, Errno> {
    let flags = libc::MFD_CLOEXEC | libc::MFD_ALLOW_SEALING;
    let file = match memfd_create(name, flags | NOEXEC_SEAL) {
        Err(Errno::EINVAL) => memfd_create(name, flags),
        result => result,
    }?;

    nix::unistd::ftruncate(&file, size as libc::off_t)?;

    Ok(file)
}

fn memfd_create(name: &CStr, flags: libc::c_uint) -> Result<OwnedFd, Errno> {
    // SAFETY: the name is a NUL-terminated string.
    let fd = Errno::result(unsafe { libc::syscall(libc::SYS_memfd_create, name.as_ptr(), flags) })?;

    // SAFETY: the kernel has just made the descriptor, so it has no owner.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as c_int) })
}

/// Returns a descriptor of the file through which no writable mapping can be
/// made, and makes the size of the file final.
fn read_only(file: &OwnedFd) -> Result<OwnedFd, Errno> {
    const SEALS: c_int = libc::F_SEAL_SHRINK | libc::F_SEAL_GROW | libc::F_SEAL_FUTURE_WRITE;

    // SAFETY: F_ADD_SEALS accesses no memory.
    if unsafe { libc::fcntl(file.as_raw_fd(), libc::F_ADD_SEALS, SEALS) } == 0 {
        return file.try_clone().map_err(|_| Errno::last());
    }

    // Linux has F_SEAL_FUTURE_WRITE since version 5.1.
    let path = CPath::formatted(format_args!("/proc/self/fd/{}", file.as_raw_fd()))?;

    open(
        path.as_c_str(),
        OFlag::O_RDONLY | OFlag::O_CLOEXEC,
        Mode::empty(),
    )
}

/// Makes forked processes not inherit a mapping. Returns a page for the address of
/// the mapping. The kernel fills this page with zeros in a forked process.
fn keep_from_children(writable: &Segment) -> Result<Segment, Errno> {
    let place = map_private(size_of::<usize>())?;

    writable
        .advise(libc::MADV_DONTFORK)
        .and_then(|()| place.advise(libc::MADV_WIPEONFORK))
        .inspect_err(|_| discard(&place))?;

    Ok(place)
}

/// Unmaps memory that no code uses yet.
fn discard(segment: &Segment) {
    let _ = segment.unmap();
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicI32;

    use super::*;
    use crate::sys::testing::in_child;

    #[test]
    fn a_child_reads_what_its_parent_writes_and_cannot_write() {
        static PUBLISHED: Published<[AtomicI32; 2000]> = Published::none();

        assert!(PUBLISHED.readable().is_none() && PUBLISHED.writable().is_none());
        PUBLISHED.create(|new| new[7].store(1, Relaxed)).unwrap();
        PUBLISHED.writable().unwrap()[1999].store(2, Relaxed);

        let reads = || {
            let all = PUBLISHED.readable().unwrap();

            all[7].load(Relaxed) == 1 && all[1999].load(Relaxed) == 2
        };

        assert!(reads());
        in_child(|| assert!(reads() && PUBLISHED.writable().is_none()));
        in_child(|| {
            let start = PUBLISHED.readable.load(Relaxed).cast();
            let rights = libc::PROT_READ | libc::PROT_WRITE;

            // SAFETY: the mapping of `readable` has this many bytes, and no code
            // of this child uses it.
            assert!(unsafe {
                libc::mprotect(start, 8000, rights) == -1
                    && libc::madvise(start, 8000, libc::MADV_REMOVE) == -1
                    && reads()
            });
        });
    }

    /// The result of `fcntl(2)` with a command that has no argument.
    fn flags(file: &OwnedFd, command: c_int) -> c_int {
        // SAFETY: the commands of the tests access no memory.
        unsafe { libc::fcntl(file.as_raw_fd(), command) }
    }

    #[test]
    fn the_file_is_sealed() {
        let file = make_file(NAME, 5000).unwrap();
        let seals = libc::F_SEAL_SHRINK | libc::F_SEAL_GROW | libc::F_SEAL_FUTURE_WRITE;

        assert_eq!(flags(&file, libc::F_GETFD), libc::FD_CLOEXEC);
        assert_eq!(flags(&file, libc::F_GET_SEALS) & seals, 0);

        let copy = read_only(&file).unwrap();

        assert_eq!(flags(&copy, libc::F_GETFD), libc::FD_CLOEXEC);
        assert_eq!(flags(&file, libc::F_GET_SEALS) & seals, seals);
    }

    /// Linux before 5.1 has no such seal. The test uses a file that cannot be sealed.
    #[test]
    fn a_file_without_seals_is_opened_for_reading() {
        let file = memfd_create(NAME, libc::MFD_CLOEXEC).unwrap();
        let copy = read_only(&file).unwrap();

        assert_eq!(flags(&copy, libc::F_GETFD), libc::FD_CLOEXEC);
        assert_eq!(
            flags(&copy, libc::F_GETFL) & libc::O_ACCMODE,
            libc::O_RDONLY
        );
    }

    #[test]
    fn memory_is_discarded() {
        in_child(|| {
            let segment = map_private(1).unwrap();

            assert_eq!(segment.advise(libc::MADV_NORMAL), Ok(()));
            discard(&segment);
            assert_eq!(segment.advise(libc::MADV_NORMAL), Err(Errno::ENOMEM));
        });
    }
}
