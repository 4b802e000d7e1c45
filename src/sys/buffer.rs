//! A caller's buffer that fills up, whose rest nobody has initialised.

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

/// Copies as many bytes as there are in `from` and fit into `to`.
///
/// Returns how many bytes were copied. Async-signal-safe.
pub fn copy<B: Byte>(to: &mut [B], from: &[u8]) -> usize {
    for (to, &from) in to.iter_mut().zip(from) {
        to.set(from);
    }

    to.len().min(from.len())
}

/// A buffer and how much of it is filled.
pub struct Buffer<'a> {
    bytes: &'a mut [MaybeUninit<u8>],
    // Invariant: the first `filled` bytes are initialised; it never exceeds
    // the length of `bytes`.
    filled: usize,
}

impl<'a> Buffer<'a> {
    /// An empty one.
    pub fn new(bytes: &'a mut [MaybeUninit<u8>]) -> Self {
        Self { bytes, filled: 0 }
    }

    /// How much it takes in all.
    pub fn capacity(&self) -> usize {
        self.bytes.len()
    }

    /// Whether there is no room left.
    pub fn is_full(&self) -> bool {
        self.filled == self.bytes.len()
    }

    /// What it holds.
    pub fn filled(&self) -> &[u8] {
        // SAFETY: the invariant of `filled`.
        unsafe { slice::from_raw_parts(self.bytes.as_ptr().cast(), self.filled) }
    }

    /// What it holds, for as long as the bytes live.
    pub fn into_filled(self) -> &'a [u8] {
        // SAFETY: the invariant of `filled`.
        unsafe { slice::from_raw_parts(self.bytes.as_ptr().cast(), self.filled) }
    }

    /// Where the next bytes go.
    pub fn rest(&mut self) -> &mut [MaybeUninit<u8>] {
        self.bytes.get_mut(self.filled..).unwrap_or_default()
    }

    /// Adds as much of `bytes` as there is room for, returns what is left.
    pub fn append<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        let n = copy(self.rest(), bytes);

        self.filled += n;

        bytes.get(n..).unwrap_or_default()
    }

    /// Holds nothing any more.
    pub fn clear(&mut self) {
        self.filled = 0;
    }

    /// Overwrites what it holds from `at` on.
    pub fn put<const N: usize>(&mut self, at: usize, value: [u8; N]) {
        let to = self.bytes.get_mut(at..self.filled);

        if let Some(to) = to.and_then(<[_]>::first_chunk_mut) {
            *to = value.map(MaybeUninit::new);
        }
    }

    /// Counts `n` more bytes as filled.
    ///
    /// # Safety
    ///
    /// The first `n` bytes of `rest()` have been written.
    pub unsafe fn advance(&mut self, n: usize) {
        self.filled += n;
    }
}
