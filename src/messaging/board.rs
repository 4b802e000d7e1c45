//! The board: shared memory beside the lanes, for what all processes must agree on.
//!
//! | offset | contents |
//! | --- | --- |
//! | 0 | the number of changes: a process has started, or a death is known |
//! | 8 | the secret of the hashes of keys |
//! | 64 | one word for each slot: 1 if its process wants to be woken up at a change |
//! | 12 KiB | one word for each slot: the messages without a handler |
//! | 20 KiB | the names of the types, see `names` |
//! | 36 KiB | the keys that wait, see `keys` |
//! | 100 KiB | the types whose last message is kept, see `retained` |
//! | 104 KiB | these messages |
//! | behind them | the counters of each type, see `rows` |
//!
//! A process that overwrites the board can give the others wrong names, counters and
//! changes. It cannot make them access other memory, because they check each number
//! where they use it.

use std::sync::atomic::Ordering::{Relaxed, SeqCst};

use crate::message::layout::MAX_SLOTS;
use crate::message::memory::Memory;

const CHANGES: usize = 0;
const WATCHING: usize = 64;
const WORD: usize = size_of::<u64>();
/// The offset of the numbers of messages without a handler.
const UNKNOWN: usize = 3 * 4096;

/// The largest number of types.
pub const MAX_TYPES: u16 = 256;
/// The size of the entry of a type in bytes.
pub const TYPE: usize = 64;
/// The offset of the entries of the types.
pub const NAMES: usize = UNKNOWN + MAX_SLOTS as usize * WORD;
/// The number of entries for keys that wait.
pub const KEYS_COUNT: usize = 4096;
/// The offset of the entries for keys.
pub const KEYS: usize = (NAMES + MAX_TYPES as usize * TYPE).next_multiple_of(4096);
/// The offset of the two words of the secret of the hashes of keys.
pub const SECRET: usize = 8;
/// The offset of the messages that are kept.
pub const RETAINED: usize = KEYS + KEYS_COUNT * 16;

/// The largest number of types whose last message is kept.
pub const MAX_KEPT: u16 = 32;
/// The number of buffers of such a type.
pub const BUFFERS: u32 = 4;
/// The size of a page in bytes.
pub const PAGE: usize = 4096;
/// The size of a buffer in bytes: a page, and the largest payload.
pub const BUFFER: usize = PAGE + 1024 * 1024;
/// The size in bytes of the memory of such a type: a page and the buffers.
pub const KEPT_TYPE: usize = PAGE + BUFFERS as usize * BUFFER;
/// The size in bytes of all parts but the counters. Most of it is never touched. The
/// part for messages that are kept is a page with the numbers of the types, and then
/// the memory of each type.
pub const SIZE: usize = RETAINED + PAGE + MAX_KEPT as usize * KEPT_TYPE;

const _: () = assert!(WATCHING + MAX_SLOTS as usize * WORD <= UNKNOWN);

/// The number of changes so far.
pub fn changes<M: Memory>(board: &M) -> u64 {
    board.load(CHANGES, SeqCst)
}

/// Counts a change. The caller then wakes up the processes that
/// [`is_watching`] names.
pub fn count_change<M: Memory>(board: &M) {
    board.add(CHANGES, 1);
}

/// Counts a message to the process of a slot that had no handler for it. Only this
/// process counts.
pub fn count_unknown<M: Memory>(board: &M, slot: u32) {
    if slot < MAX_SLOTS {
        let before = unknown(board, slot);

        board.store(
            UNKNOWN + slot as usize * WORD,
            before.wrapping_add(1),
            Relaxed,
        );
    }
}

/// The number of messages to a slot that had no handler.
pub fn unknown<M: Memory>(board: &M, slot: u32) -> u64 {
    if slot < MAX_SLOTS {
        board.load(UNKNOWN + slot as usize * WORD, Relaxed)
    } else {
        0
    }
}

/// Makes the process of a slot one that is woken up at each change.
pub fn watch<M: Memory>(board: &M, slot: u32) {
    if slot < MAX_SLOTS {
        board.store(WATCHING + slot as usize * WORD, 1, SeqCst);
    }
}

/// Whether the process of a slot is woken up at each change.
pub fn is_watching<M: Memory>(board: &M, slot: u32) -> bool {
    slot < MAX_SLOTS && board.load(WATCHING + slot as usize * WORD, Relaxed) != 0
}
