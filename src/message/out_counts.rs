//! What a sender counts, and how long it has not used a lane.

use std::mem::offset_of;
use std::sync::atomic::Ordering::Relaxed;

use super::layout::LaneHead;
use super::member::Member;
use super::memory::Memory;
use super::out_lane::OutLane;
use super::statistics::Statistics;
use super::words::Place;

impl OutLane {
    /// The number of records that the receiver has not taken.
    pub(super) fn waiting(&self, place: Place) -> u32 {
        let waiting = self.at.number.wrapping_sub(place.number());

        if waiting > u32::MAX / 2 { 0 } else { waiting }
    }

    /// Continues the counters of a predecessor. It may have sent more than it had
    /// published: `waiting` is the number of messages that wait.
    pub(super) fn continue_counting(&mut self, before: Statistics, waiting: u64) {
        self.sent = before.sent.max(before.taken.saturating_add(waiting));
        self.refused = before.refused;
        self.deepest = before.deepest as u32;
    }

    /// Counts a message that was refused.
    pub fn count_refused(&mut self) {
        self.refused = self.refused.wrapping_add(1);
    }

    /// Writes the sender's counters to the head of the lane.
    pub fn publish<M: Memory>(&self, m: &Member<M>) {
        let head = m.layout.lane(self.lane);
        let put = |field, value| m.memory.store(head + field, value, Relaxed);

        put(offset_of!(LaneHead, sent), self.sent);
        put(offset_of!(LaneHead, refused), self.refused);
        put(offset_of!(LaneHead, deepest), self.deepest.into());
    }

    /// Records that the lane is used in this round of tidying.
    #[inline]
    pub fn touch(&mut self, round: u32) {
        self.used = round;
    }

    /// Whether the lane was not used in the last `rounds` rounds of tidying.
    pub fn is_idle(&self, round: u32, rounds: u32) -> bool {
        round.wrapping_sub(self.used) >= rounds
    }
}
