//! A walk through all records that wait in a lane: for successors, for recovery
//! and for the verifier.

use super::lane::{self, ALIGN, Found};
use super::layout::{CHUNK, Lane, Layout};
use super::memory::Memory;
use super::words::{Place, Position};

/// How a walk through a lane has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The next record will be written at this position.
    Open(Position),
    /// The lane is closed, or was never opened; the next record will have this
    /// number.
    Closed(u32),
    /// The walk met something that is no record, after the record with this
    /// number.
    Damaged(u32),
}

/// Walks through all records that wait in a lane, and calls `visit` for what it
/// finds. The sender of the lane is dead, or this process.
///
/// A living receiver can free chunks during the walk. Then the walk starts
/// again, so `visit` can be called more than once for a record. All walks together
/// have at most so many steps as two walks through a full pool: a receiver that
/// changes its position again and again cannot keep this process busy.
pub fn walk<M: Memory>(
    memory: &M,
    layout: &Layout,
    in_lane: Lane,
    mut visit: impl FnMut(Position, &Found),
) -> End {
    let mut left = 2 * layout.sizes.chunks * (CHUNK / ALIGN);

    loop {
        let from = lane::place(memory, layout, in_lane);
        let mut end = walk_from(memory, layout, in_lane, from, &mut left, &mut visit);

        // The receiver can have freed the chunk, and another sender can have
        // written the zero in it that looks like the end.
        if let End::Open(at) = end
            && lane::lane_owner(memory, layout, in_lane, at.chunk).is_none()
        {
            end = End::Damaged(at.number);
        }

        let is_damaged = matches!(end, End::Damaged(_));

        if !is_damaged || left == 0 || lane::place(memory, layout, in_lane) == from {
            return end;
        }

        left -= 1;
    }
}

fn walk_from<M: Memory>(
    memory: &M,
    layout: &Layout,
    in_lane: Lane,
    from: Place,
    left: &mut u32,
    visit: &mut impl FnMut(Position, &Found),
) -> End {
    let mut at = match from {
        Place::Damaged(number) => return End::Damaged(number),
        Place::Open(at) if !lane::is_valid(layout, at) => return End::Damaged(at.number),
        Place::Open(at) => at,
        Place::Closed(number) => match reopened(memory, layout, in_lane, number) {
            Ok(at) => at,
            Err(end) => return end,
        },
    };

    while *left > 0 {
        *left -= 1;

        let found = lane::look(memory, layout, in_lane, at);

        visit(at, &found);

        at = match found {
            Found::Empty => return End::Open(at),
            Found::Message(_, next)
            | Found::Mark(_, next)
            | Found::Time(_, next)
            | Found::Link(next) => next,
            Found::Close(number) => match reopened(memory, layout, in_lane, number) {
                Ok(at) => at,
                Err(end) => return end,
            },
            Found::Damaged => break,
        };
    }

    End::Damaged(at.number)
}

/// The position at which a closed lane was opened again, or the end of the walk.
fn reopened<M: Memory>(
    memory: &M,
    layout: &Layout,
    in_lane: Lane,
    number: u32,
) -> Result<Position, End> {
    match lane::first(memory, layout, in_lane) {
        Some(first) if first.number == number => {
            let at = first.position();

            lane::owns(memory, layout, in_lane, at)
                .then_some(at)
                .ok_or(End::Damaged(number))
        }
        _ => Err(End::Closed(number)),
    }
}
