//! The receiver's side of a lane.
//!
//! The receiver keeps its position in memory of its own, and writes it to the
//! shared word `place` for its successor, before the message is handled. So no
//! message is handled twice. The word `done` follows when the message has been
//! handled: if it has not, the successor reports the message as a gap.
//!
//! A receiver that finds something that is no record reads no further. It writes
//! "damaged" to `place`, and waits until the sender opens the lane again in another
//! chunk. The numbers of the records then tell how many were
//! lost.
//!
//! The stores of `place` and `done` need release only: after a kill all stores
//! of the dead process are visible, and its successor begins after the kill. The
//! sender reads `place` to find out which chunks the receiver has freed. If it reads an
//! old value, it finds that out later.

use std::mem::offset_of;
use std::num::NonZeroUsize;
use std::sync::atomic::Ordering::{Relaxed, Release, SeqCst};

use super::ahead;
use super::incarnation;
use super::lane::{self, Found, Record};
use super::layout::{Bitmap, Lane, LaneHead};
use super::member::Member;
use super::memory::Memory;
use super::pool;
use super::taken::{Cause, Gap, Handled, Taken};
use super::words::{First, Place, Position, Use, count_between, is_before};

/// Whether records can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    Open,
    Closed,
    Damaged,
}

/// The receiver's side of a lane. A small message needs the first fields only, which
/// fill a cache line.
#[derive(Clone, Debug)]
#[repr(C, align(64))]
pub struct InLane {
    /// The offset in the region of the chunk of `at`, if the next record can be taken
    /// at once: the lane is open, and nothing comes before the record.
    pub(super) ready: Option<NonZeroUsize>,
    /// The next record. While the lane is not open only the number is valid.
    pub(super) at: Position,
    /// The number of the record that was missing when the lane was found empty.
    pub(super) missing: u32,
    /// The offset of the shared words of the lane.
    pub(super) head: usize,
    pub(super) received: u64,
    /// The incarnation of the sender; 0 if it is not known.
    pub(super) incarnation: u32,
    /// The number of times that the record `missing` was missing.
    pub(super) empty: u32,
    /// The word `first` that was followed last, or that led to damage.
    pub(super) opened: u64,
    pub(super) lane: Lane,
    pub(super) status: Status,
    pub(super) gaps: u64,
    /// The number of the last message whose time is known, and this time in
    /// nanoseconds. The message may not have arrived yet.
    pub(super) time: (u32, u64),
    /// A gap that the previous process of the slot has left.
    pub(super) left: Option<Gap>,
}

impl InLane {
    /// The incarnation of the sender; 0 if it is not known.
    pub fn incarnation(&self) -> u32 {
        self.incarnation
    }

    /// Whether records can be read, and no gap comes before them.
    #[inline]
    fn is_ready(&self) -> bool {
        self.status == Status::Open && self.left.is_none()
    }

    /// Forgets the incarnation of the sender, which is dead.
    pub fn forget(&mut self) {
        self.ready = None;
        self.incarnation = 0;
    }

    /// The next record.
    pub fn position(&self) -> Position {
        self.at
    }

    /// Records that the lane was found empty. Returns how many times in a row it was.
    pub fn count_empty(&mut self) -> u32 {
        if self.missing != self.at.number {
            self.missing = self.at.number;
            self.empty = 0;
        }

        self.empty += 1;
        self.empty
    }

    /// Forgets how many times the lane was found empty.
    pub fn forget_empty(&mut self) {
        self.empty = 0;
    }

    /// Whether something may be in the lane. This access is sequentially
    /// consistent, for a receiver that has just cleared the bit of the lane.
    #[inline]
    pub fn has_more<M: Memory>(&self, m: &Member<M>) -> bool {
        if self.left.is_some() {
            return true;
        }

        if self.status == Status::Open && self.has_record(m) {
            return true;
        }

        self.opening(m).is_some()
    }

    /// Whether there is a header at the position in an open lane.
    pub(super) fn has_record<M: Memory>(&self, m: &Member<M>) -> bool {
        let at = lane::offset(&m.layout, self.lane, self.at);

        m.memory.load(at, SeqCst) != 0
    }

    /// Where the sender has opened the lane since the last look, if it has.
    fn opening<M: Memory>(&self, m: &Member<M>) -> Option<(u64, First)> {
        let at = self.head + offset_of!(LaneHead, first);
        let word = m.memory.load(at, SeqCst);
        let first = First::unpack(word).filter(|_| word != self.opened)?;

        lane::owns(&m.memory, &m.layout, self.lane, first.position()).then_some((word, first))
    }

    /// Takes the next record.
    #[inline]
    pub fn take<M: Memory>(&mut self, m: &Member<M>) -> Taken {
        if !self.is_ready() {
            return self.take_slowly(m);
        }

        match lane::look(&m.memory, &m.layout, self.lane, self.at) {
            Found::Message(record, next) => self.accept(m, record, next),
            other => self.pass(m, other),
        }
    }

    #[cold]
    fn take_slowly<M: Memory>(&mut self, m: &Member<M>) -> Taken {
        // `done` is stored when the gap was handled, as for a message.
        if let Some(gap) = self.left.take() {
            return self.count(m, gap);
        }

        match self.opening(m) {
            Some((word, first)) => self.reopen(m, word, first),
            None => Taken::Nothing,
        }
    }

    #[inline]
    fn accept<M: Memory>(&mut self, m: &Member<M>, record: Record, next: Position) -> Taken {
        let number = self.at.number;
        let payload = lane::payload(&m.memory, &m.layout, self.lane, &record, number);

        if !self.is_mine(m, record) {
            return self.refuse(m, record, payload.is_some(), next);
        }

        let Some(payload) = payload else {
            return self.pass(m, Found::Damaged);
        };

        self.at = next;
        self.ready = NonZeroUsize::new(m.layout.chunk(self.lane.receiver, next.chunk));
        self.store(m);
        self.received = self.received.wrapping_add(1);
        m.memory.store(
            self.head + offset_of!(LaneHead, received),
            self.received,
            Relaxed,
        );

        Taken::Message(Record { payload, ..record }, number)
    }

    /// Passes over a message that is not for this process.
    #[cold]
    fn refuse<M: Memory>(
        &mut self,
        m: &Member<M>,
        record: Record,
        has_payload: bool,
        next: Position,
    ) -> Taken {
        let number = self.at.number;

        self.at = next;
        self.store(m);

        if let Some(block) = record.own_block().filter(|_| has_payload) {
            Handled::after_message(self.head, number, &record).free(m, block);
        }

        self.count(
            m,
            Gap {
                message_type: Some(record.header.message_type),
                ..self.gap(number, 1, Cause::ForAnother)
            },
        )
    }

    /// Whether this process may take a message.
    #[inline]
    fn is_mine<M: Memory>(&self, m: &Member<M>, record: Record) -> bool {
        let incarnation = record.incarnation;

        incarnation == m.incarnation
            || (!record.header.exact
                && !is_before(incarnation, m.line)
                && is_before(incarnation, m.incarnation))
    }

    #[cold]
    fn pass<M: Memory>(&mut self, m: &Member<M>, found: Found) -> Taken {
        if found == Found::Empty {
            return self.look_for_reopening(m);
        }

        self.ready = None;

        match found {
            Found::Empty => (),
            Found::Mark(incarnation, next) => {
                self.at = next;
                self.pass_on(m);

                if incarnation != self.incarnation {
                    self.incarnation = incarnation;

                    return Taken::Up(incarnation);
                }
            }
            Found::Time(time, next) => {
                self.time = (next.number, time);
                self.at = next;
                self.pass_on(m);
            }
            Found::Link(next) => {
                let old = self.at.chunk;

                self.at = next;
                ahead::expect_chunk(m, m.layout.chunk(m.slot, next.chunk));

                // The words that say it were overwritten.
                if self.incarnation == 0 {
                    self.incarnation = incarnation::of_chunk(m, self.lane, next.chunk);
                }

                m.memory.prefetch(m.layout.owner(m.slot, old));
                self.pass_on(m);
                self.free(m, old);
            }
            Found::Close(number) => {
                let old = self.at.chunk;

                self.at = Position::nowhere(number);
                self.status = Status::Closed;
                self.pass_on(m);
                self.free(m, old);
            }
            Found::Damaged | Found::Message(..) => {
                self.status = Status::Damaged;
                self.pass_on(m);
                // The sender looks at the lane when there is room for it.
                m.mark(self.lane.sender, Bitmap::Room, m.slot);

                return Taken::Nothing;
            }
        }

        Taken::More
    }

    /// In an open lane without a record: looks whether the sender has opened
    /// the lane again although its last chunk is not closed. A sender does that
    /// only if the shared words were damaged.
    fn look_for_reopening<M: Memory>(&mut self, m: &Member<M>) -> Taken {
        match self.opening(m) {
            // The sender may have closed the chunk since `look`. The load of
            // `first` is an acquire, so the `Close` is visible now.
            Some(_) if self.has_record(m) => Taken::More,
            Some((word, first)) => self.reopen(m, word, first),
            None => Taken::Nothing,
        }
    }

    /// Continues where the sender has opened the lane.
    fn reopen<M: Memory>(&mut self, m: &Member<M>, word: u64, first: First) -> Taken {
        let at = first.position();
        let number = self.at.number;
        let lost = count_between(number, at.number);
        let is_next = self.status == Status::Closed && at.number == number;
        let mut gap = self.gap(number, lost, Cause::Damaged);

        self.ready = None;
        self.opened = word;
        self.incarnation = incarnation::of_chunk(m, self.lane, at.chunk);

        if gap.incarnation == 0 {
            gap.incarnation = self.incarnation;
        }

        self.at = at;
        self.status = Status::Open;
        self.pass_on(m);

        if is_next {
            return Taken::More;
        }

        m.free_passed(self.lane, at);

        self.count(m, gap)
    }

    pub(super) fn place(&self) -> Place {
        match self.status {
            Status::Open => Place::Open(self.at),
            Status::Closed => Place::Closed(self.at.number),
            Status::Damaged => Place::Damaged(self.at.number),
        }
    }

    /// Stores the position for a successor.
    #[inline]
    pub(super) fn store<M: Memory>(&self, m: &Member<M>) {
        let place = self.place();

        m.memory.store(
            self.head + offset_of!(LaneHead, place),
            place.pack(),
            Release,
        );
    }

    /// Stores the position after a record without a message. `done` comes first,
    /// so that it is never one record behind because of such a record.
    fn pass_on<M: Memory>(&self, m: &Member<M>) {
        self.done(m);
        self.store(m);
    }

    pub(super) fn done<M: Memory>(&self, m: &Member<M>) {
        m.memory.store(
            self.head + offset_of!(LaneHead, done),
            self.at.number.into(),
            Release,
        );
    }

    /// Frees a chunk that this receiver has left.
    fn free<M: Memory>(&self, m: &Member<M>, chunk: u32) {
        let owner = pool::owner(&m.memory, &m.layout, m.slot, chunk);
        let is_mine = owner.is_some_and(|owner| {
            owner.is_of(Use::Lane, self.lane.class.is_control(), self.lane.sender)
        });

        if is_mine {
            m.free(chunk..chunk + 1);
        }
    }
}
