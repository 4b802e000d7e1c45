//! The last message of a type, which is kept in the board for processes that start
//! later.
//!
//! Each type has a few buffers in the board, and a word that names the current
//! buffer and its version. A process that keeps a message takes a buffer that is
//! not current, writes the message, and then makes it current with one
//! compare-and-swap. So no reader sees a message before it is complete. A process
//! that is killed leaves the previous message current, and another process takes over
//! its buffer. A process that is stopped keeps its buffer until it continues.
//!
//! A reader copies the message and then looks whether the buffer is still current.

use std::sync::atomic::Ordering::{Acquire, Relaxed, SeqCst};
use std::sync::atomic::fence;

use super::address::Set;
pub use super::board::MAX_KEPT;
use super::board::{BUFFER, BUFFERS, KEPT_TYPE, PAGE, RETAINED};
use crate::message::memory::Memory;
use crate::message::peers::Peer;
use crate::message::words::{pair, unpair};

/// The offsets in a buffer: the process that writes it, the sender of the message, the
/// length, the set, its generation and its master, the payload.
const WRITER: usize = 0;
const SENDER: usize = 8;
const LEN: usize = 16;
const SET: usize = 24;
const GENERATION: usize = 32;
const MASTER: usize = 40;
const DATA: usize = 48;
/// The largest payload in bytes.
pub const LARGEST: usize = BUFFER - PAGE;

/// How often a writer tries again when another process has changed the current buffer
/// meanwhile.
const TRIES: u32 = 1000;
/// How often a reader does. It copies up to [`LARGEST`] bytes each time, so a process
/// that changes the current buffer again and again must not keep it busy.
const READS: u32 = 8;
/// The bits of a version.
pub const VERSION: u32 = (1 << 30) - 1;

/// For which processes a message is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Audience {
    /// The set.
    pub set: Set,
    /// The generation of the processes of the set.
    pub generation: u64,
    /// The master of the binary of these processes.
    pub master: (u32, u32),
}

/// A message that was kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The version, which grows with each message; never 0.
    pub version: u32,
    /// The slot and the incarnation of the sender.
    pub sender: (u32, u32),
    /// For which processes it is kept.
    pub audience: Audience,
    /// The payload.
    pub payload: Vec<u8>,
}

/// A message was not read, because there is no memory, or because other processes keep
/// messages faster than this one can read them. A later attempt can succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GaveUp;

/// The place of a type in the board.
#[derive(Clone, Copy)]
struct Place {
    /// The offset of the word that names the current buffer.
    current: usize,
}

impl Place {
    /// The place of a type, which has [`add`]ed itself.
    fn of<M: Memory>(board: &M, number: u16) -> Option<Self> {
        let index = (0..MAX_KEPT).find(|&index| {
            board.load(RETAINED + usize::from(index) * 8, Acquire) == u64::from(number) + 1
        })?;

        Some(Self {
            current: RETAINED + PAGE + usize::from(index) * KEPT_TYPE,
        })
    }

    fn buffer(self, index: u32) -> usize {
        self.current + PAGE + (index % BUFFERS) as usize * BUFFER
    }
}

/// Makes room for the last message of a type. Returns false if there is no room for
/// more types.
pub fn add<M: Memory>(board: &M, number: u16) -> bool {
    let word = u64::from(number) + 1;

    (0..MAX_KEPT).any(|index| {
        let at = RETAINED + usize::from(index) * 8;

        board.load(at, Acquire) == word
            || board.replace(at, 0, word)
            || board.load(at, Acquire) == word
    })
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
    (payload, audience): (&[u8], Audience),
    peer: impl Fn(u32) -> Option<Peer>,
) -> Option<u32> {
    let place = Place::of(board, number).filter(|_| payload.len() <= LARGEST)?;
    let index = take(board, place, own, peer)?;
    let at = place.buffer(index);

    board.write(at + DATA, payload);
    board.store(at + LEN, payload.len() as u64, Relaxed);
    board.store(at + SENDER, pair(own.0, own.1), Relaxed);
    board.store(at + SET, audience.set.0.into(), Relaxed);
    board.store(at + GENERATION, audience.generation, Relaxed);
    board.store(
        at + MASTER,
        pair(audience.master.0, audience.master.1),
        Relaxed,
    );

    let version = publish(board, place, index);

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
    place: Place,
    own: (u32, u32),
    peer: impl Fn(u32) -> Option<Peer>,
) -> Option<u32> {
    (0..BUFFERS).find(|&index| {
        let at = place.buffer(index) + WRITER;
        let before = board.load(at, SeqCst);

        if is_current(board, place, index)
            || before != 0 && is_writing(before, &peer)
            || !board.replace(at, before, writer(own))
        {
            return false;
        }

        // Only the process that has the buffer makes it current, so it does not
        // become current any more after this look.
        if is_current(board, place, index) {
            board.replace(at, writer(own), 0);
            return false;
        }

        true
    })
}

fn is_current<M: Memory>(board: &M, place: Place, index: u32) -> bool {
    let (version, current) = unpair(board.load(place.current, SeqCst));

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
fn publish<M: Memory>(board: &M, place: Place, index: u32) -> Option<u32> {
    let at = place.current;

    for _ in 0..TRIES {
        let before = board.load(at, SeqCst);
        let version = next(unpair(before).0);

        if board.replace(at, before, pair(version, index)) {
            return Some(version);
        }
    }

    None
}

/// The version of the message of a type that was kept last; 0 if there is none.
pub fn version<M: Memory>(board: &M, number: u16) -> u32 {
    Place::of(board, number).map_or(0, |place| {
        unpair(board.load(place.current, SeqCst)).0 & VERSION
    })
}

/// The message of a type that was kept last; `None` if there is none.
pub fn read<M: Memory>(board: &M, number: u16) -> Result<Option<Kept>, GaveUp> {
    let Some(place) = Place::of(board, number) else {
        return Ok(None);
    };

    for _ in 0..READS {
        let before = board.load(place.current, SeqCst);
        let (version, index) = unpair(before);

        if version == 0 {
            return Ok(None);
        }

        let at = place.buffer(index);
        let len = usize::try_from(board.load(at + LEN, Acquire)).unwrap_or(LARGEST);
        let len = len.min(LARGEST);
        let mut payload = Vec::new();

        payload.try_reserve_exact(len).or(Err(GaveUp))?;
        payload.resize(len, 0);
        board.read(at + DATA, &mut payload);

        let sender = unpair(board.load(at + SENDER, SeqCst));
        let audience = Audience {
            set: Set(board.load(at + SET, SeqCst) as u32),
            generation: board.load(at + GENERATION, SeqCst),
            master: unpair(board.load(at + MASTER, SeqCst)),
        };

        // The payload is read before the next look at the word.
        fence(Acquire);

        if board.load(place.current, SeqCst) == before {
            return Ok(Some(Kept {
                version: version & VERSION,
                sender,
                audience,
                payload,
            }));
        }
    }

    Err(GaveUp)
}

#[cfg(test)]
mod tests;
