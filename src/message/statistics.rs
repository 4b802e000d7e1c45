//! What any process can read about the traffic between two others.

use std::mem::offset_of;
use std::sync::atomic::Ordering::Relaxed;

use super::layout::{Lane, LaneHead, Layout};
use super::memory::Memory;

/// The counters of one lane since the region was made. Those of the sender are
/// written when a chunk is full and in [`tidy`], so they can be late.
///
/// [`tidy`]: super::endpoint::Endpoint::tidy
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Messages that were sent.
    pub sent: u64,
    /// Messages that were received.
    pub received: u64,
    /// Messages that wait, as far as the counters say.
    pub waiting: u64,
    /// The largest number of records that waited when a chunk was full.
    pub deepest: u64,
    /// Messages that were refused because there was no room.
    pub refused: u64,
    /// Records that were lost, see [`Gap`](super::taken::Gap).
    pub gaps: u64,
}

/// Reads the counters of a lane; all are 0 if a slot does not exist.
pub fn statistics<M: Memory>(memory: &M, layout: &Layout, lane: Lane) -> Statistics {
    if lane.receiver >= layout.sizes.slots || lane.sender >= layout.sizes.slots {
        return Statistics::default();
    }

    let head = layout.lane(lane);
    let get = |field| memory.load(head + field, Relaxed);
    let sent = get(offset_of!(LaneHead, sent));
    let received = get(offset_of!(LaneHead, received));
    let gaps = get(offset_of!(LaneHead, gaps));

    Statistics {
        sent,
        received,
        waiting: sent.saturating_sub(received).saturating_sub(gaps),
        deepest: get(offset_of!(LaneHead, deepest)),
        refused: get(offset_of!(LaneHead, refused)),
        gaps,
    }
}
