//! What a receiver finds in a lane, and what it must do afterwards.

use std::mem::offset_of;
use std::sync::atomic::Ordering::Release;

use super::lane::{Block, Record};
use super::layout::{Class, LaneHead};
use super::member::Member;
use super::memory::Memory;

/// Why messages were lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The records were overwritten by a process that does not keep to the
    /// protocol.
    Damaged,
    /// The message was meant for a process that is dead.
    ForAnother,
    /// The previous process of the slot died while it handled the message.
    Handling,
}

/// Messages of one sender that were lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// The slot of the sender.
    pub sender: u32,
    /// The incarnation of the sender; 0 if it is not known.
    pub incarnation: u32,
    /// The class of the lane.
    pub class: Class,
    /// The number of the first record that was lost.
    pub number: u32,
    /// The number of records that were lost. It is exact unless the cause is
    /// `Damaged`: then it also counts records that carry no message.
    pub count: u32,
    /// Why.
    pub cause: Cause,
    /// The type of the message, if it is known.
    pub message_type: Option<u16>,
}

/// What the receiver has found in a lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// Nothing.
    Nothing,
    /// More records to look at, but no message yet.
    More,
    /// A message, and its number.
    Message(Record, u32),
    /// Lost messages.
    Gap(Gap),
    /// The next records are of another incarnation.
    Up(u32),
}

/// What the receiver must do after a message was handled.
#[derive(Clone, Copy, Debug)]
pub struct Handled {
    /// The offset of the head of the lane.
    pub head: usize,
    /// The number after that of the message.
    pub number: u32,
    /// The block with its payload.
    pub block: Option<Block>,
}

impl Handled {
    /// What must be done when the message with this number was handled.
    #[inline]
    pub fn after_message(head: usize, number: u32, record: &Record) -> Self {
        Self {
            head,
            number: number.wrapping_add(1),
            block: record.own_block(),
        }
    }

    /// What must be done when the gap of one message was handled. If the process
    /// is killed before, its successor reports a gap again.
    pub fn after_gap(head: usize, gap: Gap) -> Self {
        Self {
            head,
            number: gap.number.wrapping_add(1),
            block: None,
        }
    }

    /// Frees what the message has used.
    #[inline(always)]
    pub fn finish<M: Memory>(&self, m: &Member<M>) {
        if let Some(block) = self.block {
            self.free(m, block);
        }

        m.memory.store(
            self.head + offset_of!(LaneHead, done),
            self.number.into(),
            Release,
        );
    }

    /// Frees the block with the payload, unless others use it as well.
    #[cold]
    pub fn free<M: Memory>(&self, m: &Member<M>, block: Block) {
        if block.pool == m.slot {
            m.free(block.chunk..block.chunk + block.count);
        }
    }
}
