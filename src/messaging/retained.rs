//! The last message of a type, which is kept for processes that come later.
//!
//! Each type has a few buffers in the board, and a word that names the current
//! buffer and its version. A process that keeps a message takes a buffer that is
//! not current, writes the message, and then makes it current with one
//! compare-and-swap. So a reader never sees a message that is half written, and a
//! process that is killed leaves the previous message current; its buffer is
//! taken over. A process that is stopped holds one buffer.
//!
//! A reader copies the message and then looks whether the buffer is still current.

use std::sync::atomic::Ordering::{Acquire, Relaxed, SeqCst};

use super::board::{BUFFER, BUFFERS, MAX_TYPES, RETAINED, RETAINED_TYPE as TYPE};
use crate::message::memory::Memory;
use crate::message::peers::Peer;
use crate::message::words::{pair, unpair};

/// The largest payload in bytes.
pub const LARGEST: usize = BUFFER - DATA;
/// The offsets in a buffer: who writes it, who has sent the message, the length,
/// the payload.
const WRITER: usize = 0;
const SENDER: usize = 8;
const LEN: usize = 16;
const DATA: usize = 32;
/// How often a reader or writer tries again when others are faster.
const TRIES: u32 = 1000;
/// The bits of a version.
pub const VERSION: u32 = (1 << 30) - 1;

/// A message that was kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The version, which grows with each message; never 0.
    pub version: u32,
    /// The slot and the incarnation of the sender.
    pub sender: (u32, u32),
    /// The payload.
    pub payload: Vec<u8>,
}

fn current(number: u16) -> usize {
    RETAINED + usize::from(number) * TYPE
}

fn buffer(number: u16, index: u32) -> usize {
    current(number) + 4096 + (index % BUFFERS) as usize * BUFFER
}

/// The version that follows another one.
fn next(version: u32) -> u32 {
    (version.wrapping_add(1) & VERSION).max(1)
}

/// Whether the version `a` is older than `b`, or the same.
pub fn is_old(a: u32, b: u32) -> bool {
    b.wrapping_sub(a) & VERSION <= VERSION / 2
}

/// Keeps a message of a type. Returns its version; `None` if the payload is too
/// large, or if all buffers are being written. `own` is the slot and the
/// incarnation of this process; `peer` reads a slot.
pub fn keep<M: Memory>(
    board: &M,
    number: u16,
    own: (u32, u32),
    payload: &[u8],
    peer: impl Fn(u32) -> Option<Peer>,
) -> Option<u32> {
    if payload.len() > LARGEST || number >= MAX_TYPES {
        return None;
    }

    let index = take(board, number, own, peer)?;
    let at = buffer(number, index);

    board.write(at + DATA, payload);
    board.store(at + LEN, payload.len() as u64, Relaxed);
    board.store(at + SENDER, pair(own.0, own.1), Relaxed);

    let version = publish(board, number, index);

    board.replace(at + WRITER, writer(own), 0);

    version
}

fn writer((slot, incarnation): (u32, u32)) -> u64 {
    // The slot is never 2^32 - 1, so the word is not 0.
    pair(slot + 1, incarnation)
}

/// Takes a buffer that is not current.
fn take<M: Memory>(
    board: &M,
    number: u16,
    own: (u32, u32),
    peer: impl Fn(u32) -> Option<Peer>,
) -> Option<u32> {
    (0..BUFFERS).find(|&index| {
        let at = buffer(number, index) + WRITER;
        let before = board.load(at, SeqCst);

        if is_current(board, number, index)
            || before != 0 && is_writing(before, &peer)
            || !board.replace(at, before, writer(own))
        {
            return false;
        }

        // Only the process that has the buffer makes it current, so it does not
        // become current any more after this look.
        if is_current(board, number, index) {
            board.replace(at, writer(own), 0);
            return false;
        }

        true
    })
}

fn is_current<M: Memory>(board: &M, number: u16, index: u32) -> bool {
    let (version, current) = unpair(board.load(self::current(number), SeqCst));

    version != 0 && current == index
}

/// Whether the process that has a buffer is there.
fn is_writing(word: u64, peer: impl Fn(u32) -> Option<Peer>) -> bool {
    let (slot, incarnation) = unpair(word);

    slot.checked_sub(1)
        .and_then(peer)
        .is_some_and(|peer| peer.incarnation == incarnation && peer.state.is_alive())
}

/// Makes a buffer current. Returns the version.
fn publish<M: Memory>(board: &M, number: u16, index: u32) -> Option<u32> {
    let at = current(number);

    for _ in 0..TRIES {
        let before = board.load(at, SeqCst);
        let version = next(unpair(before).0);

        if board.replace(at, before, pair(version, index)) {
            return Some(version);
        }
    }

    None
}

/// The message of a type that was kept last, if there is one.
pub fn read<M: Memory>(board: &M, number: u16) -> Option<Kept> {
    if number >= MAX_TYPES {
        return None;
    }

    for _ in 0..TRIES {
        let before = board.load(current(number), SeqCst);
        let (version, index) = unpair(before);

        if version == 0 {
            return None;
        }

        let at = buffer(number, index);
        let len = usize::try_from(board.load(at + LEN, Acquire)).ok()?;
        let len = len.min(LARGEST);
        let mut payload = Vec::new();

        payload.try_reserve_exact(len).ok()?;
        payload.resize(len, 0);
        board.read(at + DATA, &mut payload);

        let sender = unpair(board.load(at + SENDER, SeqCst));

        if board.load(current(number), SeqCst) == before {
            return Some(Kept {
                version: version & VERSION,
                sender,
                payload,
            });
        }
    }

    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::mapped::Mapped;
    use crate::message::peers::{Identity, State};
    use crate::messaging::board;

    fn peer(slot: u32) -> Option<Peer> {
        Some(Peer {
            slot,
            state: State::Running,
            incarnation: 1,
            line: 1,
            identity: Identity::default(),
        })
    }

    #[test]
    fn the_last_message_is_kept() {
        let mapped = Mapped::new(board::SIZE, 0).unwrap();
        let board = &mapped;

        assert_eq!(read(&board, 3), None);
        assert_eq!(keep(&board, 3, (1, 1), b"one", peer), Some(1));
        assert_eq!(keep(&board, 3, (2, 1), b"two", peer), Some(2));

        let kept = read(&board, 3).unwrap();

        assert_eq!((kept.version, kept.sender), (2, (2, 1)));
        assert_eq!(kept.payload, b"two");
        assert_eq!(read(&board, 4), None);
        assert_eq!(keep(&board, 3, (1, 1), &[0; LARGEST + 1], peer), None);
        assert_eq!(keep(&board, 3, (1, 1), &[7; LARGEST], peer), Some(3));
        assert_eq!(read(&board, 3).unwrap().payload, [7; LARGEST]);
    }

    #[test]
    fn a_process_that_writes_leaves_the_current_message() {
        let mapped = Mapped::new(board::SIZE, 0).unwrap();
        let board = &mapped;

        keep(&board, 0, (1, 1), b"one", peer);

        // Processes are stopped while they write.
        for slot in 2..9 {
            assert!(take(&board, 0, (slot, 1), peer).is_some());
        }

        assert_eq!(keep(&board, 0, (1, 1), b"two", peer), None);
        assert_eq!(read(&board, 0).unwrap().payload, b"one");

        // One of them is dead.
        let but_five = |slot| peer(slot).filter(|peer| peer.slot != 5);

        assert_eq!(keep(&board, 0, (1, 1), b"two", but_five), Some(2));
        assert_eq!(read(&board, 0).unwrap().payload, b"two");
    }

    #[test]
    fn versions_wrap() {
        assert_eq!(next(VERSION), 1);
        assert!(is_old(5, 5));
        assert!(is_old(4, 5));
        assert!(!is_old(6, 5));
        assert!(is_old(VERSION, 1));
        assert!(!is_old(1, VERSION));
    }
}
