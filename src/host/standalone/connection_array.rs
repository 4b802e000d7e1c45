//! The array of the connections of an event loop, which C finds in the field
//! `connections` of the cycle.

use std::ffi::c_void;
use std::ptr::{self, NonNull};

use super::cycle::Cycle;
use super::entry::ENTRY_SIZE;
use super::types::ngx_connection_t;
use crate::sys::heap;

/// The largest number of elements. The array never moves, because C has pointers to
/// its elements.
const CAPACITY: usize = 65536;

/// Memory for connections. It is reserved when the first connection is made, and
/// never freed.
pub enum ConnectionArray {
    /// No connection has been made yet.
    New,
    /// The first element.
    Reserved(NonNull<c_void>),
    /// The kernel has refused the memory: each connection has memory of its own.
    Refused,
}

// SAFETY: only the event loop of one thread uses the memory.
unsafe impl Send for ConnectionArray {}

impl ConnectionArray {
    /// Reserves the memory, unless that has been done.
    fn first(&mut self) -> Option<NonNull<c_void>> {
        if matches!(self, Self::New) {
            *self = heap::reserve(CAPACITY * ENTRY_SIZE).map_or(Self::Refused, Self::Reserved);
        }

        match self {
            Self::Reserved(first) => Some(*first),
            Self::New | Self::Refused => None,
        }
    }

    /// The place of the element `index`; `None` if it is not in the array.
    pub fn place(&mut self, index: usize) -> Option<NonNull<c_void>> {
        let first = self.first().filter(|_| index < CAPACITY)?;

        // SAFETY: the memory has room for `CAPACITY` elements.
        Some(unsafe { first.byte_add(index * ENTRY_SIZE) })
    }

    /// Stores the array, of which `n` elements have been made, in `cycle`.
    pub fn publish(&self, n: usize, cycle: Cycle) {
        match self {
            Self::Reserved(first) => cycle.set_connections(first.as_ptr().cast(), n.min(CAPACITY)),
            Self::New | Self::Refused => clear(cycle),
        }
    }
}

/// Removes the array from `cycle`.
pub fn clear(cycle: Cycle) {
    cycle.set_connections(ptr::null_mut::<ngx_connection_t>(), 0);
}
