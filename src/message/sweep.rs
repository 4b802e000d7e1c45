//! Frees chunks whose owner words no sender can have written: another process
//! has overwritten them.
//!
//! Both sides of a lane do this from time to time. The receiver knows to which chunks
//! the records that wait lead, so it frees other chunks with the number of an earlier
//! record. The sender knows that it has claimed no chunk for a record after the next
//! one, so it frees chunks with the number of such a record.

use std::sync::atomic::Ordering::Acquire;

use super::chunks::Chunks;
use super::known::is_known;
use super::lane::Found;
use super::layout::{Class, Lane};
use super::member::Member;
use super::memory::Memory;
use super::out_lane::OutLane;
use super::peers::State;
use super::pool::{self, is_passed};
use super::walk::{End, walk};
use super::words::{Owner, Position, Use, is_before};

/// The lane of a receiver that was checked last. Each round checks another one.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sweep {
    last: u32,
}

impl Sweep {
    /// Frees chunks of this process's pool. `position` says what the next record
    /// of a lane is; `None` if the lane was never looked at. `is_shared` says
    /// whether a chunk belongs to a shared block of this process.
    pub fn round<M: Memory>(
        &mut self,
        m: &Member<M>,
        position: impl Fn(Class, u32) -> Option<Position>,
        is_shared: impl Fn(u32) -> bool,
    ) {
        let mut next: Option<Lane> = None;

        for chunk in 0..m.layout.sizes.chunks {
            let word = m.memory.load(m.layout.owner(m.slot, chunk), Acquire);

            if word == 0 {
                continue;
            }

            match lane_of(m, chunk, word, &position, &is_shared) {
                Err(()) => {
                    m.memory.replace(m.layout.owner(m.slot, chunk), word, 0);
                }
                Ok(Some(lane)) if next.is_none_or(|next| self.rank(lane) < self.rank(next)) => {
                    next = Some(lane);
                }
                Ok(_) => (),
            }
        }

        if let Some(lane) = next {
            self.last = index(lane);
            sweep_lane(m, lane);
        }
    }

    /// The lanes after the last one come first.
    fn rank(self, lane: Lane) -> u32 {
        index(lane).wrapping_sub(self.last + 1)
    }
}

fn index(lane: Lane) -> u32 {
    lane.sender * 2 + u32::from(lane.class.is_control())
}

/// The lane whose sender has claimed a chunk of this process's pool; `None` if
/// it is a shared block of this process. Fails if the chunk is not in use.
fn lane_of<M: Memory>(
    m: &Member<M>,
    chunk: u32,
    word: u64,
    position: impl Fn(Class, u32) -> Option<Position>,
    is_shared: impl Fn(u32) -> bool,
) -> Result<Option<Lane>, ()> {
    let owner = Owner::unpack(word).filter(|owner| m.has_slot(owner.slot));
    let owner = owner.ok_or(())?;

    if owner.usage == Use::Shared {
        return match owner.slot == m.slot && is_shared(chunk) {
            true => Ok(None),
            false => Err(()),
        };
    }

    let lane = m.from(owner.class(), owner.slot);
    let is_passed = match position(lane.class, lane.sender) {
        Some(at) => is_passed(&m.layout, lane, at, chunk, owner),
        // A sender sets the bit before it claims its first chunk.
        None => !is_known(&m.memory, &m.layout, lane),
    };

    if is_passed { Err(()) } else { Ok(Some(lane)) }
}

/// Frees the chunks of a lane to which no record leads, other than those that
/// the sender may have claimed for its next record.
fn sweep_lane<M: Memory>(m: &Member<M>, lane: Lane) {
    let sender = m.state(lane.sender);
    let (state, _) = sender;
    let mut chunks = Chunks::default();
    let mut blocks = Chunks::default();
    let end = walk(&m.memory, &m.layout, lane, |at, found| {
        chunks.add(at.chunk);

        if let Found::Message(record, _) = found
            && let Some(block) = record.own_block()
        {
            for chunk in block.chunk..block.chunk.saturating_add(block.count) {
                blocks.add(chunk);
            }
        }
    });
    let next = match end {
        End::Open(at) => Some(at.number),
        End::Closed(number) => Some(number),
        End::Damaged(_) => None,
    };

    // All is freed when the sender has opened the lane again. If the slot has no
    // process, none does that.
    if next.is_none() && state != State::Vacant {
        return;
    }

    // A new process can start in the slot meanwhile. It claims chunks after it has
    // changed the state, so a chunk whose owner was read before this look is not its.
    let is_gone = || !state.is_alive() && m.state(lane.sender) == sender;

    pool::release_unused(&m.memory, &m.layout, m.slot, |chunk, owner| {
        let control = lane.class.is_control();
        let is_unused = owner.is_of(Use::Lane, control, lane.sender) && !chunks.has(chunk)
            || owner.is_of(Use::Block, control, lane.sender) && !blocks.has(chunk);
        let is_older = next.is_some_and(|next| is_before(owner.number, next));

        is_unused && (is_older || is_gone())
    });
}

impl OutLane {
    /// Frees chunks that are marked as claimed for later records of this lane:
    /// this process has not claimed them.
    pub fn sweep<M: Memory>(&self, m: &Member<M>) {
        if self.is_reserved {
            return;
        }

        let (lane, at) = (self.lane(), self.at);

        pool::release_unused(&m.memory, &m.layout, lane.receiver, |chunk, owner| {
            let is_mine = owner.slot == m.slot && owner.class() == lane.class;
            let is_current = self.is_open && chunk == at.chunk;

            is_mine
                && owner.usage != Use::Shared
                && !is_current
                && !is_before(owner.number, at.number)
        });
    }
}
