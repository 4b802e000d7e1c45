//! Keys that wait: a message with a key can be dropped while another one with
//! this key waits.
//!
//! # Which keys wait
//!
//! The board has a table of keys that wait. An entry has two words: the hash of
//! the type and the key, 64 bits with a secret, and a state:
//!
//! | state | the process in it | meaning |
//! | --- | --- | --- |
//! | free | none | the hash means nothing |
//! | sending | the sender | the sender alone writes the entry |
//! | waiting | the receiver | a message with the key waits for the receiver |
//!
//! A sender makes an entry `sending`, sends, and then makes it `waiting` unless
//! the receiver was faster. The receiver frees the entry before it handles the
//! message. Each change is one compare-and-swap of the state, which also has a
//! version, so a change that comes too late fails.
//!
//! An entry that should be free and is not would lose messages. So it counts only
//! while its process is there: a sender that is dead leaves a `sending` entry,
//! which the next sender takes over; a `waiting` entry counts only while its
//! receiver, or the receiver's replacement, gets the message; a receiver that is told
//! of a gap frees all its entries; and a sender frees the entry if the receiver was
//! replaced before the entry was `waiting`. In all these cases a message can be
//! sent although another one waits, but none is lost.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::atomic::Ordering::{Relaxed, SeqCst};

use super::board::{KEYS, KEYS_COUNT, SECRET};
use super::siphash;
use crate::message::memory::Memory;
use crate::message::peers::{Peer, State};

/// The number of entries in which a hash can be.
const PROBES: usize = 8;
const ENTRY: usize = 16;
const STATE: usize = 8;

/// The state word of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry {
    kind: Kind,
    slot: u32,
    incarnation: u32,
    version: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Free,
    Sending,
    Waiting,
}

impl Entry {
    fn pack(self) -> u64 {
        let kind = match self.kind {
            Kind::Free => 0,
            Kind::Sending => 1,
            Kind::Waiting => 2,
        };

        kind | u64::from(self.slot & 0x3ff) << 2
            | u64::from(self.version & 0xf_ffff) << 12
            | u64::from(self.incarnation) << 32
    }

    fn unpack(word: u64) -> Self {
        Self {
            kind: match word & 3 {
                1 => Kind::Sending,
                2 => Kind::Waiting,
                _ => Kind::Free,
            },
            slot: (word >> 2) as u32 & 0x3ff,
            version: (word >> 12) as u32 & 0xf_ffff,
            incarnation: (word >> 32) as u32,
        }
    }

    fn change(self, kind: Kind, slot: u32, incarnation: u32) -> Self {
        Self {
            kind,
            slot,
            incarnation,
            version: self.version.wrapping_add(1),
        }
    }
}

/// What a sender finds for a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// A message with the key waits.
    Waits,
    /// The sender has the entry, and calls [`sent`] or [`refused`] with it.
    Entry(Claimed),
    /// There is no entry for the key. The message is sent without one.
    NoEntry,
}

/// An entry that this process writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claimed {
    index: usize,
    entry: Entry,
}

impl Claimed {
    /// The number for the record, so that the receiver finds the entry. 0 is
    /// none.
    pub fn number(&self) -> u32 {
        self.index as u32 + 1
    }
}

/// Chooses the secret of a new board, so that a client of the program cannot find
/// two keys with the same hash.
pub fn create<M: Memory>(board: &M) {
    for word in 0..2 {
        let random = RandomState::new().build_hasher().finish();

        board.store(SECRET + word * 8, random, Relaxed);
    }
}

/// The hash of a key of a type.
pub fn hash<M: Memory>(board: &M, number: u16, key: &[u8]) -> u64 {
    let secret = (board.load(SECRET, Relaxed), board.load(SECRET + 8, Relaxed));

    siphash::hash(secret, number.into(), key)
}

fn at(index: usize) -> usize {
    KEYS + index * ENTRY
}

fn load<M: Memory>(board: &M, index: usize) -> Entry {
    Entry::unpack(board.load(at(index) + STATE, SeqCst))
}

fn change<M: Memory>(board: &M, index: usize, from: Entry, to: Entry) -> bool {
    board.replace(at(index) + STATE, from.pack(), to.pack())
}

/// Looks whether a message with the hash waits, and takes an entry if none does.
/// `own` is the slot and the incarnation of this process; `peer` reads a slot.
pub fn claim<M: Memory>(
    board: &M,
    hash: u64,
    (slot, incarnation): (u32, u32),
    peer: impl Fn(u32) -> Option<Peer>,
) -> Claim {
    let mut usable = None;

    for probe in 0..PROBES {
        let index = (hash as usize).wrapping_add(probe) % KEYS_COUNT;
        let entry = load(board, index);
        let counts = counts(entry, &peer);

        if !counts {
            usable.get_or_insert((index, entry));
        } else if entry.kind == Kind::Waiting
            && board.load(at(index), SeqCst) == hash
            && load(board, index) == entry
        {
            return Claim::Waits;
        }
    }

    let Some((index, entry)) = usable else {
        return Claim::NoEntry;
    };
    let sending = entry.change(Kind::Sending, slot, incarnation);

    if !change(board, index, entry, sending) {
        return Claim::NoEntry;
    }

    board.store(at(index), hash, SeqCst);

    Claim::Entry(Claimed {
        index,
        entry: sending,
    })
}

/// Whether an entry is used: its process is there.
fn counts(entry: Entry, peer: impl Fn(u32) -> Option<Peer>) -> bool {
    let Some(peer) = peer(entry.slot) else {
        return false;
    };

    match entry.kind {
        Kind::Free => false,
        Kind::Sending => peer.incarnation == entry.incarnation && peer.state.is_alive(),
        Kind::Waiting => {
            peer.lineage().has(entry.incarnation)
                && (peer.state.is_alive() || peer.state == State::Awaited)
        }
    }
}

/// Records that the message of an entry was sent to a process. `incarnation_of` reads the
/// incarnation of a slot.
pub fn sent<M: Memory>(
    board: &M,
    claimed: Claimed,
    (slot, incarnation): (u32, u32),
    incarnation_of: impl Fn(u32) -> u32,
) {
    let Claimed { index, entry } = claimed;
    let waiting = entry.change(Kind::Waiting, slot, incarnation);

    // This fails if the receiver has handled the message already.
    let waits = change(board, index, entry, waiting);

    // If the receiver has a replacement, it may have been told of a gap before this entry
    // was `waiting`, and has not freed it then.
    if waits && incarnation_of(slot) != incarnation {
        change(board, index, waiting, waiting.change(Kind::Free, 0, 0));
    }
}

/// Frees an entry whose message was not sent.
pub fn refused<M: Memory>(board: &M, claimed: Claimed) {
    let Claimed { index, entry } = claimed;

    change(board, index, entry, entry.change(Kind::Free, 0, 0));
}

/// Frees the entry with the number of a message that the receiver is about to
/// handle. `own` is the receiver's slot.
pub fn handled<M: Memory>(board: &M, number: u32, own: u32) {
    let Some(index) = (number as usize).checked_sub(1).filter(|&i| i < KEYS_COUNT) else {
        return;
    };
    let entry = load(board, index);

    // If the entry is `sending`, the sender has sent this message and not made
    // the entry `waiting` yet. Or the entry has another message: then that one
    // can be sent twice.
    if entry.kind == Kind::Sending || entry.kind == Kind::Waiting && entry.slot == own {
        change(board, index, entry, entry.change(Kind::Free, 0, 0));
    }
}

/// Frees all entries of the messages that wait for this process, because messages to
/// it were lost.
pub fn free_all<M: Memory>(board: &M, own: u32) {
    for index in 0..KEYS_COUNT {
        let entry = load(board, index);

        if entry.kind == Kind::Waiting && entry.slot == own {
            change(board, index, entry, entry.change(Kind::Free, 0, 0));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::identity::Identity;
    use crate::message::mapped::Mapped;
    use crate::messaging::board;

    fn peer(slot: u32, incarnation: u32, state: State) -> Peer {
        Peer {
            slot,
            state,
            incarnation,
            line: 1,
            identity: Identity {
                worker: Some(slot),
                ..Identity::default()
            },
        }
    }

    fn alive(slot: u32) -> Option<Peer> {
        Some(peer(slot, 1, State::Running))
    }

    /// The incarnation of a receiver that was not replaced.
    fn not_replaced(_slot: u32) -> u32 {
        1
    }

    fn entry(claim: Claim) -> Claimed {
        match claim {
            Claim::Entry(claimed) => claimed,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_key_that_waits_is_found_until_it_is_handled() {
        let mapped = Mapped::new(board::SIZE, 0).unwrap();
        let board = &mapped;

        create(&board);

        let hash = hash(&board, 1, b"key");
        let claimed = entry(claim(&board, hash, (1, 1), alive));

        sent(&board, claimed, (2, 1), not_replaced);
        assert_eq!(claim(&board, hash, (3, 1), alive), Claim::Waits);
        assert_ne!(claim(&board, hash ^ 1 << 40, (3, 1), alive), Claim::Waits);

        handled(&board, claimed.number(), 2);
        assert_ne!(claim(&board, hash, (3, 1), alive), Claim::Waits);
        handled(&board, 0, 2);
        handled(&board, u32::MAX, 2);
    }

    #[test]
    fn a_receiver_can_be_faster_than_the_sender() {
        let mapped = Mapped::new(board::SIZE, 0).unwrap();
        let board = &mapped;
        let claimed = entry(claim(&board, 5, (1, 1), alive));

        handled(&board, claimed.number(), 2);
        sent(&board, claimed, (2, 1), not_replaced);
        assert_ne!(claim(&board, 5, (3, 1), alive), Claim::Waits);
    }

    /// The receiver was killed while it handled the message. Its replacement has freed what
    /// waits, but the sender has not recorded yet that the message waits.
    #[test]
    fn a_replacement_can_be_faster_than_the_sender() {
        let mapped = Mapped::new(board::SIZE, 0).unwrap();
        let board = &mapped;
        let claimed = entry(claim(&board, 5, (1, 1), alive));

        free_all(&board, 2);
        sent(&board, claimed, (2, 1), |_| 2);

        let replaced = |slot| Some(peer(slot, if slot == 2 { 2 } else { 1 }, State::Running));

        assert_ne!(claim(&board, 5, (3, 1), replaced), Claim::Waits);
    }

    #[test]
    fn the_dead_hold_no_keys() {
        let mapped = Mapped::new(board::SIZE, 0).unwrap();
        let board = &mapped;
        let successor = |slot| Some(peer(slot, 2, State::Running));
        let vacant = |slot| Some(peer(slot, 1, State::Vacant));

        // The sender dies before it has sent.
        let first = entry(claim(&board, 5, (1, 1), alive));
        let second = entry(claim(&board, 5, (3, 2), successor));

        assert_eq!(first.index, second.index);

        // The receiver dies: its replacement gets the message.
        sent(&board, second, (2, 1), not_replaced);
        assert_eq!(claim(&board, 5, (3, 2), successor), Claim::Waits);

        // There is no replacement.
        let third = entry(claim(&board, 5, (3, 1), vacant));

        // A sender that was stopped meanwhile changes nothing.
        refused(&board, second);
        sent(&board, third, (2, 1), not_replaced);
        assert_eq!(claim(&board, 5, (3, 2), alive), Claim::Waits);

        free_all(&board, 2);
        assert_ne!(claim(&board, 5, (3, 2), alive), Claim::Waits);
    }

    #[test]
    fn a_full_table_drops_nothing() {
        let mapped = Mapped::new(board::SIZE, 0).unwrap();
        let board = &mapped;

        for hash in 0..KEYS_COUNT as u64 {
            sent(
                &board,
                entry(claim(&board, hash, (1, 1), alive)),
                (2, 1),
                not_replaced,
            );
        }

        assert_eq!(claim(&board, 1 << 50, (1, 1), alive), Claim::NoEntry);
        assert_eq!(claim(&board, 77, (1, 1), alive), Claim::Waits);
    }
}
