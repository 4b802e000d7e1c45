//! The number of a slot of the process table.

use std::fmt;

use crate::config::ngx_int_t;

/// The number of slots of ngx_processes[].
pub const NGX_MAX_PROCESSES: usize = 1024;

/// The number of a slot: the index into `ngx_processes[]`.
///
/// The number is less than `NGX_MAX_PROCESSES`, or it is [`Slot::NONE`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot(usize);

impl Slot {
    /// The number that means "no slot". It is the index of the sentinel, an
    /// entry behind the last slot that never has a process.
    pub const NONE: Self = Self(NGX_MAX_PROCESSES);

    /// The slot `index`; `NONE` if `index` is too large.
    pub fn new(index: usize) -> Self {
        Self(index.min(NGX_MAX_PROCESSES))
    }

    /// The slot that C code or another process names by `slot`; `None` if there
    /// is no slot with this number.
    pub fn from_c(slot: ngx_int_t) -> Option<Self> {
        usize::try_from(slot)
            .ok()
            .filter(|&index| index < NGX_MAX_PROCESSES)
            .map(Self)
    }

    /// Converts the number for C; `NONE` becomes `NGX_MAX_PROCESSES`.
    pub fn to_c(self) -> ngx_int_t {
        self.0.cast_signed()
    }

    /// The number as an index into an array that has one element for each slot.
    /// The index of `NONE` is one behind the last element.
    pub fn index(self) -> usize {
        self.0
    }

    /// This slot and all slots behind it, without `NONE`.
    pub fn and_later(self) -> impl Iterator<Item = Self> + use<> {
        (self.0..NGX_MAX_PROCESSES).map(Self)
    }
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
