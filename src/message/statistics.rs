//! The counters of a lane, which any process can read.

use std::mem::offset_of;
use std::sync::atomic::Ordering::Relaxed;

use super::known::is_known;
use super::layout::{Lane, LaneHead, Layout};
use super::memory::Memory;

/// The word `gaps` of a lane has two counters. This number is added to the word for a
/// message that was lost after it had been received. 1 is added for each record that
/// was lost before it was received.
pub const HANDLED: u64 = 1 << 40;

/// The counters of one lane since the region was made. Those of the sender are
/// written when some chunks are full and in [`tidy`], so they can be late.
///
/// [`tidy`]: super::endpoint::Endpoint::tidy
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Messages that were sent.
    pub sent: u64,
    /// Messages that were received.
    pub received: u64,
    /// Messages that wait, computed from the other counters.
    pub waiting: u64,
    /// The largest number of records that waited when the sender has looked.
    pub deepest: u64,
    /// Messages that were refused because there was no room.
    pub refused: u64,
    /// Records that were lost, see [`Gap`](super::taken::Gap).
    pub gaps: u64,
    /// Records that do not wait any more: they were received, or lost before.
    pub taken: u64,
}

impl Statistics {
    /// The counters of two lanes together. A process can have overwritten them, so the
    /// sums have a limit.
    pub fn with(self, other: Self) -> Self {
        Self {
            sent: self.sent.saturating_add(other.sent),
            received: self.received.saturating_add(other.received),
            waiting: self.waiting.saturating_add(other.waiting),
            deepest: self.deepest.max(other.deepest),
            refused: self.refused.saturating_add(other.refused),
            gaps: self.gaps.saturating_add(other.gaps),
            taken: self.taken.saturating_add(other.taken),
        }
    }
}

/// Reads the counters of a lane; all are 0 if a slot does not exist, or if the
/// lane was never opened.
pub fn statistics<M: Memory>(memory: &M, layout: &Layout, lane: Lane) -> Statistics {
    let slots = layout.sizes.slots;

    if lane.receiver >= slots || lane.sender >= slots || !is_known(memory, layout, lane) {
        return Statistics::default();
    }

    let head = layout.lane(lane);
    let get = |field| memory.load(head + field, Relaxed);
    let sent = get(offset_of!(LaneHead, sent));
    let received = get(offset_of!(LaneHead, received));
    let gaps = get(offset_of!(LaneHead, gaps));
    let (handled, lost) = (gaps / HANDLED, gaps % HANDLED);
    let taken = received.saturating_add(lost);

    Statistics {
        sent,
        received,
        waiting: sent.saturating_sub(taken),
        deepest: get(offset_of!(LaneHead, deepest)),
        refused: get(offset_of!(LaneHead, refused)),
        gaps: lost + handled,
        taken,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_of_overwritten_counters_have_a_limit() {
        let most = Statistics {
            sent: u64::MAX,
            received: u64::MAX,
            waiting: u64::MAX,
            deepest: u64::MAX,
            refused: u64::MAX,
            gaps: u64::MAX,
            taken: u64::MAX,
        };
        let one = Statistics {
            sent: 1,
            deepest: 2,
            ..Statistics::default()
        };

        assert_eq!(most.with(most), most);
        assert_eq!(one.with(one).sent, 2);
        assert_eq!(one.with(one).deepest, 2);
    }
}
