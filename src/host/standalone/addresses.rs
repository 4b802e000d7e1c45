//! The handle [`Addresses`]: an array of `ngx_listening_t`.

use std::ffi::c_void;
use std::mem::offset_of;
use std::ptr::NonNull;

use super::listening::Listening;
use super::types::{ngx_connection_t, ngx_listening_t};

/// The size of an `ngx_listening_t` in version 0.1.
pub const FIRST_SIZE: usize =
    offset_of!(ngx_listening_t, connection) + size_of::<*mut ngx_connection_t>();

// No padding behind the last field, see `sized`.
const _: () = assert!(FIRST_SIZE == size_of::<ngx_listening_t>());

/// The addresses that workers accept connections on. The elements have the size
/// that they have for the program, since the program uses the arrays too.
///
/// Invariant: `first` points to `n` elements of `size` bytes, which live as long
/// as the handle is used; without elements it may be NULL. An element has at
/// least [`FIRST_SIZE`] bytes, and one thread uses it.
#[derive(Clone, Copy)]
pub struct Addresses {
    first: *mut ngx_listening_t,
    n: usize,
    size: usize,
}

impl Addresses {
    /// The handle of an array. NULL is an array without elements.
    ///
    /// # Safety
    ///
    /// `first` is NULL, or the arguments keep the invariant of [`Addresses`].
    pub unsafe fn new(first: *mut ngx_listening_t, n: usize, size: usize) -> Self {
        let n = if first.is_null() { 0 } else { n };

        Self { first, n, size }
    }

    /// C's pointer to the first element.
    pub fn as_ptr(self) -> *mut ngx_listening_t {
        self.first
    }

    /// How many there are.
    pub fn count(self) -> usize {
        self.n
    }

    /// How many bytes the array has.
    pub fn bytes(self) -> usize {
        self.n.saturating_mul(self.size)
    }

    /// Each address.
    pub fn iter(self) -> impl Iterator<Item = Listening> {
        let Self { first, n, size } = self;

        // SAFETY: element `i` lies within the array (the type's invariant).
        (0..n).filter_map(move |i| unsafe { Listening::from_ptr(first.byte_add(i * size)) })
    }

    /// A copy of the array in other memory.
    ///
    /// # Safety
    ///
    /// `to` has as many writable bytes as the array, is aligned for it, is not
    /// part of it, and lives as long as the result is used.
    pub unsafe fn copy_to(self, to: NonNull<c_void>) -> Self {
        let first = to.cast::<ngx_listening_t>().as_ptr();

        if self.n != 0 {
            // SAFETY: both have these bytes: the array as its invariant says,
            // `to` as required above.
            unsafe {
                first
                    .cast::<u8>()
                    .copy_from_nonoverlapping(self.first.cast(), self.bytes());
            }
        }

        Self { first, ..self }
    }
}
