//! The numbers of each type, over all processes or some of them.

use std::sync::atomic::Ordering::{Acquire, Relaxed};
use std::sync::atomic::fence;

use super::names;
use super::rows::{self, BUCKETS, Counter, ENTRIES, Holder, Row};
use crate::message::identity::Identity;
use crate::message::memory::Memory;

/// How often the counters are read again if a master moves them meanwhile. A master
/// needs some microseconds for this, but it can be stopped or killed.
const TRIES: u32 = 20;

/// The index of the entry for replies, which have no type.
pub const REPLIES: usize = ENTRIES - 1;

/// What processes have counted for a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    /// Messages that were sent.
    pub sent: u64,
    /// Messages that were refused because there was no room.
    pub refused: u64,
    /// Messages that were received.
    pub received: u64,
    /// Messages that were received and dropped, because there was no handler.
    pub unknown: u64,
    /// Messages that were lost.
    pub lost: u64,
    /// The messages of `lost` that were not received before.
    pub lost_waiting: u64,
    /// The sum of the measured times, in nanoseconds.
    pub time: u64,
    /// The number of times that were less than 2^k nanoseconds, and not less than
    /// 2^(k - 1), for each k. The last bucket has all longer times too.
    pub times: [u64; BUCKETS],
}

impl Default for Counts {
    fn default() -> Self {
        Self {
            sent: 0,
            refused: 0,
            received: 0,
            unknown: 0,
            lost: 0,
            lost_waiting: 0,
            time: 0,
            times: [0; BUCKETS],
        }
    }
}

impl Counts {
    /// Adds the entry of a row.
    fn add_entry<M: Memory>(&mut self, board: &M, row: usize, index: usize) {
        let get = |counter| board.load(rows::counter(row, index, counter), Relaxed);
        let add = |to: &mut u64, n: u64| *to = to.wrapping_add(n);
        let lost = get(Counter::Lost);

        add(&mut self.sent, get(Counter::Sent));
        add(&mut self.refused, get(Counter::Refused));
        add(&mut self.received, get(Counter::Received));
        add(&mut self.unknown, get(Counter::Unknown));
        add(&mut self.lost, lost.wrapping_add(get(Counter::LostLater)));
        add(&mut self.lost_waiting, lost);
        add(&mut self.time, get(Counter::Time));

        for (k, bucket) in self.times.iter_mut().enumerate() {
            add(bucket, board.load(rows::bucket(row, index, k), Relaxed));
        }
    }

    /// The number of measured times. A process can have overwritten the numbers of
    /// which this is the sum.
    pub fn timed(&self) -> u64 {
        self.times.iter().copied().fold(0, u64::wrapping_add)
    }

    /// The number of messages that wait, if these are the counts of all processes.
    pub fn waiting(&self) -> u64 {
        self.sent
            .saturating_sub(self.received)
            .saturating_sub(self.lost_waiting)
    }
}

/// Where the numbers are.
#[derive(Clone, Copy)]
pub struct Source<'a, M> {
    /// The board.
    pub board: &'a M,
    /// The number of slots of the region.
    pub slots: u32,
}

impl<M: Memory> Source<'_, M> {
    /// Whether a process that `is_meant` accepts has ever sent or received
    /// anything.
    pub fn has_any(&self, is_meant: impl Fn(Holder) -> bool) -> bool {
        self.rows(is_meant).next().is_some()
    }

    /// What the processes that `is_meant` accepts have counted for a type since the
    /// program was started, also those that do not run any more.
    pub fn counts(&self, index: usize, is_meant: impl Fn(Holder) -> bool) -> Counts {
        let mut counts = Counts::default();

        for _ in 0..TRIES {
            let ended = self.board.load(rows::ENDED, Acquire);

            counts = Counts::default();

            for row in self.rows(&is_meant) {
                counts.add_entry(self.board, row, index);
            }

            // An acquire fence: the counters are read before this word.
            fence(Acquire);

            if ended == self.board.load(rows::BEGUN, Acquire) {
                break;
            }
        }

        counts
    }

    /// The largest number of messages of a type that waited, as far as a process
    /// has looked. This process looks now.
    pub fn deepest(&self, index: usize) -> u64 {
        let at = rows::deepest(index);
        let waiting = self.counts(index, |_| true).waiting();

        loop {
            let deepest = self.board.load(at, Relaxed);

            if waiting <= deepest || self.board.replace(at, deepest, waiting) {
                return deepest.max(waiting);
            }
        }
    }

    /// The offsets of the rows of the processes that `is_meant` accepts. Rows that
    /// were never used are left out, because the kernel would allocate their pages
    /// when they are read.
    fn rows(&self, is_meant: impl Fn(Holder) -> bool) -> impl Iterator<Item = usize> {
        let count = rows::count(self.board);
        let accounts = (0..count).map(|account| (Row::Account(account), account));
        let slots = (0..self.slots.min(count))
            .filter_map(|slot| Some((Row::Slot(slot), rows::account_in(self.board, slot)?)));

        accounts
            .chain(slots)
            .filter(move |&(_, account)| is_meant(rows::holder(account)))
            .filter(|&(row, _)| self.board.load(rows::used(row), Relaxed) == 1)
            .filter_map(|(row, _)| rows::row(self.board, row))
    }

    /// Moves the counters of a slot to the account of the process that had the slot
    /// before. The master calls this before it gives the slot to another process.
    /// Neither process runs.
    pub fn hand_over(&self, slot: u32, to: &Identity) {
        if rows::row(self.board, Row::Slot(slot)).is_none() {
            return;
        }

        self.board.add(rows::BEGUN, 1);

        if let Some(account) = rows::account_in(self.board, slot) {
            self.move_counters(slot, account);
        }

        rows::set_account(self.board, slot, rows::account_of(to));
        self.board.add(rows::ENDED, 1);
    }

    fn move_counters(&self, slot: u32, account: u32) {
        let (from, to) = (Row::Slot(slot), Row::Account(account));
        let (Some(old), Some(new)) = (rows::row(self.board, from), rows::row(self.board, to))
        else {
            return;
        };

        if self.board.load(rows::used(from), Relaxed) != 1 {
            return;
        }

        self.board.store(rows::used(to), 1, Relaxed);

        for index in (0..names::count(self.board).into()).chain([REPLIES]) {
            for word in rows::counters() {
                let (old, new) = (
                    rows::entry(old, index) + word,
                    rows::entry(new, index) + word,
                );
                let counter = self.board.load(old, Relaxed);

                if counter != 0 {
                    self.board.store(old, 0, Relaxed);
                    self.board.add(new, counter);
                }
            }
        }

        self.board.store(rows::used(from), 0, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::interrupted::Interrupted;
    use crate::message::mapped::Mapped;
    use crate::messaging::counting::Counting;

    const SLOTS: u32 = 3;

    fn worker(number: u32) -> Identity {
        Identity {
            worker: Some(number),
            place: Some(number),
            ..Identity::default()
        }
    }

    /// A board on which worker 1, in slot 1, has sent and received messages of the
    /// type 0.
    fn board() -> Mapped {
        let mapped = Mapped::new(rows::size(SLOTS), 0).unwrap();
        let board = &mapped;
        let mut counting = Counting::new(&board, 1);

        names::register(&board, b"type").unwrap();
        source(&board).hand_over(1, &worker(1));

        for (counter, n) in [
            (Counter::Sent, 10),
            (Counter::Received, 4),
            (Counter::Lost, 3),
        ] {
            counting.add(&board, 0, counter, n);
        }

        mapped
    }

    fn source<'a, M: Memory>(board: &'a M) -> Source<'a, M> {
        Source {
            board,
            slots: SLOTS,
        }
    }

    /// While a process reads the counters, a master gives the slot to another worker:
    /// before each access.
    #[test]
    fn counters_that_are_moved_are_counted_once() {
        for access in 0.. {
            let mapped = board();
            let board = &mapped;
            let move_them = move || source(&board).hand_over(1, &worker(2));
            let interrupted = Interrupted::new(board, vec![(access, Box::new(move_them))]);

            let counts = source(&&interrupted).counts(0, |_| true);

            assert_eq!((counts.sent, counts.received), (10, 4), "access {access}");

            if interrupted.accesses() <= access {
                break;
            }
        }
    }

    #[test]
    fn a_slot_that_gets_another_worker_leaves_its_counters_to_the_old_one() {
        let mapped = board();
        let board = &mapped;
        let source = source(&board);
        let of = |number| source.counts(0, |holder| holder == Holder::Worker(number));

        source.hand_over(1, &worker(2));
        assert_eq!((of(1).sent, of(2).sent), (10, 0));
        assert!(!source.has_any(|holder| holder == Holder::Worker(2)));

        Counting::new(&board, 1).add(&board, 0, Counter::Sent, 5);
        assert_eq!((of(1).sent, of(2).sent), (10, 5));
        source.hand_over(1, &worker(1));
        assert_eq!((of(1).sent, of(2).sent), (10, 5));
    }

    /// What was lost does not wait any more, and the most that waited is kept.
    #[test]
    fn messages_that_are_lost_do_not_wait() {
        let mapped = board();
        let board = &mapped;
        let source = source(&board);

        assert_eq!(source.counts(0, |_| true).waiting(), 3);
        assert_eq!(source.deepest(0), 3);
        Counting::new(&board, 1).add(&board, 0, Counter::Received, 3);
        assert_eq!(source.counts(0, |_| true).waiting(), 0);
        assert_eq!(source.deepest(0), 3);
    }

    #[test]
    fn each_time_is_in_its_bucket() {
        let mapped = board();
        let board = &mapped;
        let mut counting = Counting::new(&board, 1);
        let times = [0, 1, 2, 3, 4, 1023, 1024, u64::MAX];

        for nanoseconds in times {
            counting.took(&board, 0, nanoseconds);
        }

        let counts = source(&board).counts(0, |_| true);

        for (k, &n) in counts.times.iter().enumerate() {
            let is_last = k == BUCKETS - 1;
            let expected = times
                .iter()
                .map(|&time| u128::from(time))
                .filter(|&time| (time < 1 << k || is_last) && (k == 0 || time >= 1 << (k - 1)))
                .count();

            assert_eq!(n, expected as u64, "bucket {k}");
        }
    }

    #[test]
    fn overwritten_times_can_be_counted() {
        let counts = Counts {
            times: [u64::MAX; BUCKETS],
            ..Counts::default()
        };

        counts.timed();
        assert_eq!(Counts::default().timed(), 0);
    }
}
