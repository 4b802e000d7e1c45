//! What the process in a slot is: its worker number, its generation, its role, its master.
//! A seal shows whether the words of the slot that say this fit together.

use std::mem::offset_of;

use super::layout::{MAX_SLOTS, Slot};
use super::words::pair;

/// Says which process is in a slot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// The worker number; `None` if the process has none.
    pub worker: Option<u32>,
    /// The generation, which grows with each reload.
    pub generation: u64,
    /// The role. This directory does not interpret it.
    pub role: u64,
    /// The slot and the incarnation of the master that has started the process. A
    /// master has its own.
    pub master: (u32, u32),
    /// The number of the process in the table of its master, less than [`MAX_SLOTS`];
    /// `None` for a master.
    pub place: Option<u32>,
}

impl Identity {
    /// Whether a process can have this identity. Programs use its place as an index of
    /// `ngx_processes`, which has an element for each slot that a region can have.
    pub(super) fn is_possible(self) -> bool {
        self.place.is_none_or(|place| place < MAX_SLOTS)
    }

    /// Whether the identity of the process could not be read.
    pub fn is_unknown(self) -> bool {
        self.master.1 == 0
    }

    /// The checksum of the identity of a process. Without it, a number that another
    /// process has overwritten could lead messages to a wrong process.
    pub(super) fn seal(self, incarnation: u32, line: u32) -> u64 {
        self.words()
            .iter()
            .fold(!pair(incarnation, line), |sum, &(_, word)| {
                (sum ^ word)
                    .wrapping_mul(0x9e37_79b9_7f4a_7c15)
                    .rotate_left(29)
            })
    }

    /// All words of the slot of a process that say what it is.
    pub fn sealed_words(self, incarnation: u32, line: u32) -> impl Iterator<Item = (usize, u64)> {
        self.words().into_iter().chain([
            (offset_of!(Slot, line), line.into()),
            (offset_of!(Slot, seal), self.seal(incarnation, line)),
        ])
    }

    /// The words of a slot that say what the process is: their offsets in the slot,
    /// and their values.
    fn words(self) -> [(usize, u64); 5] {
        let place = self.place.map_or(0, |place| u64::from(place) + 1);

        [
            (
                offset_of!(Slot, worker),
                self.worker.map_or(u64::MAX, u64::from),
            ),
            (offset_of!(Slot, generation), self.generation),
            (offset_of!(Slot, role), self.role),
            (offset_of!(Slot, master), pair(self.master.0, self.master.1)),
            (offset_of!(Slot, place), place),
        ]
    }
}
