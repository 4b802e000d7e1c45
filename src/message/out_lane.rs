//! The sender's side of a lane.
//!
//! The sender keeps its position in memory of its own. So it does not read the
//! shared words of the lane while it sends, other than once for some chunks, and
//! no other process can change its position.
//!
//! # Why these orderings are enough
//!
//! A `Link` is stored with release. A receiver that follows it sees the owner
//! word of the new chunk, and the zero in its first header.
//!
//! A sender claims a chunk with a compare-and-swap, which is an acquire: what
//! the receiver read in the chunk before it freed it was read before the sender
//! writes.

use std::collections::VecDeque;
use std::mem::offset_of;
use std::num::NonZeroUsize;
use std::sync::atomic::Ordering::{Relaxed, Release};

use nix::errno::Errno;

use super::ahead;
use super::known::{is_known, make_known};
use super::lane::{self, Found, LAST};
use super::layout::{Bitmap, Lane, LaneHead, Slot};
use super::letter::Refused;
use super::member::Member;
use super::memory::Memory;
use super::pool;
use super::spares::Spares;
use super::statistics::statistics;
use super::walk::{End, walk};
use super::words::{First, Header, Kind, Owner, Place, Position, Use, pair};

/// Chunks that the receiver frees when it comes to the record `until`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Held {
    pub(super) until: u32,
    pub(super) chunk: u32,
    pub(super) count: u32,
}

/// The sender's side of a lane. A small message needs the first fields only, which fill
/// a cache line.
#[derive(Clone, Debug)]
#[repr(C, align(64))]
pub struct OutLane {
    /// The offset in the region of the chunk of `at`, if a record can be written
    /// there at once: the lane is open and introduced, and nothing is reserved.
    pub(super) ready: Option<NonZeroUsize>,
    /// The next record. While the lane is closed only the number is valid.
    pub(super) at: Position,
    /// The round of tidying in which the lane was used last.
    pub(super) used: u32,
    pub(super) sent: u64,
    /// The offset of the state of the receiver.
    pub(super) state: usize,
    /// The offset of the word with the bit of this lane in the bitmap of the receiver,
    /// and the bit.
    pub(super) bit: (usize, u64),
    pub(super) lane: Lane,
    pub(super) is_open: bool,
    /// The receiver knows this incarnation of the sender.
    pub(super) is_introduced: bool,
    /// A record is reserved and not committed yet.
    pub(super) is_reserved: bool,
    /// Where the lane was opened last.
    pub(super) first: First,
    /// How far the receiver had come in the last round of tidying, if records
    /// waited then.
    pub(super) reminded: Option<Place>,
    pub(super) spares: Spares,
    pub(super) block_hint: u32,
    pub(super) held: VecDeque<Held>,
    pub(super) held_chunks: u32,
    /// The number of chunks that were claimed since the sender has looked how far the
    /// receiver has come.
    pub(super) unsettled: u32,
    pub(super) refused: u64,
    pub(super) deepest: u32,
    /// The incarnation of the receiver when this sender was introduced.
    pub(super) introduced_to: u32,
}

impl OutLane {
    /// Continues a lane where the previous incarnation of the sender has
    /// stopped; a lane that was never opened begins with its initial number.
    /// Fails with `ENOMEM`.
    pub fn load<M: Memory>(m: &Member<M>, lane: Lane) -> Result<Self, Errno> {
        let mut this = Self {
            state: m.layout.slot(lane.receiver) + offset_of!(Slot, state),
            bit: m
                .layout
                .bit(lane.receiver, Bitmap::Ready(lane.class), lane.sender),
            lane,
            is_open: false,
            at: Position {
                number: lane::initial_number(lane),
                ..Position::default()
            },
            is_introduced: false,
            is_reserved: false,
            first: First::default(),
            reminded: None,
            ready: None,
            spares: Spares::default(),
            block_hint: 0,
            held: VecDeque::new(),
            held_chunks: 0,
            unsettled: 0,
            sent: 0,
            refused: 0,
            deepest: 0,
            introduced_to: 0,
            used: 0,
        };

        if is_known(&m.memory, &m.layout, lane) {
            this.resume(m)?;
        }

        Ok(this)
    }

    fn resume<M: Memory>(&mut self, m: &Member<M>) -> Result<(), Errno> {
        let lane = self.lane;
        let mut held = Ok(());
        // This comes before the walk, so that no message is counted twice.
        let before = statistics(&m.memory, &m.layout, lane);
        let mut messages = 0;
        let mut hold = |until, chunk, count| {
            held = held.and_then(|()| self.make_room_to_hold(1));

            if held.is_ok() {
                self.hold(until, chunk, count);
            }
        };
        let end = walk(&m.memory, &m.layout, lane, |at, found| match found {
            Found::Link(next) => hold(next.number, at.chunk, 1),
            Found::Close(number) => hold(*number, at.chunk, 1),
            Found::Message(record, next) => {
                let payload = lane::payload(&m.memory, &m.layout, lane, record, at.number);

                messages += 1;

                // Another process can have changed the numbers of the block.
                if let Some(block) = record.own_block().filter(|_| payload.is_some()) {
                    hold(next.number, block.chunk, block.count);
                }
            }
            _ => (),
        });

        match end {
            End::Open(at) => {
                let first = lane::first(&m.memory, &m.layout, lane);

                self.at = at;
                self.is_open = true;
                // The receiver may not have come here since, see `settle`.
                self.first = first.unwrap_or(First {
                    chunk: at.chunk,
                    number: at.number,
                });
            }
            End::Closed(number) => self.at.number = number,
            // The numbers of the predecessor's records are less than this one.
            End::Damaged(number) => self.at.number = number.wrapping_add(1 << 20),
        }

        self.continue_counting(before, messages);
        self.settle(m);

        held
    }

    /// The lane.
    pub fn lane(&self) -> Lane {
        self.lane
    }

    /// Whether the lane has a chunk.
    pub fn is_open(&self) -> bool {
        self.is_open
    }

    /// The number of the next record.
    pub fn number(&self) -> u32 {
        self.at.number
    }

    /// Writes a record that takes `size` bytes in the chunk, and whose payload
    /// is already there.
    #[inline]
    pub(super) fn put<M: Memory>(&mut self, m: &Member<M>, header: Header, second: u64, size: u32) {
        let start = self.offset(m);

        m.memory.store(start + size as usize, 0, Relaxed);
        m.memory.store(start + 8, second, Relaxed);
        m.memory.swap(start, header.pack());
        self.at.offset += size;
        self.at.number = self.at.number.wrapping_add(1);
        self.prepare_later(
            m,
            m.layout.chunk(self.lane.receiver, self.at.chunk),
            self.at.offset,
            size,
        );
    }

    /// Prepares the lines of later records, after a record of `size` bytes has been
    /// written, which ends at `end` in the chunk at the offset `chunk` of the region.
    #[inline]
    pub(super) fn prepare_later<M: Memory>(
        &self,
        m: &Member<M>,
        chunk: usize,
        end: u32,
        size: u32,
    ) {
        if !ahead::prepare_record(m, chunk, end, size)
            && let Some(spare) = self.spares.next()
        {
            ahead::prepare_spare(m, self.lane.receiver, spare, end, size);
        }
    }

    #[inline]
    pub(super) fn offset<M: Memory>(&self, m: &Member<M>) -> usize {
        lane::offset(&m.layout, self.lane, self.at)
    }

    pub(super) fn owner<M: Memory>(&self, m: &Member<M>, usage: Use, number: u32) -> Owner {
        Owner {
            usage,
            control: self.lane.class.is_control(),
            slot: m.slot,
            incarnation: m.incarnation,
            number,
        }
    }

    /// Makes room for `size` bytes in the current chunk, or begins another one.
    #[inline]
    pub(super) fn make_room<M: Memory>(&mut self, m: &Member<M>, size: u32) -> Result<(), Refused> {
        self.ready = None;

        if self.is_reserved {
            return Err(Refused::Reserved);
        }

        if !self.is_introduced {
            self.introduce(m)?;
        }

        if !self.is_open {
            self.open(m)?;
        }

        if self.at.offset + size > LAST {
            self.extend(m)?;
        }

        Ok(())
    }

    /// Tells the receiver which incarnation sends from here on.
    #[cold]
    pub(super) fn introduce<M: Memory>(&mut self, m: &Member<M>) -> Result<(), Refused> {
        if !self.is_open {
            self.open(m)?;
        }

        if self.at.offset + lane::size(0) > LAST {
            self.extend(m)?;
        }

        let header = self.header(Kind::Mark, 0);

        self.put(m, header, pair(m.incarnation, m.slot), lane::size(0));
        self.is_introduced = true;
        self.introduced_to = m.state(self.lane.receiver).1;

        Ok(())
    }

    pub(super) fn header(&self, kind: Kind, len: u32) -> Header {
        Header {
            kind,
            exact: false,
            len,
            message_type: 0,
            number: self.at.number as u16,
        }
    }

    /// Claims a chunk whose first record will have the number `number`.
    fn claim<M: Memory>(&mut self, m: &Member<M>, number: u32) -> Result<u32, Refused> {
        self.check_quota(m, 1)?;

        let owner = self.owner(m, Use::Lane, number);
        let chunk = pool::claim(
            &m.memory,
            &m.layout,
            self.lane.receiver,
            self.lane.class,
            std::iter::from_fn(|| self.spares.take()),
            owner,
        );
        let chunk = chunk.ok_or(Refused::Again)?;

        ahead::prepare_chunk(m, self.lane.receiver, chunk);
        m.memory
            .store(m.layout.chunk(self.lane.receiver, chunk), 0, Relaxed);

        Ok(chunk)
    }

    #[cold]
    fn open<M: Memory>(&mut self, m: &Member<M>) -> Result<(), Refused> {
        // If there is no memory, nothing has changed.
        self.make_room_to_hold(3).or(Err(Refused::NoMemory))?;
        self.ready = None;

        make_known(&m.memory, &m.layout, self.lane);

        let number = self.at.number;
        let chunk = self.claim(m, number)?;
        let first = First { chunk, number };

        m.memory.swap(
            m.layout.lane(self.lane) + offset_of!(LaneHead, first),
            first.pack(),
        );
        self.at = first.position();
        self.first = first;
        self.is_open = true;

        Ok(())
    }

    #[cold]
    fn extend<M: Memory>(&mut self, m: &Member<M>) -> Result<(), Refused> {
        self.ready = None;

        let number = self.at.number.wrapping_add(1);
        let chunk = self.claim(m, number)?;

        // `claim` may have found that the receiver waits until the lane is opened
        // again.
        if !self.is_open {
            let owner = self.owner(m, Use::Lane, number);

            pool::release(
                &m.memory,
                &m.layout,
                self.lane.receiver,
                chunk..chunk + 1,
                owner,
            );

            return self.open(m);
        }

        let link = self.header(Kind::Link, chunk);

        m.memory.store(self.offset(m), link.pack(), Release);
        self.hold(number, self.at.chunk, 1);
        self.at = Position {
            chunk,
            offset: 0,
            number,
        };

        // The sender has just looked how far the receiver has come.
        if self.unsettled == 0 {
            self.publish(m);
        }

        Ok(())
    }
}
