//! What workers have sent and received, in memory that outlives them. So the
//! successor of a worker that was killed knows what must not be missing.
//!
//! Each kind of message has its own numbers for each pair of sender and
//! receiver. A sender records that a number is in use before it sends, and that
//! it was sent afterwards. If it is killed in between, its successor excuses the
//! number: it can be missing.

use std::sync::atomic::Ordering::SeqCst;

use ngx_ipc::message::mapped::Mapped;
use ngx_ipc::message::memory::Memory;
use ngx_ipc::message::taken::{Cause, Gap};

pub const WORKERS: u32 = 8;

/// The kinds of messages: to one process, to all, and control messages.
pub const DIRECT: u32 = 0;
pub const TO_ALL: u32 = 1;
pub const URGENT: u32 = 2;
pub const KINDS: u32 = 3;

const EXCUSES: usize = 8192;
/// `next`, `sure`, [`Entry::progress`], the number of excuses, and then the excuses.
const ENTRY: usize = 4 + EXCUSES;
const ENTRIES: usize = (KINDS * WORKERS * WORKERS) as usize;
/// One word for each class and pair: how many messages were in reported gaps.
const GAPS: usize = ENTRIES * ENTRY;
const PHASE: usize = GAPS + (2 * WORKERS * WORKERS) as usize;
const COUNTS: usize = PHASE + 1;
/// For each receiver: how many messages were in gaps of each cause.
const CAUSES: usize = COUNTS + 8;
const TEXT: usize = CAUSES + (2 * WORKERS) as usize;
const TEXT_LEN: usize = 1024;

#[derive(Clone, Copy)]
pub struct Ledger(pub &'static Mapped);

/// The numbers of one kind between two processes.
#[derive(Clone, Copy)]
pub struct Entry {
    memory: &'static Mapped,
    at: usize,
    gaps: usize,
    /// The entry of the other kind in the same lane.
    beside: Option<usize>,
}

impl Ledger {
    pub fn new() -> Self {
        let size = TEXT * 8 + TEXT_LEN;

        Self(Box::leak(Box::new(Mapped::new(size, 0).unwrap())))
    }

    pub fn entry(self, kind: u32, sender: u32, receiver: u32) -> Entry {
        let pair = sender * WORKERS + receiver;
        let class = u32::from(kind == URGENT);

        let at = |kind: u32| (kind * WORKERS * WORKERS + pair) as usize * ENTRY;

        Entry {
            memory: self.0,
            at: at(kind),
            beside: match kind {
                DIRECT => Some(at(TO_ALL)),
                TO_ALL => Some(at(DIRECT)),
                _ => None,
            },
            gaps: GAPS + (class * WORKERS * WORKERS + pair) as usize,
        }
    }

    /// All entries of a sender.
    pub fn sent_by(self, sender: u32) -> impl Iterator<Item = Entry> {
        (0..KINDS).flat_map(move |kind| (0..WORKERS).map(move |to| self.entry(kind, sender, to)))
    }

    /// Records a gap that a receiver was told of.
    pub fn add_gap(self, gap: &Gap, receiver: u32) {
        let kind = if gap.class.is_control() {
            URGENT
        } else {
            DIRECT
        };

        for at in [
            self.entry(kind, gap.sender, receiver).gaps,
            Self::cause(gap.cause, receiver),
        ] {
            self.put(at, self.get(at) + u64::from(gap.count));
        }
    }

    fn cause(cause: Cause, receiver: u32) -> usize {
        CAUSES + (receiver * 2 + u32::from(cause == Cause::Handling)) as usize
    }

    /// How many messages of a receiver were in gaps with this cause.
    pub fn lost(self, cause: Cause, receiver: u32) -> u64 {
        self.get(Self::cause(cause, receiver))
    }

    pub fn phase(self) -> u64 {
        self.get(PHASE)
    }

    pub fn set_phase(self, phase: u64) {
        self.put(PHASE, phase);
    }

    /// Counts something, without a guarantee: for the summary only.
    pub fn count(self, what: usize, more: u64) {
        self.put(COUNTS + what, self.get(COUNTS + what) + more);
    }

    pub fn counted(self, what: usize) -> u64 {
        self.get(COUNTS + what)
    }

    /// Records why a worker fails.
    pub fn fail(self, text: &str) {
        let len = text.len().min(TEXT_LEN);

        (&self.0).write(TEXT * 8, &text.as_bytes()[..len]);
    }

    pub fn failure(self) -> String {
        let mut bytes = vec![0; TEXT_LEN];

        (&self.0).read(TEXT * 8, &mut bytes);
        String::from_utf8_lossy(&bytes)
            .trim_end_matches('\0')
            .to_string()
    }

    fn get(self, word: usize) -> u64 {
        (&self.0).load(word * 8, SeqCst)
    }

    fn put(self, word: usize, value: u64) {
        (&self.0).store(word * 8, value, SeqCst);
    }
}

impl Entry {
    fn get(self, word: usize) -> u64 {
        (&self.memory).load((self.at + word) * 8, SeqCst)
    }

    fn put(self, word: usize, value: u64) {
        (&self.memory).store((self.at + word) * 8, value, SeqCst);
    }

    /// Takes a number for a message.
    pub fn claim(self) -> u64 {
        let number = self.get(0);

        self.put(0, number + 1);
        number
    }

    /// The last claimed number.
    pub fn last(self) -> u64 {
        self.get(0) - 1
    }

    /// Records that the last claimed number was sent.
    pub fn sent(self) {
        self.put(1, self.get(0));
    }

    /// Allows that the last claimed number is missing.
    pub fn excuse(self) {
        let (number, count) = (self.get(0) - 1, self.get(3));

        assert!((count as usize) < EXCUSES);
        self.put(4 + count as usize, number);
        self.put(3, count + 1);
        self.sent();
    }

    /// In a successor: excuses the number that the predecessor may have sent.
    pub fn resume(self) {
        if self.get(0) != self.get(1) {
            self.excuse();
        }
    }

    fn is_excused(self, number: u64) -> bool {
        (0..self.get(3) as usize).any(|index| self.get(4 + index) == number)
    }

    /// The number that is expected next, and how many missing numbers gaps have
    /// explained. They are in one word, so a kill cannot come between them.
    fn progress(self) -> (u64, u64) {
        let word = self.get(2);

        (word & u64::from(u32::MAX), word >> 32)
    }

    /// The number of reported gaps of the class that explain no missing number
    /// yet. Two kinds of messages share the data lane.
    pub fn unused_gaps(self) -> u64 {
        let gaps = (&self.memory).load(self.gaps * 8, SeqCst);
        let beside = self.beside.map(|at| Self { at, ..self }.progress().1);
        let used = self.progress().1 + beside.unwrap_or(0);

        gaps.checked_sub(used)
            .expect("more gaps used than reported")
    }

    /// Checks that all numbers before `number` were received, or need not be.
    /// Returns how many of them gaps must explain.
    pub fn check_before(self, number: u64) -> Result<u64, String> {
        let (expected, _) = self.progress();

        if number < expected {
            return Err(format!("{number} after {expected}: twice or out of order"));
        }

        let missing: Vec<_> = (expected..number)
            .filter(|&missing| !self.is_excused(missing))
            .collect();

        if missing.len() as u64 > self.unused_gaps() {
            return Err(format!(
                "{missing:?} are missing without a gap, at {number}"
            ));
        }

        Ok(missing.len() as u64)
    }

    /// Records that a number was received, after `missing` numbers that gaps
    /// explain.
    pub fn received(self, number: u64, missing: u64) {
        let (_, explained) = self.progress();

        self.put(2, (number + 1) | (explained + missing) << 32);
    }

    /// Checks at the end that nothing is missing, and records which of the last numbers
    /// gaps explain. No message has arrived after them.
    pub fn check_end(self) -> Result<(), String> {
        let end = self.get(0);
        let missing = self.check_before(end)?;

        if let Some(last) = end.checked_sub(1) {
            self.received(last, missing);
        }

        Ok(())
    }
}
