//! The records that a sender writes to a lane.
//!
//! # Why these orderings are enough
//!
//! A record becomes visible with the store of its header. This store is a
//! sequentially consistent swap, so it is a release: a receiver that reads the
//! header with acquire sees the payload, the second word, and the zero in the
//! header behind the record. That it is sequentially consistent is needed for
//! the wake-up, see `member`.

use std::num::NonZeroUsize;
use std::sync::atomic::Ordering::Relaxed;

use super::lane::{self, Block, LAST, MAX_SMALL};
use super::letter::{Envelope, Refused, Spot};
use super::member::Member;
use super::memory::Memory;
use super::out_lane::OutLane;
use super::pool;
use super::words::{Header, Kind, Place, Use, pair};

impl OutLane {
    /// Makes room for a record with `len` bytes of payload. If `timed` is set, writes
    /// a record with the time before it. The caller writes the payload, and then calls
    /// [`OutLane::commit`] or [`OutLane::cancel`].
    #[inline]
    pub fn reserve<M: Memory>(
        &mut self,
        m: &Member<M>,
        len: u32,
        timed: bool,
    ) -> Result<Spot, Refused> {
        if len > MAX_SMALL {
            return self.reserve_block(m, len, timed);
        }

        let size = lane::size(len);
        // A chunk has no room for the time beside a record that fills it.
        let timed = timed && size < LAST;

        self.make_room(m, size + u32::from(timed) * lane::size(0))?;

        if timed {
            self.put_time(m, m.memory.now());
        }

        self.is_reserved = true;

        Ok(Spot {
            payload: self.offset(m) + lane::HEAD as usize,
            len,
            block: None,
            is_shared: false,
            is_timed: timed,
        })
    }

    /// Writes the time at which the next message is sent; 0: it is not known.
    #[cold]
    fn put_time<M: Memory>(&mut self, m: &Member<M>, time: u64) {
        let header = self.header(Kind::Time, 0);

        self.put(m, header, time, lane::size(0));
    }

    fn reserve_block<M: Memory>(
        &mut self,
        m: &Member<M>,
        len: u32,
        timed: bool,
    ) -> Result<Spot, Refused> {
        let count = lane::chunks(len);

        self.check_quota(m, count)?;
        self.make_room(m, lane::size(8) + u32::from(timed) * lane::size(0))?;

        let number = self.at.number.wrapping_add(timed.into());
        let owner = self.owner(m, Use::Block, number);
        let chunk = pool::claim_run(
            &m.memory,
            &m.layout,
            self.lane.receiver,
            self.lane.class,
            (self.block_hint, count),
            owner,
        );
        let chunk = chunk.ok_or(Refused::Again)?;

        if timed {
            self.put_time(m, m.memory.now());
        }

        self.is_reserved = true;
        self.block_hint = chunk;

        Ok(Spot {
            payload: m.layout.chunk(self.lane.receiver, chunk),
            len,
            block: Some(Block {
                pool: self.lane.receiver,
                chunk,
                count,
            }),
            is_shared: false,
            is_timed: timed,
        })
    }

    /// Reduces what was reserved to `len` bytes of payload. Does nothing if less
    /// was reserved.
    pub fn shorten<M: Memory>(&self, m: &Member<M>, spot: &mut Spot, len: u32) {
        if len >= spot.len {
            return;
        }

        spot.len = len;

        if let Some(block) = &mut spot.block {
            let end = block.chunk + block.count;

            block.count = lane::chunks(len);

            let owner = self.owner(m, Use::Block, self.at.number);

            pool::release(
                &m.memory,
                &m.layout,
                block.pool,
                block.chunk + block.count..end,
                owner,
            );
        }
    }

    /// Frees what was reserved.
    pub fn cancel<M: Memory>(&mut self, m: &Member<M>, spot: Spot) {
        self.is_reserved = false;

        if let Some(block) = spot.block.filter(|_| !spot.is_shared) {
            let owner = self.owner(m, Use::Block, self.at.number);
            let chunks = block.chunk..block.chunk + block.count;

            pool::release(&m.memory, &m.layout, block.pool, chunks, owner);
        }

        if spot.is_timed {
            // The time that was written is not that of the next message. What was
            // reserved has room for this record.
            self.put_time(m, 0);
        }
    }

    /// Commits the record, and wakes up the receiver if it sleeps. `spot.len`
    /// may be less than was reserved.
    #[inline]
    pub fn commit<M: Memory>(&mut self, m: &Member<M>, spot: Spot, envelope: Envelope) {
        self.is_reserved = false;

        let (kind, body) = match spot.block {
            None => (Kind::Small, spot.len),
            Some(block) => {
                self.put_block(m, block);

                if spot.is_shared {
                    (Kind::Shared, 8)
                } else {
                    self.hold(self.at.number.wrapping_add(1), block.chunk, block.count);
                    (Kind::Large, 8)
                }
            }
        };

        self.put(
            m,
            Header {
                kind,
                exact: envelope.exact,
                len: spot.len,
                message_type: envelope.message_type,
                number: self.at.number as u16,
            },
            pair(lane::addressee(envelope.incarnation, m.slot), envelope.user),
            lane::size(body),
        );
        self.sent = self.sent.wrapping_add(1);
        // A record was written, so the lane is open and introduced.
        self.ready = NonZeroUsize::new(m.layout.chunk(self.lane.receiver, self.at.chunk));
        m.tell(self.lane);
    }

    fn put_block<M: Memory>(&self, m: &Member<M>, block: Block) {
        let at = self.offset(m) + lane::HEAD as usize;

        m.memory.store(at, pair(block.chunk, block.pool), Relaxed);
    }

    /// Closes the lane if the receiver has taken all its records, so that the
    /// receiver frees the last chunk. Returns whether the lane is closed now.
    pub fn close<M: Memory>(&mut self, m: &Member<M>) -> bool {
        self.settle(m);

        if !self.is_open {
            return true;
        }

        let place = lane::place(&m.memory, &m.layout, self.lane);

        // The word `first` is written again when the lane is opened. So the
        // receiver must have read it before.
        if self.is_reserved || place != Place::Open(self.at) || self.make_room_to_hold(1).is_err() {
            return false;
        }

        let close = self.header(Kind::Close, 0);

        m.memory.swap(self.offset(m), close.pack());
        self.ready = None;
        self.hold(self.at.number.wrapping_add(1), self.at.chunk, 1);
        self.at.number = self.at.number.wrapping_add(1);
        self.is_open = false;
        self.publish(m);
        m.tell(self.lane);

        true
    }
}
