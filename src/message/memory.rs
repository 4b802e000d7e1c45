//! The trait for the shared memory, and for the few system calls that messages
//! need. The algorithms are generic over this trait, so that tests run the same code
//! on a model of the memory.

use std::ptr::NonNull;
use std::sync::atomic::Ordering::{self, Relaxed};

/// Shared memory that consists of words of 64 bits, and the few system calls
/// that messages need.
///
/// Offsets are in bytes; the offset of a word is a multiple of 8. An access
/// outside the memory reads zeros and writes nothing.
///
/// The methods that have no parameter `order` are sequentially consistent.
pub trait Memory {
    /// The size of the memory in bytes.
    fn size(&self) -> usize;

    /// Reads a word.
    fn load(&self, at: usize, order: Ordering) -> u64;

    /// Writes a word.
    fn store(&self, at: usize, value: u64, order: Ordering);

    /// Writes a word, and returns its previous value.
    fn swap(&self, at: usize, value: u64) -> u64;

    /// Writes `to` if the word is `from`. Returns whether it was.
    fn replace(&self, at: usize, from: u64, to: u64) -> bool;

    /// Adds to a word that several processes can change at the same time.
    fn add(&self, at: usize, n: u64) {
        loop {
            let before = self.load(at, Relaxed);

            if self.replace(at, before, before.wrapping_add(n)) {
                return;
            }
        }
    }

    /// Sets bits of a word.
    fn set_bits(&self, at: usize, bits: u64);

    /// Clears bits of a word.
    fn clear_bits(&self, at: usize, bits: u64);

    /// Orders all accesses before it and all accesses after it: a sequentially
    /// consistent fence.
    fn fence(&self);

    /// Copies bytes into the memory.
    fn write(&self, at: usize, bytes: &[u8]);

    /// Copies bytes out of the memory.
    fn read(&self, at: usize, to: &mut [u8]);

    /// Says that the word at `at` will be written soon.
    fn prefetch(&self, _at: usize) {}

    /// Says that the word at `at` will be read soon.
    fn expect(&self, _at: usize) {}

    /// Waits for some hundred nanoseconds, without a system call.
    fn pause(&self) {}

    /// The address of `len` bytes, for a caller that reads or builds a payload
    /// in place; `None` if they lie outside, or if the memory has no addresses.
    fn address(&self, at: usize, len: usize) -> Option<NonNull<u8>>;

    /// Makes the wake-up descriptor of a slot readable.
    fn ring(&self, slot: u32);

    /// A clock that is never set back, in nanoseconds.
    fn now(&self) -> u64;

    /// Gives the pages of `len` bytes back to the kernel. They become zeros.
    fn give_back(&self, at: usize, len: usize);
}
