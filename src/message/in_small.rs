//! The fast way to take a message: a small one, for this incarnation, in an open
//! lane. All else is left to [`InLane::take`], which does the same for a small
//! message.

use std::mem::offset_of;
use std::sync::atomic::Ordering::{Acquire, Relaxed};

use super::in_lane::InLane;
use super::lane::{self, HEAD, LAST};
use super::layout::LaneHead;
use super::member::Member;
use super::memory::Memory;
use super::words::{Header, Kind, unpair};

/// A small message.
pub struct Small {
    /// The first word of the record.
    pub header: Header,
    /// The number of the record.
    pub number: u32,
    /// The number for the layer above.
    pub user: u32,
    /// The offset of the payload in the region.
    pub payload: usize,
    /// The incarnation of the sender.
    pub incarnation: u32,
}

impl InLane {
    /// Takes the next record if it is a small message for this incarnation, was sent
    /// by the incarnation `up`, and has no time.
    #[inline(always)]
    pub fn take_small<M: Memory>(&mut self, m: &Member<M>, up: u32) -> Option<Small> {
        if !self.is_ready() || self.incarnation() != up {
            return None;
        }

        let at = self.at;

        if at.number == self.time.0 {
            return None;
        }

        let start = lane::offset(&m.layout, self.lane, at);
        let header = Header::unpack(m.memory.load(start, Acquire))?;
        let end = at.offset + lane::size(header.len);

        if header.kind != Kind::Small || header.number != at.number as u16 || end > LAST {
            return None;
        }

        let (incarnation, user) = unpair(m.memory.load(start + 8, Relaxed));

        if incarnation != m.incarnation {
            return None;
        }

        self.at.offset = end;
        self.at.number = at.number.wrapping_add(1);
        self.store(m);
        self.received = self.received.wrapping_add(1);
        m.memory.store(
            self.head + offset_of!(LaneHead, received),
            self.received,
            Relaxed,
        );
        self.empty = 0;

        Some(Small {
            header,
            number: at.number,
            user,
            payload: start + HEAD as usize,
            incarnation: up,
        })
    }
}
