//! [`Addresses`], a safe handle for an array of `ngx_listening_t`.

use std::ffi::c_void;
use std::mem::offset_of;
use std::ptr::NonNull;

use super::listening::Listening;
use super::types::{ngx_connection_t, ngx_listening_t};
use crate::config::ngx_uint_t;

/// The size of an `ngx_listening_t` in version 0.1.
pub const FIRST_SIZE: usize =
    offset_of!(ngx_listening_t, connection) + size_of::<*mut ngx_connection_t>();

// The structure must end with a field, not with padding, as `sized` explains.
const _: () = assert!(
    offset_of!(ngx_listening_t, port) + size_of::<ngx_uint_t>() == size_of::<ngx_listening_t>()
);

/// The addresses on which workers accept connections. The elements have the
/// size of an `ngx_listening_t` in the headers with which the program was
/// compiled, because the program uses the arrays too.
///
/// Invariant: `first` points to `n` elements of `size` bytes, which live as
/// long as the handle is used; if `n` is 0, `first` can be NULL. An element has
/// at least [`FIRST_SIZE`] bytes, and only one thread uses it.
#[derive(Clone, Copy)]
pub struct Addresses {
    first: *mut ngx_listening_t,
    n: usize,
    size: usize,
}

impl Addresses {
    /// Makes a handle of an array of C. If `first` is NULL, the array has no
    /// elements.
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

    /// The number of addresses.
    pub fn count(self) -> usize {
        self.n
    }

    /// The size of the array in bytes.
    pub fn bytes(self) -> usize {
        self.n.saturating_mul(self.size)
    }

    /// The addresses, one after the other.
    pub fn iter(self) -> impl Iterator<Item = Listening> {
        let Self { first, n, size } = self;

        // SAFETY: the array has `n` elements of `size` bytes (the type's
        // invariant), and `i` is less than `n`.
        (0..n).filter_map(move |i| unsafe { Listening::from_ptr(first.byte_add(i * size), size) })
    }

    /// Copies the array to `to`. Returns the handle of the copy.
    ///
    /// # Safety
    ///
    /// `to` has as many writable bytes as the array, is aligned for an
    /// `ngx_listening_t`, does not overlap with the array, and lives as long as
    /// the result is used.
    pub unsafe fn copy_to(self, to: NonNull<c_void>) -> Self {
        let first = to.cast::<ngx_listening_t>().as_ptr();

        if self.n != 0 {
            // SAFETY: the array has this many bytes (the type's invariant), and
            // the caller passes a `to` that has as many and does not overlap.
            unsafe {
                first
                    .cast::<u8>()
                    .copy_from_nonoverlapping(self.first.cast(), self.bytes());
            }
        }

        Self { first, ..self }
    }
}
