//! Copying bytes, and buffers for messages.

use std::mem::MaybeUninit;
use std::slice;

/// A byte of a buffer, initialised or not.
pub trait Byte {
    /// Writes `value` into the byte.
    fn set(&mut self, value: u8);
}

impl Byte for u8 {
    fn set(&mut self, value: u8) {
        *self = value;
    }
}

impl Byte for MaybeUninit<u8> {
    fn set(&mut self, value: u8) {
        self.write(value);
    }
}

/// Copies the bytes of `from` to `to`, until all are copied or `to` is full.
///
/// Returns the number of bytes that were copied. Async-signal-safe.
pub fn copy<B: Byte>(to: &mut [B], from: &[u8]) -> usize {
    for (to, &from) in to.iter_mut().zip(from) {
        to.set(from);
    }

    to.len().min(from.len())
}

/// A buffer for one message. The first bytes are filled; the other bytes need
/// not be initialised.
pub struct Buffer<'a> {
    bytes: &'a mut [MaybeUninit<u8>],
    // Invariant: the first `filled` bytes of `bytes` are initialised, and
    // `filled` never exceeds the length of `bytes`.
    filled: usize,
}

impl<'a> Buffer<'a> {
    /// An empty buffer in `bytes`.
    pub fn new(bytes: &'a mut [MaybeUninit<u8>]) -> Self {
        Self { bytes, filled: 0 }
    }

    /// The number of bytes that fit into the buffer in all.
    pub fn capacity(&self) -> usize {
        self.bytes.len()
    }

    /// Whether all bytes are filled.
    pub fn is_full(&self) -> bool {
        self.filled == self.bytes.len()
    }

    /// The filled bytes.
    pub fn filled(&self) -> &[u8] {
        // SAFETY: by the invariant of `filled`, these bytes are initialised and
        // lie within `bytes`.
        unsafe { slice::from_raw_parts(self.bytes.as_ptr().cast(), self.filled) }
    }

    /// The filled bytes, for as long as the memory of the buffer lives.
    pub fn into_filled(self) -> &'a [u8] {
        // SAFETY: by the invariant of `filled`, these bytes are initialised and
        // lie within `bytes`, which `self` borrows for `'a`.
        unsafe { slice::from_raw_parts(self.bytes.as_ptr().cast(), self.filled) }
    }

    /// All bytes of the buffer, for a system call that writes to them.
    pub fn memory(&mut self) -> &mut [MaybeUninit<u8>] {
        self.bytes
    }

    /// Overwrites filled bytes from the offset `at` on with `value`. Does
    /// nothing if `value` would not lie within the filled bytes.
    pub fn put<const N: usize>(&mut self, at: usize, value: [u8; N]) {
        let to = self.bytes.get_mut(at..self.filled);

        if let Some(to) = to.and_then(<[_]>::first_chunk_mut) {
            *to = value.map(MaybeUninit::new);
        }
    }

    /// Sets how many bytes are filled.
    ///
    /// # Safety
    ///
    /// The first `n` bytes of `memory()` are initialised.
    pub unsafe fn set_filled(&mut self, n: usize) {
        self.filled = n;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_copied_while_there_is_room() {
        let mut to = *b"......";

        assert_eq!(copy(&mut to[..3], b"text"), 3);
        assert_eq!(copy(&mut to[3..], b"ab"), 2);
        assert_eq!(&to, b"texab.");
    }

    #[test]
    fn a_buffer_has_filled_bytes() {
        let mut memory = [MaybeUninit::new(b'.'); 8];
        let mut buffer = Buffer::new(&mut memory);

        assert_eq!((buffer.capacity(), buffer.filled()), (8, &b""[..]));
        assert_eq!(copy(buffer.memory(), b"text"), 4);
        // SAFETY: all bytes of `memory` are initialised.
        unsafe { buffer.set_filled(4) };
        assert!(!buffer.is_full());

        // Four bytes fit only at the beginning.
        buffer.put(1, *b"TEXT");
        buffer.put(2, *b"XY");
        assert_eq!(buffer.filled(), b"teXY");

        // SAFETY: all bytes of `memory` are initialised.
        unsafe { buffer.set_filled(8) };
        assert!(buffer.is_full());
        assert_eq!(buffer.into_filled(), b"teXY....");
    }
}
