//! The fast way to send a message: a small one, in an open lane whose chunk has
//! room. All else is left to [`OutLane::reserve`] and [`OutLane::commit`], which do
//! the same for a small message.

use std::sync::atomic::Ordering::{Relaxed, Release, SeqCst};

use super::ahead;
use super::lane::{self, HEAD, LAST};
use super::letter::Envelope;
use super::member::Member;
use super::memory::Memory;
use super::out_lane::OutLane;
use super::words::{Header, Kind, pair};

/// What comes after the commit of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Before {
    /// [`OutLane::tell`].
    Tell,
    /// [`Memory::fence`], and then [`OutLane::tell`]. One fence is enough for the
    /// records of several lanes.
    Fence,
}

impl OutLane {
    /// Prepares what the next call of [`OutLane::write_small`] writes and
    /// reads.
    #[inline]
    pub fn prepare<M: Memory>(&self, m: &Member<M>) {
        if let Some(chunk) = self.ready {
            ahead::prepare_next(m, self.lane, chunk.get() + self.at.offset as usize);
        }
    }

    /// Writes and commits a message of at most [`MAX_SMALL`](lane::MAX_SMALL) bytes, if
    /// there is room in the current chunk. Returns whether it was committed. The caller
    /// then calls [`OutLane::tell`].
    #[inline(always)]
    pub fn write_small<M: Memory>(
        &mut self,
        m: &Member<M>,
        envelope: Envelope,
        payload: &[u8],
        before: Before,
    ) -> bool {
        let Some(chunk) = self.ready else {
            return false;
        };
        let size = lane::size(payload.len() as u32);
        let end = self.at.offset + size;

        if end > LAST {
            return false;
        }

        let start = chunk.get() + self.at.offset as usize;
        let header = Header {
            kind: Kind::Small,
            exact: envelope.exact,
            len: payload.len() as u32,
            message_type: envelope.message_type,
            number: self.at.number as u16,
        };

        m.memory.write(start + HEAD as usize, payload);
        m.memory.store(start + size as usize, 0, Relaxed);
        m.memory.store(
            start + 8,
            pair(lane::addressee(envelope.incarnation, m.slot), envelope.user),
            Relaxed,
        );

        match before {
            Before::Tell => drop(m.memory.swap(start, header.pack())),
            Before::Fence => m.memory.store(start, header.pack(), Release),
        }

        self.at.offset = end;
        self.at.number = self.at.number.wrapping_add(1);
        self.sent = self.sent.wrapping_add(1);
        self.prepare_later(m, chunk.get(), end, size);

        true
    }

    /// Makes the receiver look at the lane, after a record has been committed, see
    /// [`Member::tell`].
    #[inline]
    pub fn tell<M: Memory>(&self, m: &Member<M>) {
        let (at, bit) = self.bit;

        if m.memory.load(at, SeqCst) & bit == 0 {
            m.tell(self.lane);
        }
    }
}
