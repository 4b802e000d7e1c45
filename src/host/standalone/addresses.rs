//! [`Addresses`], a safe handle for an array of `ngx_listening_t`.

use std::ffi::c_void;
use std::mem::offset_of;
use std::ptr::NonNull;

use super::listening::Listening;
use super::types::{ngx_connection_t, ngx_listening_t};

/// The size of an `ngx_listening_t` in version 0.1.
pub const FIRST_SIZE: usize =
    offset_of!(ngx_listening_t, connection) + size_of::<*mut ngx_connection_t>();

// The structure must end with a field, not with padding, as `sized` explains.
const _: () = assert!(
    offset_of!(ngx_listening_t, previous) + size_of::<*mut ngx_listening_t>()
        == size_of::<ngx_listening_t>()
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
        self.bytes_of(self.n)
    }

    /// The size of `n` elements in bytes.
    pub fn bytes_of(self, n: usize) -> usize {
        n.saturating_mul(self.size)
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
        // SAFETY: the caller passes a `to` with room for all elements.
        unsafe { self.copy_some(to, 0..self.n) }
    }

    /// Copies the elements with the numbers `which` to `to`, one after the other.
    /// Numbers behind the end of the array are left out. Returns the handle of the
    /// copy.
    ///
    /// # Safety
    ///
    /// `to` has room for as many elements as `which` has, is aligned for an
    /// `ngx_listening_t`, does not overlap with the array, and lives as long as
    /// the result is used.
    pub unsafe fn copy_some(self, to: NonNull<c_void>, which: impl Iterator<Item = usize>) -> Self {
        let first = to.cast::<ngx_listening_t>().as_ptr();
        let mut n = 0;

        for i in which.filter(|&i| i < self.n) {
            // SAFETY: the array has more than `i` elements of `size` bytes (the
            // type's invariant), and the caller passes a `to` that has room for
            // this element and does not overlap.
            unsafe {
                first
                    .byte_add(n * self.size)
                    .cast::<u8>()
                    .copy_from_nonoverlapping(self.first.byte_add(i * self.size).cast(), self.size);
            }

            n += 1;
        }

        Self { first, n, ..self }
    }
}
