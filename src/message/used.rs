//! The last slot that was ever used, plus 1: the number of used slots.
//!
//! Slots are given from the first one on, and most of them never have a process. A sender
//! that looks for the processes of a set looks only at the slots before this number, because
//! each look costs a cache line.

use std::mem::offset_of;
use std::sync::atomic::Ordering::Acquire;

use super::layout::{Layout, RegionHead};
use super::memory::Memory;

const USED: usize = offset_of!(RegionHead, used);

/// Records that a slot is used. The caller writes its state afterwards, so that a sender
/// that sees the state can find it.
pub fn note<M: Memory>(memory: &M, slot: u32) {
    let wanted = u64::from(slot) + 1;

    loop {
        let before = memory.load(USED, Acquire);

        if before >= wanted || memory.replace(USED, before, wanted) {
            return;
        }
    }
}

/// The number of used slots. Another process can have overwritten it.
#[inline]
pub fn slots<M: Memory>(memory: &M, layout: &Layout) -> u32 {
    let slots = layout.sizes.slots;

    u32::try_from(memory.load(USED, Acquire)).map_or(slots, |used| used.min(slots))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering::Relaxed;

    use super::*;
    use crate::message::identity::Identity;
    use crate::message::layout::Sizes;
    use crate::message::lineage::Lineage;
    use crate::message::mapped::Mapped;
    use crate::message::peers;

    const SLOTS: u32 = 8;

    fn region() -> (Mapped, Layout) {
        let sizes = Sizes {
            slots: SLOTS,
            ..Sizes::default()
        };
        let layout = Layout::new(sizes).unwrap();
        let memory = Mapped::new(layout.size(), SLOTS as usize).unwrap();

        layout.create(&&memory);

        (memory, layout)
    }

    #[test]
    fn the_number_grows_when_a_slot_gets_a_process() {
        let (memory, layout) = region();
        let appoint = |slot| {
            peers::appoint(
                &&memory,
                &layout,
                slot,
                Identity::default(),
                Lineage::stranger(1),
            );
            slots(&&memory, &layout)
        };

        assert_eq!(slots(&&memory, &layout), 0);
        assert_eq!(appoint(2), 3);
        assert_eq!(appoint(0), 3);
        assert_eq!(appoint(7), 8);
    }

    #[test]
    fn a_number_that_was_overwritten_names_no_slot_that_does_not_exist() {
        let (memory, layout) = region();

        for wrong in [u64::from(SLOTS) + 1, u64::from(u32::MAX) + 1, u64::MAX] {
            (&&memory).store(USED, wrong, Relaxed);
            assert_eq!(slots(&&memory, &layout), SLOTS);
        }
    }
}
