//! What workers have sent and received, in memory that outlives them. So the
//! successor of a worker that was killed knows what must not be missing.
//!
//! Each kind of message has its own numbers for each pair of sender and
//! receiver. A sender records that a number is in use before it sends, and that
//! it was sent afterwards. If it is killed in between, its successor excuses the
//! number: it can be missing.

use std::sync::atomic::Ordering::SeqCst;

use ngx_ipc::message::layout::Class;
use ngx_ipc::message::mapped::Mapped;
use ngx_ipc::message::memory::Memory;

pub const WORKERS: u32 = 8;

/// The kinds of messages: to one process, to all, and control messages.
pub const DIRECT: u32 = 0;
pub const TO_ALL: u32 = 1;
pub const URGENT: u32 = 2;
pub const KINDS: u32 = 3;

const EXCUSES: usize = 8192;
/// `next`, `sure`, `expected`, the number of excuses, and then the excuses.
const ENTRY: usize = 4 + EXCUSES;
const ENTRIES: usize = (KINDS * WORKERS * WORKERS) as usize;
/// One word for each class and pair: how many reported gaps explain no missing
/// number yet.
const GAPS: usize = ENTRIES * ENTRY;
const PHASE: usize = GAPS + (2 * WORKERS * WORKERS) as usize;
const COUNTS: usize = PHASE + 1;
const TEXT: usize = COUNTS + 8;
const TEXT_LEN: usize = 1024;

#[derive(Clone, Copy)]
pub struct Ledger(pub &'static Mapped);

/// The numbers of one kind between two processes.
#[derive(Clone, Copy)]
pub struct Entry {
    memory: &'static Mapped,
    at: usize,
    gaps: usize,
}

impl Ledger {
    pub fn new() -> Self {
        let size = TEXT * 8 + TEXT_LEN;

        Self(Box::leak(Box::new(Mapped::new(size, 0).unwrap())))
    }

    pub fn entry(self, kind: u32, sender: u32, receiver: u32) -> Entry {
        let pair = sender * WORKERS + receiver;
        let class = u32::from(kind == URGENT);

        Entry {
            memory: self.0,
            at: (kind * WORKERS * WORKERS + pair) as usize * ENTRY,
            gaps: GAPS + (class * WORKERS * WORKERS + pair) as usize,
        }
    }

    /// All entries of a sender.
    pub fn sent_by(self, sender: u32) -> impl Iterator<Item = Entry> {
        (0..KINDS).flat_map(move |kind| (0..WORKERS).map(move |to| self.entry(kind, sender, to)))
    }

    pub fn add_gap(self, class: Class, sender: u32, receiver: u32, count: u32) {
        let kind = if class.is_control() { URGENT } else { DIRECT };
        let at = self.entry(kind, sender, receiver).gaps;

        self.put(at, self.get(at) + u64::from(count));
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

    /// Checks that all numbers before `number` were received, or need not be.
    pub fn check_before(self, number: u64) -> Result<(), String> {
        let expected = self.get(2);

        if number < expected {
            return Err(format!("{number} after {expected}: twice or out of order"));
        }

        for missing in (expected..number).filter(|&missing| !self.is_excused(missing)) {
            let gaps = (&self.memory).load(self.gaps * 8, SeqCst);

            if gaps == 0 {
                return Err(format!("{missing} is missing without a gap, at {number}"));
            }

            (&self.memory).store(self.gaps * 8, gaps - 1, SeqCst);
        }

        Ok(())
    }

    /// Records that a number was received.
    pub fn received(self, number: u64) {
        self.put(2, number + 1);
    }

    /// Checks at the end that nothing is missing.
    pub fn check_end(self) -> Result<(), String> {
        self.check_before(self.get(0))
    }
}
