//! The number of a slot of the process table.

use std::fmt;

use crate::config::ngx_int_t;

/// The number of slots of ngx_processes[].
pub const NGX_MAX_PROCESSES: usize = 1024;

/// The number of a slot: the index into `ngx_processes[]`.
///
/// It is less than `NGX_MAX_PROCESSES`, or [`Slot::NONE`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot(usize);

impl Slot {
    /// No slot. In the table it names the sentinel behind the last slot, which
    /// is always empty.
    pub const NONE: Self = Self(NGX_MAX_PROCESSES);

    /// The slot `index`; `NONE` if there is no such slot.
    pub fn new(index: usize) -> Self {
        Self(index.min(NGX_MAX_PROCESSES))
    }

    /// The slot that C or another process names; `None` if there is no such
    /// slot.
    pub fn from_c(slot: ngx_int_t) -> Option<Self> {
        usize::try_from(slot)
            .ok()
            .filter(|&index| index < NGX_MAX_PROCESSES)
            .map(Self)
    }

    /// The number as C has it. `NONE` is `NGX_MAX_PROCESSES`.
    pub fn to_c(self) -> ngx_int_t {
        self.0.cast_signed()
    }

    /// The index into an array of `NGX_MAX_PROCESSES` elements, or one behind
    /// it.
    pub fn index(self) -> usize {
        self.0
    }

    /// The slots from this one on, without `NONE`.
    pub fn and_later(self) -> impl Iterator<Item = Self> + use<> {
        (self.0..NGX_MAX_PROCESSES).map(Self)
    }
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
