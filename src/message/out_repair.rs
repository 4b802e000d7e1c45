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
use super::peers::State;
use super::pool;
use super::words::{Owner, Place, Use, is_before};

impl OutLane {
    /// If the receiver has found damage, opens the lane again, so that the
    /// receiver learns how much was lost. If there is no room the next message
    /// does it. A slot without a process gets no chunk, because none would free it.
    pub fn repair<M: Memory>(&mut self, m: &Member<M>) {
        self.settle(m);

        let (state, _) = m.state(self.lane.receiver);
        let is_due = !self.is_introduced
            && !self.is_reserved
            && (state.is_alive() || state == State::Awaited);

        if is_due && self.introduce(m).is_ok() {
            m.tell(self.lane);
        }
    }

    /// Makes the next record open the lane again, because the receiver cannot
    /// continue. Frees the chunks that the receiver has not passed.
    #[cold]
    pub(super) fn abandon<M: Memory>(&mut self, m: &Member<M>) {
        let receiver = self.lane.receiver;

        for chunk in self.chunks_in_use() {
            if let Some(owner) = self.owner_of(m, chunk) {
                pool::release(&m.memory, &m.layout, receiver, chunk..chunk + 1, owner);
            }
        }

        self.restart();
    }

    /// The chunks that the receiver has not freed, as far as this process knows.
    fn chunks_in_use(&self) -> impl Iterator<Item = u32> {
        let current = self.is_open.then_some(self.at.chunk);

        self.held
            .iter()
            .flat_map(|held| held.chunk..held.chunk + held.count)
            .chain(current)
    }

    /// The owner of a chunk, if this process has claimed it for records of this class.
    fn owner_of<M: Memory>(&self, m: &Member<M>, chunk: u32) -> Option<Owner> {
        let lane = self.lane;

        pool::owner(&m.memory, &m.layout, lane.receiver, chunk).filter(|owner| {
            owner.slot == m.slot && owner.class() == lane.class && owner.usage != Use::Shared
        })
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
        self.introduce_again(m);
        self.repair(m);

        let place = lane::place(&m.memory, &m.layout, self.lane);

        // The next record opens the lane, or the receiver has read the `Close`.
        let is_at_rest =
            !self.is_open && (!self.is_introduced || place == Place::Closed(self.at.number));

        if self.is_reserved || is_at_rest {
            return;
        }

        let seems_stuck = if self.is_open {
            self.assert_words(m);
            self.is_lost(m, place) || self.has_hole(m, place) || self.lacks_chunk(m, place)
        } else {
            !self.finds_close(m, place)
        };

        // A receiver that has moved on meanwhile can have freed what was looked for. It
        // stores its place before it frees a chunk, so its place is another one then.
        if seems_stuck && place == lane::place(&m.memory, &m.layout, self.lane) {
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

    /// Makes the next record a `Mark` if the receiver is another process than that which
    /// has got the last one. The receiver looks for the sender's incarnation in words
    /// that its predecessor could overwrite.
    fn introduce_again<M: Memory>(&mut self, m: &Member<M>) {
        let (state, receiver) = m.state(self.lane.receiver);

        if self.is_open && !self.is_reserved && state.is_alive() && receiver != self.introduced_to {
            self.is_introduced = false;
            self.ready = None;
        }
    }

    /// Whether a chunk that the receiver has not freed does not belong to this lane any
    /// more. Another sender can claim it then, and write to the records that wait.
    fn lacks_chunk<M: Memory>(&self, m: &Member<M>, place: Place) -> bool {
        let is_missing = |chunk| self.owner_of(m, chunk).is_none();

        is_missing(self.at.chunk)
            || self.held.iter().any(|held| {
                is_before(place.number(), held.until)
                    && (held.chunk..held.chunk + held.count).any(is_missing)
            })
    }

    /// Whether the receiver of a closed lane stands before the `Close`. When the lane was
    /// closed it had taken all other records.
    fn finds_close<M: Memory>(&self, m: &Member<M>, place: Place) -> bool {
        match place {
            Place::Open(at) if lane::is_valid(&m.layout, at) => {
                lane::look(&m.memory, &m.layout, self.lane, at) == Found::Close(self.at.number)
            }
            _ => false,
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
                lane::look(&m.memory, &m.layout, self.lane, at) == Found::Empty
            }
            _ => false,
        }
    }
}
