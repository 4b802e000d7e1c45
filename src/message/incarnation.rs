//! Finds out which incarnation of a sender has written the records of a lane.
//!
//! A receiver that has read the lane from its beginning knows the incarnation from
//! the last `Mark`. A replacement of the receiver begins to read behind this `Mark`.
//! So it looks at the chunk: the owner word has the incarnation that has claimed the
//! chunk, and a successor that continues in the chunk first writes a `Mark`.

use super::lane::{self, Found};
use super::layout::Lane;
use super::member::Member;
use super::memory::Memory;
use super::words::{Owner, Position};

/// The incarnation that has claimed a chunk of the lane; 0 if the chunk is not of
/// the lane.
pub fn of_chunk<M: Memory>(m: &Member<M>, lane: Lane, chunk: u32) -> u32 {
    let Some(owner) = lane::lane_owner(&m.memory, &m.layout, lane, chunk) else {
        return 0;
    };
    let (_, present) = m.state(lane.sender);
    let age = present.wrapping_sub(owner.incarnation) & ((1 << Owner::INCARNATION_BITS) - 1);

    present.wrapping_sub(age)
}

/// The incarnation that has written the record before a valid position, or that
/// writes the record there if it is the first one of the chunk; 0 if it is not
/// known.
pub fn before<M: Memory>(m: &Member<M>, lane: Lane, at: Position) -> u32 {
    let owner = lane::lane_owner(&m.memory, &m.layout, lane, at.chunk);
    let Some(owner) = owner else { return 0 };
    let mut incarnation = of_chunk(m, lane, at.chunk);

    // Such a chunk has no records of earlier processes. So records that were
    // overwritten do not matter.
    if incarnation == m.state(lane.sender).1 {
        return incarnation;
    }

    let mut here = Position {
        chunk: at.chunk,
        offset: 0,
        number: owner.number,
    };

    // Each step is at least as long as the head of a record.
    while here.offset < at.offset {
        here = match lane::look(&m.memory, &m.layout, lane, here) {
            Found::Mark(marked, next) => {
                incarnation = marked;
                next
            }
            Found::Message(_, next) | Found::Time(_, next) => next,
            _ => return 0,
        };
    }

    if here == at { incarnation } else { 0 }
}
