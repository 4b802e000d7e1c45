//! The traffic of a process, for the list of processes.

use super::shared;
use crate::host::traffic::Traffic;
use crate::message::layout::{Class, Lane};
use crate::message::statistics::statistics;
use crate::messaging::board;
use crate::table::slot::Slot;

/// Reads the counters of the process in a slot. All are 0 if the slot has no
/// messages. Returns `None` if the program has none.
pub fn totals(slot: Slot) -> Option<Traffic> {
    let mut totals = Traffic::default();
    let region = shared::get()?;
    let Some(own) = region.slot_of(slot) else {
        return Some(totals);
    };

    for other in 0..region.layout.sizes.slots {
        for class in Class::ALL {
            let lane = |receiver, sender| Lane {
                class,
                receiver,
                sender,
            };
            let out = statistics(&region.memory, &region.layout, lane(other, own));
            let into = statistics(&region.memory, &region.layout, lane(own, other));

            totals.sent += out.sent as usize;
            totals.refused += out.refused as usize;
            totals.received += into.received as usize;
            totals.waiting += into.waiting as usize;
            totals.deepest = totals.deepest.max(into.deepest as usize);
            totals.lost += into.gaps as usize;
        }
    }

    totals.unknown = board::unknown(&region.board, own) as usize;

    Some(totals)
}
