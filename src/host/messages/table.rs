//! A table of a master: the slot of the region that each of its processes has.
//!
//! Two binaries share the region during an upgrade, so the slot of a process is
//! not a function of its slot in `ngx_processes`. A master keeps its own table in
//! private memory: no other process can make it recover, or give away, the slot of
//! a process that runs.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicU32, AtomicU64};

use crate::message::layout::MAX_SLOTS;
use crate::message::lineage::Lineage;
use crate::table::slot::{NGX_MAX_PROCESSES, Slot};

/// A process of this master.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// The slot of the region.
    pub slot: u32,
    /// The number of the process in the slot, and those that it replaces.
    pub lineage: Lineage,
    /// Whether the process has got its slot and was not forked yet.
    pub is_new: bool,
    /// Whether the process is the master of a new binary.
    pub is_new_binary: bool,
}

/// The entry of a process; 0: the process has no slot of the region. A signal handler
/// reads the entries, so all is in one word:
///
/// | bits | contents |
/// | --- | --- |
/// | 0 to 31 | the incarnation |
/// | 32 to 42 | the slot plus 1 |
/// | 43 to 61 | how far the first incarnation of the line is behind |
/// | 62 | [`NEW_BINARY`] |
/// | 63 | [`NEW`] |
static TABLE: [AtomicU64; NGX_MAX_PROCESSES] = [const { AtomicU64::new(0) }; NGX_MAX_PROCESSES];

/// For each slot of the region, the incarnation of the last process of this master
/// that had it; 0: none had.
static LAST: [AtomicU32; MAX_SLOTS as usize] = [const { AtomicU32::new(0) }; MAX_SLOTS as usize];

/// The lowest bit of the slot, and of the distance, in an entry.
const SLOT: u32 = 32;
const AGE: u32 = 43;
/// The largest distance. Of the messages that wait for a process, none is for one
/// that was replaced more often.
const MAX_AGE: u32 = (1 << 19) - 1;

const _: () = assert!(MAX_SLOTS < 1 << (AGE - SLOT));
// The place of a process in `ngx_processes`, which `peers` checks.
const _: () = assert!(MAX_SLOTS as usize <= NGX_MAX_PROCESSES);

/// In an entry: the process was not forked yet.
const NEW: u64 = 1 << 63;
/// In an entry: the process is the master of a new binary.
const NEW_BINARY: u64 = 1 << 62;

/// The slot of the region that the process in a slot of `ngx_processes` has.
pub fn get(place: Slot) -> Option<Held> {
    unpack(TABLE.get(place.index())?.load(Relaxed))
}

/// Sets the slot of the region that the process in a slot of `ngx_processes` has.
pub fn set(place: Slot, held: Option<Held>) {
    if let Some(entry) = TABLE.get(place.index()) {
        entry.store(held.map_or(0, pack), Relaxed);
    }

    if let Some(held) = held
        && let Some(last) = LAST.get(held.slot as usize)
    {
        last.store(held.lineage.incarnation, Relaxed);
    }
}

/// Forgets the slots of all processes.
#[cfg(not(feature = "standalone"))]
pub fn clear() {
    for entry in &TABLE {
        entry.store(0, Relaxed);
    }
}

/// The incarnation of the last process of this master that had a slot of the region;
/// 0 if none had.
pub fn last(slot: u32) -> u32 {
    LAST.get(slot as usize).map_or(0, |last| last.load(Relaxed))
}

fn pack(held: Held) -> u64 {
    let new = if held.is_new { NEW } else { 0 };
    let new_binary = if held.is_new_binary { NEW_BINARY } else { 0 };

    let age = held.lineage.age().min(MAX_AGE);

    new | new_binary
        | u64::from(age) << AGE
        | u64::from(held.slot + 1) << SLOT
        | u64::from(held.lineage.incarnation)
}

fn unpack(entry: u64) -> Option<Held> {
    let slot = (entry >> SLOT) as u32 & ((1 << (AGE - SLOT)) - 1);
    let age = (entry >> AGE) as u32 & MAX_AGE;
    let incarnation = entry as u32;

    Some(Held {
        slot: slot.checked_sub(1)?,
        lineage: Lineage {
            incarnation,
            line: incarnation.wrapping_sub(age),
        },
        is_new: entry & NEW != 0,
        is_new_binary: entry & NEW_BINARY != 0,
    })
}

/// The slots of the region that processes of this master have.
pub struct Used([bool; MAX_SLOTS as usize]);

impl Used {
    /// Whether a process of this master has the slot.
    pub fn has(&self, slot: u32) -> bool {
        self.0.get(slot as usize).copied().unwrap_or(false)
    }
}

/// The slots of the region that this master's processes have, and `own`.
pub fn used(own: u32) -> Used {
    let mut used = Used([false; MAX_SLOTS as usize]);
    let all = TABLE.iter().filter_map(|entry| unpack(entry.load(Relaxed)));

    for slot in all.map(|held| held.slot).chain([own]) {
        if let Some(entry) = used.0.get_mut(slot as usize) {
            *entry = true;
        }
    }

    used
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_survive() {
        for (is_new, is_new_binary) in [(false, true), (true, false)] {
            let held = Held {
                slot: MAX_SLOTS - 1,
                lineage: Lineage {
                    incarnation: 3,
                    line: 3_u32.wrapping_sub(MAX_AGE),
                },
                is_new,
                is_new_binary,
            };

            assert_eq!(unpack(pack(held)), Some(held));

            let lineage = Lineage {
                line: 3_u32.wrapping_sub(MAX_AGE + 1),
                ..held.lineage
            };

            assert_eq!(unpack(pack(Held { lineage, ..held })), Some(held));
        }

        assert_eq!(unpack(0), None);
    }
}
