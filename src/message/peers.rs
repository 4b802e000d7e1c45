//! The slots of the region: which process is in a slot, and its state.

use std::mem::offset_of;
use std::sync::atomic::Ordering::{Acquire, Relaxed};

use super::identity::Identity;
use super::layout::{Layout, Slot};
use super::lineage::{self, Lineage};
use super::memory::Memory;
use super::used;
use super::words::{is_before, pair, unpair};

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
    /// The process is about to exit and takes no new messages. It still receives
    /// what was sent to it before, and it can send.
    Leaving = 4,
    /// A master has claimed the slot, for a process that it is about to start or
    /// to give back what a dead process has left.
    Claimed = 5,
    /// The process is dead and gets no successor, and what it had claimed is being
    /// given back.
    Dead = 6,
}

impl State {
    /// Whether the slot has a process that is not dead.
    pub fn is_alive(self) -> bool {
        matches!(self, Self::Starting | Self::Running | Self::Leaving)
    }

    /// Whether the slot has a process, or will have one, that gets what is sent
    /// now.
    pub fn takes_messages(self) -> bool {
        matches!(self, Self::Starting | Self::Running | Self::Awaited)
    }
}

/// In the state word of a claimed slot: this number plus the slot of the master
/// that has claimed it.
const CLAIMED: u32 = 256;

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

impl Peer {
    /// The incarnation and the first one whose messages the process takes over.
    pub fn lineage(&self) -> Lineage {
        Lineage {
            incarnation: self.incarnation,
            line: self.line,
        }
    }
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

    unpack_state(layout, memory.load(at, Acquire))
}

/// The state and the incarnation that a state word has.
#[inline]
fn unpack_state(layout: &Layout, word: u64) -> (State, u32) {
    let (state, incarnation) = unpair(word);
    let state = match state {
        1 => State::Starting,
        2 => State::Running,
        3 => State::Awaited,
        4 => State::Leaving,
        6 => State::Dead,
        _ if claimant(layout, state).is_some() => State::Claimed,
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

/// Sets the state and the incarnation of a slot that is given to no other process.
pub fn put_state<M: Memory>(memory: &M, layout: &Layout, slot: u32, incarnation: u32, to: State) {
    let at = layout.slot(slot) + offset_of!(Slot, state);

    memory.swap(at, pair(to as u32, incarnation));
}

/// Reads what a slot contains; `None` if there is no such slot. If the words of the
/// identity do not fit together, it is [`Identity::default`].
///
/// The parts are read one after the other. While the slot changes hands they
/// can belong to two processes; the incarnation then differs in a second call. A slot
/// that waits for a replacement can have the identity of the replacement.
pub fn peer<M: Memory>(memory: &M, layout: &Layout, slot: u32) -> Option<Peer> {
    read(memory, layout, slot, |state| state == State::Awaited)
}

/// Like [`peer`], for a slot whose process is dead. If its replacement was killed in
/// [`appoint`], which writes the identity before the incarnation, the identity is that of
/// the replacement.
pub fn dead_peer<M: Memory>(memory: &M, layout: &Layout, slot: u32) -> Option<Peer> {
    read(memory, layout, slot, |_| true)
}

/// Reads a slot. `is_being_replaced` says for a state whether the identity can be that of
/// the next incarnation.
fn read<M: Memory>(
    memory: &M,
    layout: &Layout,
    slot: u32,
    is_being_replaced: impl Fn(State) -> bool,
) -> Option<Peer> {
    if slot >= layout.sizes.slots {
        return None;
    }

    let at = layout.slot(slot);
    let (state, incarnation) = state(memory, layout, slot);
    let worker = memory.load(at + offset_of!(Slot, worker), Relaxed);
    let place = memory.load(at + offset_of!(Slot, place), Relaxed);

    let line = memory.load(at + offset_of!(Slot, line), Relaxed) as u32;
    let identity = Identity {
        worker: u32::try_from(worker).ok(),
        generation: memory.load(at + offset_of!(Slot, generation), Relaxed),
        role: memory.load(at + offset_of!(Slot, role), Relaxed),
        master: unpair(memory.load(at + offset_of!(Slot, master), Relaxed)),
        place: place
            .checked_sub(1)
            .and_then(|place| u32::try_from(place).ok()),
    };
    let seal = memory.load(at + offset_of!(Slot, seal), Relaxed);
    let is_sealed = |incarnation| seal == identity.seal(incarnation, line);
    let is_known =
        is_sealed(incarnation) || is_being_replaced(state) && is_sealed(lineage::next(incarnation));
    let is_whole = is_known && identity.is_possible();

    Some(Peer {
        slot,
        state,
        incarnation,
        line: if is_whole { line } else { incarnation },
        identity: if is_whole {
            identity
        } else {
            Identity::default()
        },
    })
}

/// The master that has claimed a slot with this state word.
fn claimant(layout: &Layout, state: u32) -> Option<u32> {
    state
        .checked_sub(CLAIMED)
        .filter(|&master| master < layout.sizes.slots)
}

/// Whether the process of a slot is a master that runs.
pub fn is_master<M: Memory>(memory: &M, layout: &Layout, slot: u32) -> bool {
    let place = memory.load(layout.slot(slot) + offset_of!(Slot, place), Relaxed);

    place == 0 && state(memory, layout, slot).0.is_alive()
}

/// The slot of the master that has claimed a slot; `None` if none has.
pub fn claimed_by<M: Memory>(memory: &M, layout: &Layout, slot: u32) -> Option<u32> {
    let at = layout.slot(slot) + offset_of!(Slot, state);

    claimant(layout, unpair(memory.load(at, Acquire)).0)
}

/// Claims a vacant slot for a process that the master in the slot `master` is about
/// to start. Other masters do the same at the same time, so the slot is claimed with
/// one compare-and-swap. Others cannot send to the slot before [`appoint`].
///
/// `last` says which incarnation of a slot this master knows, 0 for none; `None` if
/// the slot must not be claimed. The new process gets a later incarnation, whatever
/// the slot says.
///
/// Returns the slot and the incarnation of the process; `None` if no slot is
/// vacant.
pub fn claim<M: Memory>(
    memory: &M,
    layout: &Layout,
    master: u32,
    last: impl Fn(u32) -> Option<u32>,
) -> Option<(u32, u32)> {
    (0..layout.sizes.slots).find_map(|slot| {
        let known = last(slot)?;
        let at = layout.slot(slot) + offset_of!(Slot, state);
        let word = memory.load(at, Acquire);
        let (_, previous) = unpair(word);
        let is_older = known != 0 && is_before(previous, known);
        let incarnation = lineage::next(if is_older { known } else { previous });
        let is_claimed = unpack_state(layout, word) == (State::Vacant, previous)
            && memory.replace(at, word, pair(CLAIMED + master, incarnation));

        is_claimed.then_some((slot, incarnation))
    })
}

/// Claims a slot whose process and whose master are dead, so that only the master
/// in the slot `master` recovers it. Returns whether it has.
pub fn seize<M: Memory>(memory: &M, layout: &Layout, slot: u32, master: u32, dead: &Peer) -> bool {
    let at = layout.slot(slot) + offset_of!(Slot, state);
    let word = memory.load(at, Acquire);

    unpack_state(layout, word) == (dead.state, dead.incarnation)
        && memory.replace(at, word, pair(CLAIMED + master, dead.incarnation))
}

/// The pid of the process in a slot; `None` if it has not used the region yet.
pub fn pid<M: Memory>(memory: &M, layout: &Layout, slot: u32) -> Option<i32> {
    let pid = memory.load(layout.slot(slot) + offset_of!(Slot, pid), Relaxed);

    i32::try_from(pid).ok().filter(|&pid| pid > 0)
}

/// Stores the pid of the process in a slot, so that another master finds out
/// whether it is dead.
pub fn set_pid<M: Memory>(memory: &M, layout: &Layout, slot: u32, pid: i32) {
    let pid = u64::try_from(pid).unwrap_or_default();

    memory.store(layout.slot(slot) + offset_of!(Slot, pid), pid, Relaxed);
}

/// Records that a process runs in the slot that its master has given to it, and its pid.
/// Returns false if the slot is no longer its own: if the master is dead, another one can
/// take the slot away from a process that does not run yet.
pub fn enter<M: Memory>(
    memory: &M,
    layout: &Layout,
    slot: u32,
    incarnation: u32,
    pid: i32,
) -> bool {
    let at = layout.slot(slot) + offset_of!(Slot, state);
    let word = memory.load(at, Acquire);
    let (state, found) = unpack_state(layout, word);

    if found != incarnation || !state.is_alive() {
        return false;
    }

    // This comes first, because a process that runs and has no pid looks dead.
    set_pid(memory, layout, slot, pid);

    state != State::Starting || memory.replace(at, word, pair(State::Running as u32, incarnation))
}

/// Gives a slot to a process that is about to be started. From now on others
/// can send to it. Only one master may call this for a slot: it has claimed the
/// slot, or the previous process of the slot was its child, is dead, and
/// [`recover`](super::recover::recover) has been called for it.
///
/// Nothing follows from what the slot says, because a process can have overwritten
/// it. The numbers of the new process come from the master's own memory.
///
/// Returns false if there is no such slot.
pub fn appoint<M: Memory>(
    memory: &M,
    layout: &Layout,
    slot: u32,
    identity: Identity,
    Lineage { incarnation, line }: Lineage,
) -> bool {
    if slot >= layout.sizes.slots {
        return false;
    }

    let at = layout.slot(slot);
    let put = |field, value| memory.store(at + field, value, Relaxed);

    used::note(memory, slot);

    for (field, value) in identity.sealed_words(incarnation, line) {
        put(field, value);
    }

    put(offset_of!(Slot, pid), 0);
    put(offset_of!(Slot, unhandled), 0);

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

    true
}
