//! What a process counts: the messages of each type, and how long some of them
//! took.
//!
//! A process counts in its own row of the board, see `rows`. No other process
//! writes this row, and others read it only when a program asks for the numbers.
//! So the counters cost no more than counters in private memory. The counters of a
//! process that was killed can lack the last message.

use std::sync::atomic::Ordering::Relaxed;

use super::rows::{self, BUCKETS, Counter, ENTRIES, Row};
use crate::message::event::Message;
use crate::message::memory::Memory;
use crate::message::taken::{Cause, Gap};

/// The time is measured for one message in this many. The number is a prime, so
/// that a program that sends to some processes in turn measures all of them.
const INTERVAL: u8 = 61;

/// The counters of one process.
#[derive(Clone, Debug)]
pub struct Counting {
    /// The offset of the row; 0 if there is none.
    row: usize,
    /// The offset of the word that says that the row is used.
    used: usize,
    is_used: bool,
    /// For each entry: the number of messages until the time of one is measured; 0 if
    /// this process has sent none.
    left: [u8; ENTRIES],
    /// For each entry: the counter of sent messages at the last call of
    /// [`Counting::take_sent`].
    looked_at: [u64; ENTRIES],
}

impl Counting {
    /// Begins to count in the row of a slot.
    pub fn new<M: Memory>(board: &M, slot: u32) -> Self {
        let row = Row::Slot(slot);

        Self {
            row: rows::row(board, row).unwrap_or(0),
            used: rows::used(row),
            is_used: false,
            left: [0; ENTRIES],
            looked_at: [0; ENTRIES],
        }
    }

    /// Whether the time of the next message of a type is measured.
    #[inline]
    pub fn is_timed(&mut self, message_type: u16) -> bool {
        let index = rows::index(message_type).filter(|_| self.row != 0);
        let Some(left) = index.and_then(|index| self.left.get_mut(index)) else {
            return false;
        };

        if *left > 1 {
            *left -= 1;
            return false;
        }

        *left = INTERVAL;
        true
    }

    /// Adds to a counter of a type.
    #[inline]
    pub fn add<M: Memory>(&mut self, board: &M, message_type: u16, counter: Counter, n: u64) {
        let Some(index) = rows::index(message_type).filter(|_| self.row != 0) else {
            return;
        };

        if !self.is_used {
            self.begin(board);
        }

        add(board, rows::counter(self.row, index, counter), n);
    }

    #[cold]
    fn begin<M: Memory>(&mut self, board: &M) {
        board.store(self.used, 1, Relaxed);
        self.is_used = true;
    }

    /// Counts a message that is about to be handled.
    #[inline]
    pub fn received<M: Memory>(&mut self, board: &M, message: &Message) {
        self.add(board, message.message_type, Counter::Received, 1);

        if self.row != 0 {
            board.store(rows::handling(self.row), handling(message), Relaxed);
        }
    }

    /// Counts the time in nanoseconds from the call that has sent a message to its
    /// handler.
    #[cold]
    pub fn took<M: Memory>(&mut self, board: &M, message_type: u16, nanoseconds: u64) {
        let Some(index) = rows::index(message_type).filter(|_| self.row != 0) else {
            return;
        };
        let bits = (u64::BITS - nanoseconds.leading_zeros()) as usize;

        add(
            board,
            rows::counter(self.row, index, Counter::Time),
            nanoseconds,
        );
        add(
            board,
            rows::bucket(self.row, index, bits.min(BUCKETS - 1)),
            1,
        );
    }

    /// Counts lost messages, if their type is known.
    pub fn lost<M: Memory>(&mut self, board: &M, gap: &Gap) {
        let handled = || {
            let word = board.load(rows::handling(self.row), Relaxed);

            (word >> 16 == place(gap.sender, gap.number)).then_some(word as u16)
        };

        if self.row == 0 {
            return;
        }

        match gap.cause {
            Cause::Handling => {
                if let Some(message_type) = handled() {
                    self.add(board, message_type, Counter::LostLater, 1);
                }
            }
            Cause::ForAnother | Cause::Damaged => {
                if let Some(message_type) = gap.message_type {
                    self.add(board, message_type, Counter::Lost, gap.count.into());
                }
            }
        }
    }

    /// The types of which this process has sent messages since the last call.
    pub fn take_sent<M: Memory>(&mut self, board: &M) -> impl Iterator<Item = usize> {
        let row = self.row;
        let entries = self.left.iter().zip(&mut self.looked_at).enumerate();

        // A page of the row that was never written is not read, because the kernel
        // would allocate it.
        entries
            .filter(|(_, (left, _))| **left > 0)
            .filter_map(move |(index, (_, before))| {
                let sent = board.load(rows::counter(row, index, Counter::Sent), Relaxed);

                (std::mem::replace(before, sent) != sent).then_some(index)
            })
    }
}

#[inline]
fn add<M: Memory>(board: &M, at: usize, n: u64) {
    board.store(at, board.load(at, Relaxed).wrapping_add(n), Relaxed);
}

/// The word that says which message is being handled.
#[inline]
fn handling(message: &Message) -> u64 {
    place(message.sender, message.number) << 16 | u64::from(message.message_type)
}

/// The sender and the low bits of the number of a record.
#[inline]
fn place(sender: u32, number: u32) -> u64 {
    u64::from(sender & 0xffff) << 32 | u64::from(number)
}
