//! What a sender counts, and how long it has not used a lane.

use std::mem::offset_of;
use std::sync::atomic::Ordering::{Acquire, Relaxed};

use super::lane;
use super::layout::{Class, LaneHead};
use super::letter::Load;
use super::member::Member;
use super::memory::Memory;
use super::out_lane::OutLane;
use super::pool;
use super::send::Outgoing;
use super::statistics::Statistics;
use super::words::{Place, count_between};

impl OutLane {
    /// The number of records that the receiver has not taken.
    pub(super) fn waiting(&self, place: Place) -> u32 {
        count_between(place.number(), self.at.number)
    }

    /// Continues the counters of a predecessor. It may have sent more than it had
    /// published: `waiting` is the number of messages that wait.
    pub(super) fn continue_counting(&mut self, before: Statistics, waiting: u64) {
        self.sent = before.sent.max(before.taken.saturating_add(waiting));
        self.refused = before.refused;
        self.deepest = before.deepest as u32;
    }

    /// The number of records that the receiver has not handled.
    fn unfinished<M: Memory>(&self, m: &Member<M>) -> u32 {
        let at = m.layout.lane(self.lane) + offset_of!(LaneHead, done);
        let done = match m.memory.load(at, Acquire) {
            // The receiver has not taken the first record, whose number is not always 0.
            0 => lane::place(&m.memory, &m.layout, self.lane).number(),
            done => done as u32,
        };

        count_between(done, self.at.number)
    }

    /// The number of chunks of the receiver's pool that the lane uses.
    pub fn chunks(&self) -> u32 {
        self.held_chunks + u32::from(self.is_open)
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

impl Outgoing {
    /// The number of records of this process that a receiver has not handled.
    pub fn unfinished<M: Memory>(&self, m: &Member<M>, receiver: u32) -> u32 {
        let lanes = self.lanes.iter().filter_map(|lanes| lanes.get(receiver));

        lanes.fold(0, |sum, lane| sum.saturating_add(lane.unfinished(m)))
    }

    /// How much of the memory of a receiver is in use.
    pub fn load_of<M: Memory>(&mut self, m: &Member<M>, receiver: u32) -> Load {
        let mut load = Load {
            limit: m.layout.sizes.quota,
            ..Load::default()
        };

        for lane in self
            .lanes
            .iter_mut()
            .filter_map(|lanes| lanes.get_mut(receiver))
        {
            lane.settle(m);

            let place = lane::place(&m.memory, &m.layout, lane.lane());

            load.records = load.records.saturating_add(lane.waiting(place));

            if !lane.lane().class.is_control() {
                load.own = lane.chunks();
            }
        }

        if m.has_slot(receiver) {
            let chunks = pool::range(&m.layout, Class::Data);
            let is_used =
                |&chunk: &u32| m.memory.load(m.layout.owner(receiver, chunk), Relaxed) != 0;

            load.all = chunks.len() as u32;
            load.used = chunks.filter(is_used).count() as u32;
        }

        load
    }
}
