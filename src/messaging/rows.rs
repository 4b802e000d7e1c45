//! The place of each counter of messages in the board.
//!
//! Each slot has a row of counters, which only its process writes. A row has an
//! entry for each type. A process that gets a slot from another one begins with a
//! row of zeros: the master moves the counters to the account of the process that
//! had the slot before. There is an account for each number of a worker, and one
//! for each other role. So the counters of worker 3 are those of its account, and
//! of all slots that it has now.
//!
//! | offset | contents |
//! | --- | --- |
//! | 0 | how often a master has begun to move counters, and how often it has ended |
//! | 64 | one word for each type: the most messages that waited |
//! | 4 KiB | one word for each row: 1 if it has been used |
//! | 24 KiB | one word for each slot: the account of its process, plus 1 |
//! | 36 KiB | for each number: the row of a slot, and an account |

use std::sync::atomic::Ordering::Relaxed;

use super::board::{self, MAX_TYPES, PAGE};
use super::kind::REPLY;
use crate::message::identity::Identity;
use crate::message::layout::MAX_SLOTS;
use crate::message::memory::Memory;
use crate::table::role::NGX_PROCESS_HELPER;

const WORD: usize = size_of::<u64>();

/// The number of entries in a row: one for each type, and one for replies.
pub const ENTRIES: usize = MAX_TYPES as usize + 1;
/// The number of buckets for times.
pub const BUCKETS: usize = 40;
/// The number of words in an entry.
const WORDS: usize = 8 + BUCKETS;

const START: usize = board::SIZE.next_multiple_of(PAGE);
/// The offset of the word that says how often a master has begun to move counters.
pub const BEGUN: usize = START;
/// The offset of the word that says how often it has ended.
pub const ENDED: usize = START + WORD;
/// The offset of the words for the most messages that waited.
const DEEPEST: usize = START + 64;
const USED: usize = START + PAGE;
const HOLDERS: usize = START + 6 * PAGE;
const ROWS: usize = START + 9 * PAGE;
const ROW: usize = (ENTRIES * WORDS * WORD).next_multiple_of(PAGE);

/// The accounts before those of the workers.
const MASTER: u32 = 0;
const HELPERS: u32 = 1;
const OTHERS: u32 = 2;
const WORKERS: u32 = 3;

const _: () = assert!(DEEPEST + ENTRIES * WORD <= USED);
const _: () = assert!(USED + 2 * (MAX_SLOTS + WORKERS) as usize * WORD <= HOLDERS);
const _: () = assert!(HOLDERS + MAX_SLOTS as usize * WORD <= ROWS);

/// A counter of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Counter {
    /// Messages that were sent.
    Sent = 0,
    /// Messages that were refused because there was no room.
    Refused = 1,
    /// Messages that were received.
    Received = 2,
    /// Messages that were received and dropped, because there was no handler.
    Unknown = 3,
    /// Messages that were lost before they were received.
    Lost = 4,
    /// Messages that were lost after they had been received.
    LostLater = 5,
    /// The sum of the measured times, in nanoseconds.
    Time = 6,
}

/// The word of the entry for replies that says which message is being handled.
const HANDLING: usize = 7;
/// The first bucket.
const FIRST_BUCKET: usize = 8;

/// A row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Row {
    /// The row of the process in a slot.
    Slot(u32),
    /// An account.
    Account(u32),
}

/// The size in bytes of a board for this number of slots.
pub fn size(slots: u32) -> usize {
    ROWS + 2 * (slots + WORKERS) as usize * ROW
}

/// The number of slots, or of accounts, that have a row.
pub fn count<M: Memory>(board: &M) -> u32 {
    (board.size().saturating_sub(ROWS) / (2 * ROW)) as u32
}

/// The account of a process.
pub fn account_of(identity: &Identity) -> u32 {
    match identity.worker {
        Some(worker) => worker.saturating_add(WORKERS),
        None if identity.place.is_none() => MASTER,
        None if identity.role == NGX_PROCESS_HELPER as u64 => HELPERS,
        None => OTHERS,
    }
}

/// The account of the process that has counted in the row of a slot; `None` if the
/// slot has not had a process. The slot itself can have lost the identity of a
/// process that is dead.
pub fn account_in<M: Memory>(board: &M, slot: u32) -> Option<u32> {
    let account = board.load(HOLDERS + slot as usize * WORD, Relaxed);

    u32::try_from(account.checked_sub(1)?).ok()
}

/// Sets the account of the process that counts in the row of a slot, which the board
/// has.
pub fn set_account<M: Memory>(board: &M, slot: u32, account: u32) {
    board.store(
        HOLDERS + slot as usize * WORD,
        u64::from(account) + 1,
        Relaxed,
    );
}

/// What an account is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holder {
    /// The master.
    Master,
    /// All helpers.
    Helpers,
    /// All processes that the program has spawned itself.
    Others,
    /// The workers with this number.
    Worker(u32),
}

/// What an account is for.
pub fn holder(account: u32) -> Holder {
    match account {
        MASTER => Holder::Master,
        HELPERS => Holder::Helpers,
        OTHERS => Holder::Others,
        _ => Holder::Worker(account - WORKERS),
    }
}

/// The index of the entry of a type, or of replies; `None` if there is none.
#[inline]
pub fn index(message_type: u16) -> Option<usize> {
    match message_type {
        REPLY => Some(ENTRIES - 1),
        _ if message_type < MAX_TYPES => Some(message_type.into()),
        _ => None,
    }
}

/// The offset of a row; `None` if the board does not have it.
pub fn row<M: Memory>(board: &M, row: Row) -> Option<usize> {
    let place = place(row);

    (place < 2 * count(board) as usize).then(|| ROWS + place * ROW)
}

fn place(row: Row) -> usize {
    match row {
        Row::Slot(slot) => 2 * slot as usize,
        Row::Account(account) => 2 * account as usize + 1,
    }
}

/// The offset of the word that says whether a row has been used. The board has the
/// row.
pub fn used(row: Row) -> usize {
    USED + place(row) * WORD
}

/// The offset of a counter in a row, whose offset is `row`.
#[inline]
pub fn counter(row: usize, index: usize, counter: Counter) -> usize {
    row + (index * WORDS + counter as usize) * WORD
}

/// The offset of a bucket in a row.
pub fn bucket(row: usize, index: usize, bucket: usize) -> usize {
    row + (index * WORDS + FIRST_BUCKET + bucket) * WORD
}

/// The offset of the word that says which message is being handled.
#[inline]
pub fn handling(row: usize) -> usize {
    row + ((ENTRIES - 1) * WORDS + HANDLING) * WORD
}

/// The offset of the word for the most messages that waited.
pub fn deepest(index: usize) -> usize {
    DEEPEST + index * WORD
}

/// The words of the entry that are counters, as distances from its first word.
pub fn counters() -> impl Iterator<Item = usize> {
    (0..WORDS)
        .filter(|&word| word != HANDLING)
        .map(|word| word * WORD)
}

/// The offset of the first word of an entry.
pub fn entry(row: usize, index: usize) -> usize {
    row + index * WORDS * WORD
}
