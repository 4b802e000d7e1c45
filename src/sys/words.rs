//! The words of shared memory that other processes change at the same time, found
//! by their addresses.
//!
//! Every function checks the address against the bounds of the memory. So an
//! address that another process has written never leads outside. No reference to
//! the bytes exists other than to atomics, so the compiler assumes nothing about
//! them.

use std::ffi::c_void;
use std::ptr::NonNull;
use std::sync::atomic::Ordering::{Relaxed, Release};
use std::sync::atomic::{AtomicU8, AtomicUsize};

/// The size of a word, in bytes.
const WORD: usize = size_of::<usize>();

/// The least size of a memory, in bytes.
pub const LEAST: usize = 104;

/// Memory that consists of words. Its start is aligned to a word.
#[derive(Clone, Copy)]
pub struct Words {
    start: NonNull<u8>,
    /// The number of words.
    count: usize,
}

impl Words {
    /// The words of `size` bytes at `start`; `None` if `start` is not aligned to a
    /// word, or if there are less than [`LEAST`] bytes.
    ///
    /// # Safety
    ///
    /// The bytes are mapped, readable and writable, as long as the result and its
    /// copies are used. Rust code accesses them through `Words` only.
    #[inline(always)]
    pub unsafe fn new(start: NonNull<c_void>, size: usize) -> Option<Self> {
        let words = Self {
            start: start.cast(),
            count: size / WORD,
        };

        (start.cast::<usize>().is_aligned() && size >= LEAST).then_some(words)
    }

    /// The address of the first word.
    #[inline(always)]
    pub fn start(self) -> usize {
        self.start.addr().get()
    }

    /// The number of bytes.
    #[inline(always)]
    pub fn size(self) -> usize {
        self.count * WORD
    }

    /// Whether `address` is that of a word.
    #[inline(always)]
    fn has_word(&self, address: usize) -> bool {
        let at = address.wrapping_sub(self.start());

        // One comparison checks both: the low bits of `at` become the highest ones
        // of the index, which is too large then.
        at.rotate_right(WORD.trailing_zeros()) < self.count
    }

    /// The word at `address`; `None` if it does not lie within the memory, or if
    /// `address` is not aligned.
    #[inline(always)]
    pub fn word(&self, address: usize) -> Option<&AtomicUsize> {
        if !self.has_word(address) {
            return None;
        }

        let word = self.start.as_ptr().with_addr(address);

        // SAFETY: the word lies within the memory and is aligned, as `has_word` has
        // found. The memory is mapped as long as `self` is used, see `new`. Any bytes are
        // a valid `AtomicUsize`.
        Some(unsafe { AtomicUsize::from_ptr(word.cast()) })
    }

    /// Reads the word at `address`; `None` if [`word`](Self::word) has none.
    #[inline(always)]
    pub fn load(&self, address: usize) -> Option<usize> {
        if !self.has_word(address) {
            return None;
        }

        let word = self.start.as_ptr().with_addr(address);

        // SAFETY: the word lies within the memory and is aligned, as `has_word` has
        // found. The memory is mapped as long as `self` is used, see `new`.
        Some(unsafe { AtomicUsize::from_ptr(word.cast()) }.load(Relaxed))
    }

    /// Writes the word at `address`, with the ordering `Release`; `None` if
    /// [`word`](Self::word) has none.
    #[inline(always)]
    pub fn store(&self, address: usize, value: usize) -> Option<()> {
        if !self.has_word(address) {
            return None;
        }

        let word = self.start.as_ptr().with_addr(address);

        // SAFETY: the word lies within the memory and is aligned, as `has_word` has
        // found. The memory is mapped as long as `self` is used, see `new`.
        unsafe { AtomicUsize::from_ptr(word.cast()) }.store(value, Release);

        Some(())
    }

    /// Reads the word at the offset `at`, which is a constant: the check costs no time if
    /// it is less than [`LEAST`].
    #[inline(always)]
    pub fn field(&self, at: usize) -> Option<usize> {
        if at >= LEAST || !at.is_multiple_of(WORD) {
            return self.load(self.start().wrapping_add(at));
        }

        // SAFETY: the memory has at least LEAST bytes, see `new`, and is mapped as long as
        // `self` is used. `start` is aligned, so the word is.
        Some(unsafe { AtomicUsize::from_ptr(self.start.as_ptr().add(at).cast()) }.load(Relaxed))
    }

    /// `N` words at `address`; `None` if one of them does not lie within the memory,
    /// or if `address` is not aligned.
    #[inline(always)]
    pub fn array<const N: usize>(&self, address: usize) -> Option<&[AtomicUsize; N]> {
        let at = address.wrapping_sub(self.start());
        let index = at.rotate_right(WORD.trailing_zeros());

        if index >= self.count || self.count - index < N {
            return None;
        }

        // SAFETY: the words lie within the memory, which is mapped as long as
        // `self` is used, see `new`. `start` is aligned, so the words are. Any
        // bytes are valid atomics.
        Some(unsafe {
            &*self
                .start
                .as_ptr()
                .with_addr(address)
                .cast::<[AtomicUsize; N]>()
        })
    }

    /// The byte at `address`; `None` if it does not lie within the memory.
    pub fn byte(&self, address: usize) -> Option<&AtomicU8> {
        let at = address.wrapping_sub(self.start());

        if at >= self.size() {
            return None;
        }

        // SAFETY: the byte lies within the memory, which is mapped as long as
        // `self` is used, see `new`. Any byte is a valid `AtomicU8`.
        Some(unsafe { AtomicU8::from_ptr(self.start.as_ptr().add(at)) })
    }

    /// Whether `len` bytes at `address` lie within the memory.
    #[inline(always)]
    pub fn contains(self, address: usize, len: usize) -> bool {
        let at = address.wrapping_sub(self.start());

        at <= self.size() && len <= self.size() - at
    }

    /// Writes zeros to `len` bytes at `address`. Writes nothing if they do not lie
    /// within the memory.
    pub fn zero(self, address: usize, len: usize) {
        if !self.contains(address, len) {
            return;
        }

        let at = address.wrapping_sub(self.start());

        // SAFETY: the bytes lie within the memory, which is mapped as long as
        // `self` is used, see `new`. The program has just been given these bytes,
        // and no reference to them exists.
        unsafe { self.start.as_ptr().add(at).write_bytes(0, len) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_outside_is_accessed() {
        const COUNT: usize = LEAST / WORD;

        let memory = [const { AtomicUsize::new(7) }; COUNT + 1];
        let start = NonNull::from(&memory);
        // SAFETY: the array lives until the end of the test, and consists of
        // atomics.
        let words = unsafe { Words::new(start.cast(), 3 * WORD) }.unwrap();
        let at = start.addr().get();

        assert_eq!((words.start(), words.size()), (at, 3 * WORD));
        assert!(words.word(at + 2 * WORD).is_some());
        assert!(words.word(at + 3 * WORD).is_none());
        assert!(words.word(at + 1).is_none());
        assert!(words.word(at - WORD).is_none());
        assert!(words.word(0).is_none());
        assert!(words.array::<2>(at + WORD).is_some());
        assert!(words.array::<2>(at + 2 * WORD).is_none());
        assert!(words.array::<1>(at + 4).is_none());
        assert!(words.byte(at + 3 * WORD - 1).is_some());
        assert!(words.byte(at + 3 * WORD).is_none());
        assert!(words.contains(at, 3 * WORD));
        assert!(!words.contains(at + WORD, usize::MAX));
        assert!(!words.contains(at, 3 * WORD + 1));

        words.zero(at + WORD, 3 * WORD);
        assert_eq!(memory[1].load(Relaxed), 7);
        words.zero(at + 2 * WORD, WORD);
        assert_eq!(
            memory.each_ref().map(|word| word.load(Relaxed)),
            [7, 7, 0, 7]
        );
    }

    #[test]
    fn memory_is_aligned() {
        let memory = [const { AtomicUsize::new(0) }; 2];
        // SAFETY: the bytes belong to the array, which lives until the end of the
        // test.
        let words = unsafe { Words::new(NonNull::from(&memory).cast().byte_add(1), WORD) };

        assert!(words.is_none());
    }
}
