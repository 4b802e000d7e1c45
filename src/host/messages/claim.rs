//! Claims slots of the region for the processes of a master.

use std::ops::Range;

use super::settings::MASTERS;
use super::shared::Region;
use super::{orphans, table};
use crate::message::peers;

/// Claims a slot of the region for a process of this master. Returns the slot and
/// the incarnation of the process.
pub fn for_process(region: &Region) -> Option<(u32, u32)> {
    claim(region, MASTERS..region.layout.sizes.slots)
}

/// Claims a slot of the region for another master. Returns the slot and the
/// incarnation of the master.
pub fn for_master(region: &Region) -> Option<(u32, u32)> {
    claim(region, 0..MASTERS)
}

fn claim(region: &Region, slots: Range<u32>) -> Option<(u32, u32)> {
    let (own, _) = region.master;
    let try_once = || {
        let used = table::used(own);

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
