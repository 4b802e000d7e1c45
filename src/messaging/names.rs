//! The numbers of the types. A type has a name, and all processes must have the
//! same number for the same name, whichever module registers first.
//!
//! A record has 16 bits for its type. A hash of that size would give the same
//! number to two of some hundred names. So the numbers come from a table in the
//! board: the index of the entry with the name is the number of the type. The
//! numbers are small, so they can index arrays, and every process can print the
//! names.
//!
//! An entry is claimed with one compare-and-swap of the hash of the name. A
//! process that is killed before it has written the name does no harm: the next
//! process that registers the name writes it.

use std::sync::atomic::Ordering::{Acquire, Release};

pub use super::board::MAX_TYPES;
use super::board::{NAMES, TYPE};
use crate::message::memory::Memory;

/// The largest length of a name in bytes.
pub const MAX_NAME: usize = 48;

/// The offsets in an entry, which begins with the hash.
const LEN: usize = 8;
const NAME: usize = 16;

const _: () = assert!(NAME + MAX_NAME <= TYPE);

/// Whether a type can have this name. Names that begin with `(` stand for messages without
/// a type, for example `(replies)`.
pub fn is_valid(name: &[u8]) -> bool {
    !name.is_empty() && name.len() <= MAX_NAME && !name.starts_with(b"(")
}

/// The number of the type with this name; a new number if no process has
/// registered the name. Returns `None` if no type can have the name, or if
/// there are too many types.
pub fn register<M: Memory>(board: &M, name: &[u8]) -> Option<u16> {
    if !is_valid(name) {
        return None;
    }

    let hash = hash(name);

    (0..MAX_TYPES).find(|&number| claim(board, number, name, hash))
}

/// A name.
#[derive(Clone, Copy, Debug)]
pub struct Name {
    bytes: [u8; MAX_NAME],
    len: usize,
}

impl Name {
    /// The bytes of the name.
    pub fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

/// The name of a type; `None` if no type has this number.
pub fn name<M: Memory>(board: &M, number: u16) -> Option<Name> {
    if number >= MAX_TYPES {
        return None;
    }

    read_name(board, entry(number))
}

/// Whether a type with this name is registered.
pub fn is_known<M: Memory>(board: &M, own: &[u8]) -> bool {
    (0..MAX_TYPES).any(|number| name(board, number).is_some_and(|found| found.bytes() == own))
}

/// The number of types that are registered.
pub fn count<M: Memory>(board: &M) -> u16 {
    (0..MAX_TYPES)
        .find(|&number| board.load(entry(number), Acquire) == 0)
        .unwrap_or(MAX_TYPES)
}

fn entry(number: u16) -> usize {
    NAMES + usize::from(number) * TYPE
}

/// Claims an entry for a name. Returns false if the entry has another name.
fn claim<M: Memory>(board: &M, number: u16, name: &[u8], hash: u64) -> bool {
    let at = entry(number);

    if board.load(at, Acquire) == 0 {
        board.replace(at, 0, hash);
    }

    if board.load(at, Acquire) != hash {
        return false;
    }

    if let Some(found) = read_name(board, at) {
        return found.bytes() == name;
    }

    // This process has claimed the entry, or another one has claimed it for the
    // same hash and has not written the name yet. Both write the same bytes.
    board.write(at + NAME, name);
    board.store(at + LEN, name.len() as u64, Release);

    true
}

fn read_name<M: Memory>(board: &M, at: usize) -> Option<Name> {
    let len = usize::try_from(board.load(at + LEN, Acquire)).ok()?;
    let mut bytes = [0; MAX_NAME];

    board.read(at + NAME, bytes.get_mut(..len).filter(|_| len > 0)?);

    Some(Name { bytes, len })
}

/// The hash FNV-1a, but never 0, which means that an entry is free.
fn hash(name: &[u8]) -> u64 {
    let hash = name.iter().fold(0xcbf2_9ce4_8422_2325, |hash: u64, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });

    hash.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::mapped::Mapped;
    use crate::messaging::board;

    #[test]
    fn numbers_agree_in_any_order() {
        let mapped = Mapped::new(board::SIZE, 0).unwrap();
        let board = &mapped;
        let one = register(&board, b"purge").unwrap();
        let two = register(&board, b"counter").unwrap();

        assert_ne!(one, two);
        assert_eq!(register(&board, b"counter"), Some(two));
        assert_eq!(register(&board, b"purge"), Some(one));
        assert!(is_known(&board, b"counter"));
        assert!(!is_known(&board, b"count"));
        assert_eq!(name(&board, one).unwrap().bytes(), b"purge");
        assert!(name(&board, 77).is_none());
        assert_eq!(register(&board, b""), None);
        assert_eq!(register(&board, b"(replies)"), None);
        assert_eq!(register(&board, &[b'x'; MAX_NAME + 1]), None);
    }

    #[test]
    fn a_claim_without_a_name_is_completed() {
        let mapped = Mapped::new(board::SIZE, 0).unwrap();
        let board = &mapped;

        // A process was killed after it had claimed the entry.
        assert!(board.replace(entry(0), 0, hash(b"purge")));
        assert_eq!(register(&board, b"other"), Some(1));
        assert_eq!(register(&board, b"purge"), Some(0));
        assert_eq!(name(&board, 0).unwrap().bytes(), b"purge");
    }

    #[test]
    fn the_table_is_bounded() {
        let mapped = Mapped::new(board::SIZE, 0).unwrap();
        let board = &mapped;

        for n in 0..MAX_TYPES {
            assert_eq!(register(&board, &n.to_be_bytes()), Some(n));
        }

        assert_eq!(register(&board, b"one more"), None);
        assert_eq!(register(&board, &7_u16.to_be_bytes()), Some(7));
    }
}
