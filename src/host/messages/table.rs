//! A table of a master: the slot of the region that each of its processes has.
//!
//! Two binaries share the region during an upgrade, so the slot of a process is
//! not a function of its slot in `ngx_processes`. A master keeps its own table in
//! private memory: no other process can make it recover, or give away, the slot of
//! a process that runs.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

use crate::message::layout::MAX_SLOTS;
use crate::table::slot::{NGX_MAX_PROCESSES, Slot};

/// A process of this master.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// The slot of the region.
    pub slot: u32,
    /// The incarnation of the process.
    pub incarnation: u32,
    /// Whether the process has got its slot and was not forked yet.
    pub is_new: bool,
    /// Whether the process is the master of a new binary.
    pub is_new_binary: bool,
}

/// The entry of a process: the incarnation, and in the higher half the slot plus 1.
/// 0: the process has no slot of the region. A signal handler reads the entries.
static TABLE: [AtomicU64; NGX_MAX_PROCESSES] = [const { AtomicU64::new(0) }; NGX_MAX_PROCESSES];

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
}

fn pack(held: Held) -> u64 {
    let new = if held.is_new { NEW } else { 0 };
    let new_binary = if held.is_new_binary { NEW_BINARY } else { 0 };

    new | new_binary | u64::from(held.slot + 1) << 32 | u64::from(held.incarnation)
}

fn unpack(entry: u64) -> Option<Held> {
    let slot = (entry & !(NEW | NEW_BINARY)) >> 32;

    Some(Held {
        slot: u32::try_from(slot.checked_sub(1)?).ok()?,
        incarnation: entry as u32,
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
                incarnation: u32::MAX,
                is_new,
                is_new_binary,
            };

            assert_eq!(unpack(pack(held)), Some(held));
        }

        assert_eq!(unpack(0), None);
    }
}
