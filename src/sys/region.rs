//! A region of shared memory that is read and written with atomics and with
//! copies, never through references to its bytes.
//!
//! Every function checks the place that it accesses against the size of the
//! region. So a number that another process has written can never lead outside.

use std::ffi::c_int;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::ptr::{self, NonNull};
use std::sync::atomic::AtomicU64;

use nix::errno::Errno;

use super::memory_file;

/// The size of a word, in bytes.
const WORD: usize = size_of::<u64>();

/// A mapping that this process shares with the children that it forks. It is
/// unmapped when this value is dropped.
pub struct Region {
    start: NonNull<u8>,
    size: usize,
    /// The number of words.
    words: usize,
}

// SAFETY: `start` and `size` never change, and all accesses to the memory are
// atomic, or copies of bytes that have one writer at a time.
unsafe impl Send for Region {}
// SAFETY: the methods take `&self` and change the memory only, which other
// processes change at the same time in any case.
unsafe impl Sync for Region {}

impl Region {
    /// Maps `size` bytes of zeros, `MAP_ANON|MAP_SHARED` of `mmap(2)`. The
    /// kernel allocates a page when it is touched for the first time.
    pub fn map(size: usize) -> Result<Self, Errno> {
        Self::mmap(size, libc::MAP_ANON, -1)
    }

    /// Maps `size` bytes of a file, which has at least this size for ever, see
    /// [`memory_file`].
    pub fn of_file(file: &OwnedFd, size: usize) -> Result<Self, Errno> {
        if memory_file::size(file.as_raw_fd()).is_none_or(|found| found < size) {
            return Err(Errno::EINVAL);
        }

        Self::mmap(size, 0, file.as_raw_fd())
    }

    fn mmap(size: usize, flags: c_int, fd: RawFd) -> Result<Self, Errno> {
        let flags = flags | libc::MAP_SHARED | libc::MAP_NORESERVE;

        // SAFETY: without MAP_FIXED the kernel chooses a free address.
        let start = unsafe {
            libc::mmap(
                ptr::null_mut(),
                size,
                libc::PROT_READ | libc::PROT_WRITE,
                flags,
                fd,
                0,
            )
        };

        if start == libc::MAP_FAILED {
            return Err(Errno::last());
        }

        let start = NonNull::new(start.cast()).ok_or(Errno::ENOMEM)?;

        Ok(Self {
            start,
            size,
            words: size / WORD,
        })
    }

    /// The size in bytes.
    pub fn size(&self) -> usize {
        self.size
    }

    /// The word at the offset `at`; `None` if it does not lie within the region,
    /// or if `at` is not a multiple of 8.
    #[inline]
    pub fn word(&self, at: usize) -> Option<&AtomicU64> {
        // One comparison checks both: the low bits of `at` become the highest ones
        // of the index, which is too large then.
        if at.rotate_right(WORD.trailing_zeros()) >= self.words {
            return None;
        }

        // SAFETY: the word lies within the mapping, which lives as long as
        // `self`. `start` is page-aligned, so the word is aligned. Any bytes
        // are a valid `AtomicU64`.
        Some(unsafe { AtomicU64::from_ptr(self.start.as_ptr().add(at).cast()) })
    }

    /// The address of `len` bytes at the offset `at`; `None` if they do not lie
    /// within the region.
    #[inline]
    pub fn bytes(&self, at: usize, len: usize) -> Option<NonNull<u8>> {
        if len > self.size || at > self.size - len {
            return None;
        }

        // SAFETY: `at` lies within the mapping, or is its end.
        Some(unsafe { self.start.add(at) })
    }

    /// Copies `bytes` to the offset `at`. Returns false, and copies nothing, if
    /// they do not fit into the region.
    #[inline]
    pub fn write(&self, at: usize, bytes: &[u8]) -> bool {
        let Some(to) = self.bytes(at, bytes.len()) else {
            return false;
        };

        // SAFETY: `bytes` found that the target lies within the mapping. No
        // Rust reference to it exists, since `Region` gives out none, so the
        // compiler assumes nothing about these bytes when another process
        // writes them at the same time.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), to.as_ptr(), bytes.len()) };

        true
    }

    /// Copies the bytes at the offset `at` to `to`. Returns false, and copies
    /// nothing, if they do not lie within the region.
    #[inline]
    pub fn read(&self, at: usize, to: &mut [u8]) -> bool {
        let Some(from) = self.bytes(at, to.len()) else {
            return false;
        };

        // SAFETY: `bytes` found that the source lies within the mapping; `to`
        // is memory of this process only, so they do not overlap. Any bytes are
        // valid `u8`.
        unsafe { ptr::copy_nonoverlapping(from.as_ptr(), to.as_mut_ptr(), to.len()) };

        true
    }

    /// Begins to move the cache line at the offset `at` to this processor, to
    /// write to it soon. Changes nothing, also outside the region.
    #[inline]
    pub fn prefetch(&self, at: usize) {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: `prefetchw` accesses no memory that a program can see, and does
        // nothing at an address that is not mapped. A processor that does not have
        // it does nothing.
        unsafe {
            std::arch::asm!(
                "prefetchw [{}]",
                in(reg) self.start.as_ptr().wrapping_add(at),
                options(readonly, nostack, preserves_flags)
            );
        }

        #[cfg(not(target_arch = "x86_64"))]
        let _ = at;
    }

    /// Begins to move the cache line at the offset `at` to this processor, to
    /// read it soon. Changes nothing, also outside the region.
    #[inline]
    pub fn prefetch_read(&self, at: usize) {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the processor ignores an address that is not mapped.
        unsafe {
            use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};

            _mm_prefetch::<_MM_HINT_T0>(self.start.as_ptr().wrapping_add(at).cast());
        }

        #[cfg(not(target_arch = "x86_64"))]
        let _ = at;
    }

    /// Frees the pages of `len` bytes at the offset `at`, `MADV_REMOVE` of
    /// `madvise(2)`. Afterwards they contain zeros. Fails with EINVAL if `at` is
    /// not page-aligned, or if the bytes do not lie within the region.
    pub fn remove(&self, at: usize, len: usize) -> Result<(), Errno> {
        let start = self.bytes(at, len).ok_or(Errno::EINVAL)?;

        // SAFETY: the range lies within the mapping. No Rust reference to its
        // bytes exists, other than atomics, for which zero is valid.
        Errno::result(unsafe { libc::madvise(start.as_ptr().cast(), len, libc::MADV_REMOVE) })
            .map(drop)
    }
}

impl Drop for Region {
    fn drop(&mut self) {
        // SAFETY: `mmap` has made the mapping. The references that `word` has
        // returned do not outlive `self`.
        unsafe { libc::munmap(self.start.as_ptr().cast(), self.size) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_outside_is_accessed() {
        let region = Region::map(8192).unwrap();

        assert!(region.word(8184).is_some());
        assert!(region.word(8185).is_none());
        assert!(region.word(8192).is_none());
        assert!(region.word(usize::MAX - 7).is_none());
        assert!(region.word(4).is_none());
        assert!(region.write(8190, b"ab"));
        assert!(!region.write(8191, b"ab"));
        assert!(region.bytes(0, usize::MAX).is_none());
        assert!(region.bytes(usize::MAX, 2).is_none());
        assert!(region.remove(4096, 8192).is_err());
    }

    #[test]
    fn removed_pages_are_zero() {
        let region = Region::map(8192).unwrap();
        let mut byte = [0];

        assert!(region.write(5000, b"x"));
        assert!(region.read(5000, &mut byte));
        assert_eq!(byte, *b"x");
        region.remove(4096, 4096).unwrap();
        assert!(region.read(5000, &mut byte));
        assert_eq!(byte, [0]);
    }
}
