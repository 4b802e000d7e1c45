//! The processes in the slots of the region, and in which state they are.

use std::mem::offset_of;
use std::sync::atomic::Ordering::{Acquire, Relaxed};

use super::layout::{Layout, Slot};
use super::memory::Memory;
use super::words::{pair, unpair};

/// What a slot is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum State {
    /// No process has the slot, and none will get its messages.
    Vacant = 0,
    /// The process is being started. It gets what is sent from now on.
    Starting = 1,
    /// The process runs.
    Running = 2,
    /// The process is dead, and a successor will take its messages over.
    Awaited = 3,
}

/// Says which process is in a slot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// The worker number; `None` if the process has none.
    pub worker: Option<u32>,
    /// The generation, which grows with each reload.
    pub generation: u64,
    /// The role. This directory does not interpret it.
    pub role: u64,
}

/// What a slot contains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// The slot.
    pub slot: u32,
    /// The state.
    pub state: State,
    /// The number of the process among all processes that the slot has had; the
    /// first one has the number 1.
    pub incarnation: u32,
    /// The first incarnation whose messages this one takes over.
    pub line: u32,
    /// The identity.
    pub identity: Identity,
}

/// Whether a new process in a slot takes over what its predecessor has not
/// received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heritage {
    /// It replaces the predecessor and takes over its messages, other than those
    /// for the predecessor's incarnation only.
    Successor,
    /// It has nothing to do with the predecessor.
    Stranger,
}

/// Reads the state and the incarnation of a slot.
#[inline]
pub fn state<M: Memory>(memory: &M, layout: &Layout, slot: u32) -> (State, u32) {
    let at = layout.slot(slot) + offset_of!(Slot, state);
    let (state, incarnation) = unpair(memory.load(at, Acquire));
    let state = match state {
        1 => State::Starting,
        2 => State::Running,
        3 => State::Awaited,
        _ => State::Vacant,
    };

    (state, incarnation)
}

/// Sets the state of a slot, if it still has this incarnation. Returns whether
/// it had.
pub fn set_state<M: Memory>(
    memory: &M,
    layout: &Layout,
    slot: u32,
    incarnation: u32,
    to: State,
) -> bool {
    let at = layout.slot(slot) + offset_of!(Slot, state);

    loop {
        let (from, found) = unpair(memory.load(at, Acquire));

        if found != incarnation {
            return false;
        }

        if memory.replace(at, pair(from, found), pair(to as u32, incarnation)) {
            return true;
        }
    }
}

/// Reads what a slot contains; `None` if there is no such slot.
///
/// The parts are read one after the other. While the slot changes hands they
/// can belong to two processes; the incarnation then differs in a second call.
pub fn peer<M: Memory>(memory: &M, layout: &Layout, slot: u32) -> Option<Peer> {
    if slot >= layout.sizes.slots {
        return None;
    }

    let at = layout.slot(slot);
    let (state, incarnation) = state(memory, layout, slot);
    let worker = memory.load(at + offset_of!(Slot, worker), Relaxed);

    Some(Peer {
        slot,
        state,
        incarnation,
        line: memory.load(at + offset_of!(Slot, line), Relaxed) as u32,
        identity: Identity {
            worker: u32::try_from(worker).ok(),
            generation: memory.load(at + offset_of!(Slot, generation), Relaxed),
            role: memory.load(at + offset_of!(Slot, role), Relaxed),
        },
    })
}

/// Gives a slot to a process that is about to be started. From now on others
/// can send to it. Only one process, the master, may call this for a slot, and
/// only when the previous process of the slot is dead and
/// [`recover`](super::recover::recover) has been called for it.
///
/// Returns the incarnation of the new process; `None` if there is no such slot.
pub fn appoint<M: Memory>(
    memory: &M,
    layout: &Layout,
    slot: u32,
    identity: Identity,
    heritage: Heritage,
) -> Option<u32> {
    if slot >= layout.sizes.slots {
        return None;
    }

    let at = layout.slot(slot);
    let (_, previous) = state(memory, layout, slot);
    let incarnation = previous.wrapping_add(1).max(1);
    let put = |field, value| memory.store(at + field, value, Relaxed);

    put(
        offset_of!(Slot, worker),
        identity.worker.map_or(u64::MAX, u64::from),
    );
    put(offset_of!(Slot, generation), identity.generation);
    put(offset_of!(Slot, role), identity.role);

    if heritage == Heritage::Stranger || previous == 0 {
        put(offset_of!(Slot, line), incarnation.into());
    }

    // The process does not sleep yet. The number of the last sleep stays, because
    // a stopped sender may still compare the word with it.
    put(
        offset_of!(Slot, sleep),
        memory.load(at + offset_of!(Slot, sleep), Relaxed) & !1,
    );
    memory.swap(
        at + offset_of!(Slot, state),
        pair(State::Starting as u32, incarnation),
    );

    Some(incarnation)
}
