//! A block that several receivers share: the payload of a large broadcast.
//!
//! The block lies in the sender's own pool. It begins with a table that has a
//! word for each receiver: the number of the receiver's record. The receiver
//! stores in the word `done` of its lane how far it has come. The sender frees
//! the block when all receivers have passed their records. So nothing is
//! counted, and no process that dies can leave a wrong count.

use std::mem::offset_of;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use nix::errno::Errno;

use super::lane::{self, Block};
use super::layout::{Class, Lane, LaneHead};
use super::member::Member;
use super::memory::Memory;
use super::peers::State;
use super::pool;
use super::words::{Owner, Use, is_before, pair};
use crate::sys::heap;

/// A block of this process's pool that several receivers share.
#[derive(Clone, Copy, Debug)]
pub struct SharedBlock {
    /// Its chunks. The first ones contain the table.
    pub block: Block,
    /// The class of the lanes whose records name it.
    pub class: Class,
    /// The owner word of its chunks.
    pub owner: Owner,
}

impl SharedBlock {
    /// All shared blocks in the pool of this process. A predecessor may have
    /// claimed a part of a block only. Fails with `ENOMEM`.
    pub fn all<M: Memory>(m: &Member<M>) -> Result<Vec<Self>, Errno> {
        let mut blocks: Vec<Self> = Vec::new();

        for chunk in 0..m.layout.sizes.chunks {
            let owner = pool::owner(&m.memory, &m.layout, m.slot, chunk);
            let Some(owner) = owner.filter(|owner| owner.usage == Use::Shared) else {
                continue;
            };

            match blocks.last_mut() {
                Some(last)
                    if last.owner == owner && last.block.chunk + last.block.count == chunk =>
                {
                    last.block.count += 1;
                }
                _ => heap::push(
                    &mut blocks,
                    Self {
                        block: Block {
                            pool: m.slot,
                            chunk,
                            count: 1,
                        },
                        class: owner.class(),
                        owner,
                    },
                )?,
            }
        }

        Ok(blocks)
    }

    /// The offset of the receiver's entry in the table.
    fn entry_at<M: Memory>(&self, m: &Member<M>, receiver: u32) -> usize {
        m.layout.chunk(m.slot, self.block.chunk) + receiver as usize * 8
    }

    /// Enters a receiver, whose record will have the number `number`.
    pub fn enter<M: Memory>(&self, m: &Member<M>, receiver: u32, number: u32) {
        let word = entry(number, self.owner.number);

        m.memory.store(self.entry_at(m, receiver), word, Release);
    }

    /// Removes the entry of a receiver.
    pub fn remove<M: Memory>(&self, m: &Member<M>, receiver: u32) {
        m.memory.store(self.entry_at(m, receiver), 0, Relaxed);
    }

    /// The number of the receiver's record; `None` if it has none.
    pub fn entered<M: Memory>(&self, m: &Member<M>, receiver: u32) -> Option<u32> {
        // A part of a block, or a chunk whose owner word was overwritten, has no room
        // for the table.
        if self.block.count < lane::table_chunks(&m.layout) {
            return None;
        }

        let word = m.memory.load(self.entry_at(m, receiver), Relaxed);
        let number = word as u32;

        (word == entry(number, self.owner.number)).then_some(number)
    }

    /// Whether a receiver has not finished with the block. A receiver that is
    /// dead and has no successor needs it no more.
    pub fn is_used<M: Memory>(&self, m: &Member<M>) -> bool {
        (0..m.layout.sizes.slots).any(|receiver| {
            self.entered(m, receiver).is_some_and(|number| {
                let (state, _) = m.state(receiver);

                (state.is_alive() || state == State::Awaited)
                    && !is_done(m, m.to(self.class, receiver), number)
            })
        })
    }
}

/// The entry of a receiver in the table of a shared block: the number of the
/// receiver's record, and the number of the block. An entry with another number
/// was left by a previous block.
fn entry(record: u32, share: u32) -> u64 {
    pair(record, share | 1 << 31)
}

/// Whether the receiver of a lane has handled the record with this number.
fn is_done<M: Memory>(m: &Member<M>, lane: Lane, number: u32) -> bool {
    let at = m.layout.lane(lane) + offset_of!(LaneHead, done);

    is_before(number, m.memory.load(at, Acquire) as u32)
}
