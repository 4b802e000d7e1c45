//! Claims slots of the region for the processes of a master.

use std::ops::Range;

use super::settings::{LOOKED_AT, MASTERS};
use super::shared::Region;
use super::{orphans, table};
use crate::message::peers::{self, State};

/// Claims a slot of the region for a process of this master. Returns the slot and
/// the incarnation of the process.
pub fn for_process(region: &Region) -> Option<(u32, u32)> {
    let slots = MASTERS..region.layout.sizes.slots;

    claim(region, slots, LOOKED_AT)
}

/// Claims a slot of the region for another master. Returns the slot and the
/// incarnation of the master.
pub fn for_master(region: &Region) -> Option<(u32, u32)> {
    claim(region, 0..MASTERS, 0)
}

/// Claims one of `slots`, if more than `spare` of them have no process.
fn claim(region: &Region, slots: Range<u32>, spare: u32) -> Option<(u32, u32)> {
    let (own, _) = region.master;
    let try_once = || {
        let used = table::used(own);

        if count_free(region, slots.clone()) <= spare as usize {
            return None;
        }

        peers::claim(&region.memory, &region.layout, own, |slot| {
            let is_free = slots.contains(&slot) && !used.has(slot);

            is_free.then(|| table::last(slot))
        })
    };

    try_once().or_else(|| {
        orphans::recover();
        try_once()
    })
}

/// The number of slots that have no process. A claimed slot has none either: mostly a
/// master looks at what waits there.
fn count_free(region: &Region, slots: Range<u32>) -> usize {
    let state = |slot| peers::state(&region.memory, &region.layout, slot).0;

    slots
        .filter(|&slot| matches!(state(slot), State::Vacant | State::Claimed))
        .count()
}
