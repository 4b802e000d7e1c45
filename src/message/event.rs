//! The events that a receiver gets, and how many of them it gets in one turn.

use super::lane::Record;
use super::layout::Class;
use super::member::Member;
use super::memory::Memory;
use super::taken::Gap;

/// The number of messages after which the clock is read again.
const CLOCK: u32 = 16;

/// A message that has arrived. Its payload stays where it is until the next
/// event is requested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message {
    /// The slot of the sender.
    pub sender: u32,
    /// The incarnation of the sender; 0 if it is not known.
    pub incarnation: u32,
    /// The class of the lane.
    pub class: Class,
    /// The type, as the sender has given it.
    pub message_type: u16,
    /// The number for the layer above, as the sender has given it.
    pub user: u32,
    /// The number of the record in its lane.
    pub number: u32,
    /// The offset of the payload in the region.
    pub payload: usize,
    /// The length of the payload in bytes.
    pub len: u32,
}

/// The sender of a lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The class of the lane.
    pub class: Class,
    /// The slot.
    pub slot: u32,
    /// The incarnation.
    pub incarnation: u32,
}

/// A process that sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sender {
    /// The slot.
    pub slot: u32,
    /// The incarnation.
    pub incarnation: u32,
}

/// What a receiver gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A message.
    Message(Message),
    /// Messages that were lost.
    Gap(Gap),
    /// The process has begun to send. A receiver gets this event once for each sender,
    /// although a sender has two lanes.
    Up(Sender),
    /// The process is dead, and all messages that it has sent were received.
    Down(Sender),
    /// The pool of this slot has room again, after a message was refused.
    Room(u32),
    /// This slot has made the process look at its lanes to it, and no message was
    /// refused there. The caller does nothing.
    Looked(u32),
}

/// How much a receiver may do before its event loop goes on.
#[derive(Clone, Copy, Debug)]
pub struct Turn {
    left: u32,
    deadline: u64,
    is_over: bool,
}

impl Turn {
    /// A turn of at most `messages` events, which ends `nanoseconds` from now;
    /// 0 nanoseconds means no limit of time.
    pub fn new<M: Memory>(m: &Member<M>, messages: u32, nanoseconds: u64) -> Self {
        Self {
            left: messages,
            is_over: false,
            deadline: match nanoseconds {
                0 => u64::MAX,
                _ => m.memory.now().saturating_add(nanoseconds),
            },
        }
    }

    /// Whether the turn has ended before all events were returned.
    pub fn is_over(&self) -> bool {
        self.is_over
    }

    /// Whether another event may be returned, and the clock need not be read for it.
    #[inline]
    pub fn has_quick(&self) -> bool {
        self.left > 0 && (!self.left.is_multiple_of(CLOCK) || self.deadline == u64::MAX)
    }

    /// Counts an event that is returned after [`Turn::has_quick`].
    #[inline]
    pub fn spend_quick(&mut self) {
        self.left = self.left.wrapping_sub(1);
    }

    /// Whether another event may be returned.
    #[inline]
    pub fn spend<M: Memory>(&mut self, m: &Member<M>) -> bool {
        let is_over = self.left == 0
            || self.left.is_multiple_of(CLOCK)
                && self.deadline != u64::MAX
                && m.memory.now() >= self.deadline;

        if is_over {
            self.left = 0;
            self.is_over = true;
        } else {
            self.left -= 1;
        }

        !is_over
    }
}

impl Message {
    /// Makes the message of a record with the number `number`.
    #[inline]
    pub fn new(origin: Origin, number: u32, record: Record) -> Self {
        Self {
            sender: origin.slot,
            incarnation: origin.incarnation,
            class: origin.class,
            message_type: record.header.message_type,
            user: record.user,
            number,
            payload: record.payload,
            len: record.header.len,
        }
    }
}
