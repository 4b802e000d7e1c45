//! The fast way to take a message: a small one, for this incarnation, in an open
//! lane. All else is left to [`InLane::take`], which does the same for a small
//! message.

use std::mem::offset_of;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use super::ahead;
use super::event::{Message, Turn};
use super::in_lane::InLane;
use super::lane::{self, HEAD, LAST};
use super::layout::{Class, LaneHead};
use super::member::Member;
use super::memory::Memory;
use super::receive::Incoming;
use super::taken::Handled;
use super::words::{Header, Kind, Place, unpair};

/// A small message.
pub struct Small {
    /// The length of the payload in bytes.
    pub len: u32,
    /// The type of the message.
    pub message_type: u16,
    /// The number of the record.
    pub number: u32,
    /// The number for the layer above.
    pub user: u32,
    /// The offset of the payload in the region.
    pub payload: usize,
    /// The incarnation of the sender.
    pub incarnation: u32,
}

/// The bits of a header that are compared with those of the record that is expected:
/// the kind and the number.
const EXPECTED: u64 = 0xf | 0xffff << 48;

/// The number of messages after which the receiver is not close behind the sender.
const FAR: u32 = 64;

impl InLane {
    /// Takes the next record if it is a small message for this incarnation. A message
    /// that has a time is not taken here: its time is a record before it, after which
    /// the lane is not ready.
    #[inline(always)]
    pub fn take_small<M: Memory>(&mut self, m: &Member<M>) -> Option<Small> {
        let chunk = self.ready?.get();
        let at = self.at;
        let start = chunk + at.offset as usize;

        let word = m.memory.load(start, Acquire);
        let expected = Kind::Small as u64 | u64::from(at.number as u16) << 48;

        if word & EXPECTED != expected {
            return None;
        }

        let (len, message_type) = Header::small(word);
        let end = at.offset + lane::size(len);
        let (incarnation, user) = unpair(m.memory.load(start + 8, Relaxed));

        if end > LAST || lane::addressee(incarnation, self.lane.sender) != m.incarnation {
            return None;
        }

        // While the receiver is close behind the sender, the lines ahead are those that
        // the sender writes.
        if at.number.wrapping_sub(self.missing) > FAR {
            ahead::expect_record(m, start);
        }

        self.at.offset = end;
        self.at.number = at.number.wrapping_add(1);
        self.received = self.received.wrapping_add(1);
        m.memory.store(
            self.head + offset_of!(LaneHead, place),
            Place::Open(self.at).pack(),
            Release,
        );
        m.memory.store(
            self.head + offset_of!(LaneHead, received),
            self.received,
            Relaxed,
        );

        Some(Small {
            len,
            message_type,
            number: at.number,
            user,
            payload: start + HEAD as usize,
            incarnation: self.incarnation(),
        })
    }
}

impl Incoming {
    /// The next message of a burst, if it is a small one.
    #[inline(always)]
    pub fn next_small<M: Memory>(&mut self, m: &Member<M>, turn: &mut Turn) -> Option<Message> {
        if self.burst == 0 || !turn.has_quick() {
            return None;
        }

        self.finish(m);

        let class = self.current;
        let sender = self.side(class).cursor;
        let message = self.take_small(m, class, sender)?;

        self.burst -= 1;
        turn.spend_quick();

        Some(message)
    }

    /// The next message of a lane, if it is a small one.
    #[inline(always)]
    pub(super) fn take_small<M: Memory>(
        &mut self,
        m: &Member<M>,
        class: Class,
        sender: u32,
    ) -> Option<Message> {
        let side = self.side(class);
        let lane = side.lanes.get_mut(sender)?;
        let Small {
            len,
            message_type,
            number,
            user,
            payload,
            incarnation,
        } = lane.take_small(m)?;
        let handled = Handled {
            head: lane.head,
            number: number.wrapping_add(1),
            block: None,
        };

        self.handled = Some(handled);

        Some(Message {
            sender,
            incarnation,
            class,
            message_type,
            user,
            number,
            payload,
            len,
        })
    }
}
