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

    /// A pointer to the first word.
    #[inline(always)]
    pub fn first(self) -> NonNull<u8> {
        self.start
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

    const COUNT: usize = LEAST / WORD;

    #[test]
    fn nothing_outside_is_accessed() {
        let memory = [const { AtomicUsize::new(7) }; COUNT + 1];
        let start = NonNull::from(&memory);
        // SAFETY: the array lives until the end of the test, and consists of
        // atomics.
        let words = unsafe { Words::new(start.cast(), LEAST) }.unwrap();
        let at = start.addr().get();
        let end = at + LEAST;

        assert_eq!((words.start(), words.size()), (at, LEAST));

        for address in [end, at + 1, at - WORD, 0, usize::MAX - 7] {
            assert!(words.word(address).is_none());
            assert!(words.load(address).is_none());
            assert!(words.store(address, 1).is_none());
        }

        assert_eq!(words.load(end - WORD), Some(7));
        assert_eq!(words.field(LEAST - WORD), Some(7));
        assert_eq!(words.field(LEAST), None);
        assert_eq!(words.field(1), None);
        assert!(words.array::<2>(end - 2 * WORD).is_some());
        assert!(words.array::<2>(end - WORD).is_none());
        assert!(words.array::<1>(at + 4).is_none());
        assert!(words.byte(end - 1).is_some());
        assert!(words.byte(end).is_none());
        assert!(words.contains(at, LEAST));
        assert!(!words.contains(at + WORD, usize::MAX));
        assert!(!words.contains(at, LEAST + 1));

        words.zero(end - WORD, 2 * WORD);
        assert_eq!(words.load(end - WORD), Some(7));
        words.zero(end - WORD, WORD);
        assert_eq!(words.store(at, 1), Some(()));
        assert_eq!(memory[0].load(Relaxed), 1);
        assert_eq!(memory[COUNT - 2].load(Relaxed), 7);
        assert_eq!(memory[COUNT - 1].load(Relaxed), 0);
        assert_eq!(memory[COUNT].load(Relaxed), 7);
    }

    #[test]
    fn memory_is_aligned() {
        let memory = [const { AtomicUsize::new(0) }; COUNT + 1];
        let start = NonNull::from(&memory).cast();
        // SAFETY: the bytes belong to the array, which lives until the end of the
        // test.
        let [odd, short] = unsafe {
            [
                Words::new(start.byte_add(1), LEAST),
                Words::new(start, LEAST - 1),
            ]
        };

        assert!(odd.is_none() && short.is_none());
    }
}
