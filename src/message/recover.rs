//! Gives back what a dead process had claimed, when its death is known.
//!
//! No other process waits for this: it only gives back what the dead process had
//! claimed, and makes the receivers look at its last messages. Each step can be
//! repeated, so a process that dies during the recovery does no harm.
//!
//! Which chunks are in use follows from numbers alone. Each chunk carries the
//! number of the record for which it was claimed; the records of a lane are
//! numbered, and the receiver has stored the number of its next record. A chunk
//! with a number before that one was passed. A chunk with the number of a record
//! that was never committed was never used.

use super::chunks::Chunks;
use super::identity::Identity;
use super::known::{known_lanes_from, known_lanes_to};
use super::lane::{self, Found};
use super::layout::{Bitmap, Lane, Layout};
use super::member::Member;
use super::memory::Memory;
use super::peers::{self, Heritage, State};
use super::pool::{self, is_passed};
use super::walk::{End, walk};
use super::words::{Place, Position, Use, is_before};

/// Gives back what the process of a slot had claimed, and wakes up its
/// receivers and its senders. `heritage` says whether a successor will take its
/// messages over; if none will, the slot is vacant and sending to it fails.
///
/// The caller knows that the process is dead, and that the slot is not given to
/// another one: the process was its child, or it has claimed the slot. So the state
/// that the slot has does not matter; the dead process can have overwritten it. The
/// caller calls this before [`appoint`](peers::appoint).
///
/// The slot becomes vacant at the end, because another master can then claim it.
pub fn recover<M: Memory + Clone>(
    memory: &M,
    layout: &Layout,
    slot: u32,
    incarnation: u32,
    heritage: Heritage,
) {
    if slot >= layout.sizes.slots {
        return;
    }

    show_records(memory, layout, slot);

    match (heritage, peers::state(memory, layout, slot)) {
        // The claim keeps other masters away.
        (Heritage::Stranger, found) if found == (State::Claimed, incarnation) => (),
        (Heritage::Stranger, _) => peers::put_state(memory, layout, slot, incarnation, State::Dead),
        (Heritage::Successor, _) => {
            peers::put_state(memory, layout, slot, incarnation, State::Awaited);
        }
    }

    let dead = member(memory, layout, slot, incarnation);

    for lane in known_lanes_from(memory, layout, slot) {
        as_sender(&dead, lane);
    }

    as_receiver(&dead);

    if heritage == Heritage::Stranger {
        peers::put_state(memory, layout, slot, incarnation, State::Vacant);
    }
}

/// Makes the receivers of a dead process look at its lanes. This comes before the state of
/// the slot says that the process is dead: a receiver that has seen that, and then finds no
/// message, has received the last one.
pub fn show_records<M: Memory + Clone>(memory: &M, layout: &Layout, slot: u32) {
    let dead = member(memory, layout, slot, 0);

    for lane in known_lanes_from(memory, layout, slot) {
        if dead.state(lane.receiver).0.is_alive() {
            show(&dead, lane);
        }
    }
}

/// Makes the receiver of a lane look at it. The sender may have died before it set its bit,
/// or after that and before it rang.
fn show<M: Memory>(dead: &Member<M>, lane: Lane) {
    let (at, bit) = dead
        .layout
        .bit(lane.receiver, Bitmap::Ready(lane.class), dead.slot);

    dead.memory.set_bits(at, bit);
    dead.wake(lane.receiver);
}

/// The dead process of a slot.
fn member<M: Memory + Clone>(
    memory: &M,
    layout: &Layout,
    slot: u32,
    incarnation: u32,
) -> Member<M> {
    Member {
        memory: memory.clone(),
        layout: *layout,
        slot,
        incarnation,
        line: incarnation,
        identity: Identity::default(),
    }
}

/// Frees what a dead process had claimed in the pool of a receiver and not
/// linked, and makes the receiver look at the lane.
fn as_sender<M: Memory>(dead: &Member<M>, lane: Lane) {
    let has_records = free_unlinked(dead, lane);
    let (receiver, _) = dead.state(lane.receiver);

    // A vacant slot has no process that must look, and without records nothing for a master.
    if receiver != State::Vacant || has_records {
        show(dead, lane);
    }
}

/// Returns whether records wait in the lane.
fn free_unlinked<M: Memory>(dead: &Member<M>, lane: Lane) -> bool {
    let (memory, layout) = (&dead.memory, &dead.layout);
    let mut linked = Chunks::default();
    let mut has_records = false;
    let end = walk(memory, layout, lane, |at, found| {
        linked.add(at.chunk);
        has_records |= *found != Found::Empty;
    });
    let next = match end {
        End::Open(at) => at.number,
        End::Closed(number) => number,
        // The successor opens the lane again, and then the receiver frees all.
        End::Damaged(_) => return has_records,
    };

    pool::release_unused(memory, layout, lane.receiver, |chunk, owner| {
        let control = lane.class.is_control();
        let is_unlinked = owner.is_of(Use::Lane, control, lane.sender) && !linked.has(chunk)
            || owner.is_of(Use::Block, control, lane.sender);

        is_unlinked && !is_before(owner.number, next)
    });

    has_records
}

/// Frees the chunks of a dead process's own pool that it had passed, and makes
/// the senders that wait for room try again.
fn as_receiver<M: Memory>(dead: &Member<M>) {
    let (memory, layout) = (&dead.memory, &dead.layout);

    pool::release_unused(memory, layout, dead.slot, |chunk, owner| {
        if owner.usage == Use::Shared || owner.slot >= layout.sizes.slots {
            return false;
        }

        let lane = dead.from(owner.class(), owner.slot);
        let at = match lane::place(memory, layout, lane) {
            Place::Open(at) => at,
            Place::Closed(number) => Position::nowhere(number),
            // The sender may still write to a chunk of a damaged lane.
            Place::Damaged(_) => return false,
        };

        is_passed(layout, lane, at, chunk, owner)
    });

    for lane in known_lanes_to(memory, layout, dead.slot) {
        let (at, bit) = layout.bit(lane.sender, Bitmap::Room, dead.slot);

        memory.set_bits(at, bit);
        dead.wake_if_alive(lane.sender);
    }
}
