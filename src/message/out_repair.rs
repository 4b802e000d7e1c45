//! What a sender does when the receiver of a lane cannot continue, because another
//! process has overwritten the records or the words of the lane.

use std::mem::offset_of;
use std::sync::atomic::Ordering::Relaxed;

use super::known::make_known;
use super::lane::{self, Found};
use super::layout::LaneHead;
use super::member::Member;
use super::memory::Memory;
use super::out_lane::OutLane;
use super::pool;
use super::words::{Place, is_before};

impl OutLane {
    /// If the receiver has found damage, opens the lane again, so that the
    /// receiver learns how much was lost. If there is no room the next message
    /// does it.
    pub fn repair<M: Memory>(&mut self, m: &Member<M>) {
        self.settle(m);

        if !self.is_introduced && !self.is_reserved && self.introduce(m).is_ok() {
            m.tell(self.lane);
        }
    }

    /// Makes the next record open the lane again, because the receiver cannot
    /// continue. Frees the chunks that the receiver has not passed.
    #[cold]
    pub(super) fn abandon<M: Memory>(&mut self, m: &Member<M>) {
        let receiver = self.lane.receiver;
        let chunks = self
            .held
            .iter()
            .flat_map(|held| held.chunk..held.chunk + held.count);

        for chunk in chunks.chain([self.at.chunk]) {
            let owner = pool::owner(&m.memory, &m.layout, receiver, chunk);

            if let Some(owner) = owner.filter(|owner| owner.slot == m.slot) {
                pool::release(&m.memory, &m.layout, receiver, chunk..chunk + 1, owner);
            }
        }

        self.restart();
    }

    /// Makes the next record open the lane again.
    fn restart(&mut self) {
        self.ready = None;
        self.is_open = false;
        self.is_introduced = false;
        // The old chunk can have the same number, if it has no record yet.
        self.at.number = self.at.number.wrapping_add(1);
        self.held.clear();
        self.held_chunks = 0;
    }

    /// Writes the words of the lane again that another process has changed, makes
    /// the receiver look at the lane if it has not taken all records, and opens
    /// the lane again if the receiver cannot continue.
    pub fn remind<M: Memory>(&mut self, m: &Member<M>) {
        self.repair(m);

        if self.is_reserved || !self.is_open {
            return;
        }

        self.assert_words(m);

        let place = lane::place(&m.memory, &m.layout, self.lane);

        if self.is_lost(m, place) || self.has_hole(m, place) {
            self.abandon(m);
            self.repair(m);
        } else if self.waiting(place) > 0 {
            m.tell(self.lane);
            self.ring(m, place);
        }
    }

    /// Wakes up a receiver that has taken nothing since the last round, even if
    /// it does not say that it sleeps: another process can have changed that.
    fn ring<M: Memory>(&mut self, m: &Member<M>, place: Place) {
        if self.reminded == Some(place) {
            m.memory.ring(self.lane.receiver);
        }

        self.reminded = Some(place);
    }

    fn assert_words<M: Memory>(&self, m: &Member<M>) {
        let at = m.layout.lane(self.lane) + offset_of!(LaneHead, first);

        make_known(&m.memory, &m.layout, self.lane);

        if m.memory.load(at, Relaxed) != self.first.pack() {
            m.memory.swap(at, self.first.pack());
        }
    }

    /// Whether the receiver cannot find where the lane was opened last, or waits
    /// at a position where no record will be.
    fn is_lost<M: Memory>(&self, m: &Member<M>, place: Place) -> bool {
        let first = self.first.position();

        match place {
            Place::Open(at) if !is_before(at.number, first.number) => {
                !is_before(at.number, self.at.number) && at != self.at
            }
            _ => !lane::owns(&m.memory, &m.layout, self.lane, first),
        }
    }

    /// Whether the record that the receiver reads next was committed, and has no
    /// header any more.
    fn has_hole<M: Memory>(&self, m: &Member<M>, place: Place) -> bool {
        match place {
            Place::Open(at) if self.waiting(place) > 0 && lane::is_valid(&m.layout, at) => {
                let found = lane::look(&m.memory, &m.layout, self.lane(), at);

                // If the receiver has moved on, the chunk may be in use for
                // something else.
                found == Found::Empty && place == lane::place(&m.memory, &m.layout, self.lane())
            }
            _ => false,
        }
    }
}
