//! Waiting for a lock without using the processor.
//!
//! The word `wait` of a lock has one of three values:
//!
//! - 0: no process sleeps, or all that slept are awake.
//! - `SLEEPERS`: at least one process may sleep.
//! - The number of a process, see `owner`: this process has waited for so long that the
//!   lock is handed to it. Other processes may sleep too.
//!
//! A process registers in this word, looks at the lock again, and sleeps for as long as the
//! word has the same value. The process that releases the lock looks at the word and wakes
//! up one process. The process that was woken up registers again, for all that still
//! sleep.
//!
//! # Orderings
//!
//! A release is a plain store to the lock and then a plain load of `wait`, because an
//! instruction that orders the two is as slow as the whole rest of lock and unlock. So
//! the load can be done before other processors see the store: the process that releases
//! reads 0, and a process that registers meanwhile still sees the taken lock, and sleeps
//! though no process will wake it up. A processor delays a store for a few microseconds at
//! most, and an interrupt ends the delay. So a process that has registered sleeps for
//! only `SHORT` at first, and then looks again. Whoever takes the lock later than that
//! finds the registration.
//!
//! # Deaths
//!
//! A sleep is never longer than `LONG`. So a process that is killed between a
//! release and its wake-up, or between its own wake-up and its registration, delays the
//! others by this time at most. A process that is killed while it is registered causes
//! one futile wake-up.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};

use super::owner::pid_of;
use crate::sys::{futex, processors, time};

/// The value of `wait` if processes may sleep.
pub const SLEEPERS: u64 = 1;

/// The first sleep after a registration, in milliseconds.
const SHORT: u32 = 1;
/// The longest sleep, in milliseconds.
const LONG: u32 = 64;
/// After this time the lock is handed to a process that waits, in nanoseconds.
const PATIENCE: u64 = 10_000_000;

/// The lengths of the sleeps of a process that waits: each one is twice as long as the one
/// before.
#[derive(Clone, Copy)]
pub struct Sleeps(u32);

impl Sleeps {
    /// The first sleep is `SHORT`.
    pub const FIRST: Self = Self(SHORT);

    /// Returns the length of the next sleep in milliseconds. The sleep after it is longer.
    pub fn lengthen(&mut self) -> u32 {
        let msec = self.0;

        self.0 = msec.saturating_mul(2).min(LONG);
        msec
    }
}

/// Sleeps while `word` has the value `value`, of which the lower 32 bits count, at most
/// `msec` milliseconds. Returns whether the time is over.
pub fn sleep_on(word: &AtomicU64, value: u64, msec: u32) -> bool {
    futex::wait(word, value, msec).unwrap_or_else(|_| {
        // A filter of system calls refuses futex(2).
        time::pause(SHORT as usize);
        true
    })
}

/// A process that waits for a lock.
pub struct Waiter<'a> {
    /// The word; `None` if the lock has none. Then the process looks at the lock every
    /// millisecond.
    wait: Option<&'a AtomicU64>,
    /// The number of this process.
    pub own: u64,
    /// When the process began to wait, in nanoseconds.
    since: u64,
    sleeps: Sleeps,
    has_slept: bool,
}

impl<'a> Waiter<'a> {
    /// The process `own` begins to wait.
    pub fn new(wait: Option<&'a AtomicU64>, own: u64) -> Self {
        Self {
            wait,
            own,
            since: time::nanoseconds(),
            sleeps: Sleeps::FIRST,
            has_slept: false,
        }
    }

    /// Registers. Returns the value of the word, for [`Self::sleep`]. Afterwards the
    /// process must look at the lock.
    pub fn register(&mut self) -> u64 {
        let Some(wait) = self.wait else { return 0 };

        let is_impatient = time::nanoseconds().wrapping_sub(self.since) > PATIENCE;
        let wanted = if is_impatient { self.own } else { SLEEPERS };
        let before = wait.load(SeqCst);

        // Another process is before this one, or has registered already.
        if !(before == 0 || before == SLEEPERS && is_impatient) {
            return before;
        }

        match wait.compare_exchange(before, wanted, SeqCst, SeqCst) {
            Ok(_) => {
                self.sleeps = Sleeps::FIRST;
                wanted
            }
            Err(present) => present,
        }
    }

    /// Sleeps until a release, for as long as the word has the value `registered`, or
    /// until the time of this sleep is over. Returns whether it is over. The next sleep is
    /// twice as long.
    pub fn sleep(&mut self, registered: u64) -> bool {
        self.has_slept = true;

        match self.wait {
            // The word was cleared just now.
            Some(_) if registered == 0 => false,
            Some(wait) => sleep_on(wait, registered, self.sleeps.lengthen()),
            None => {
                time::pause(SHORT as usize);
                true
            }
        }
    }

    /// This process has the lock now. Takes back that the lock is to be handed to it. If it
    /// was woken up, registers for those that still sleep, because the process that woke it up
    /// has cleared the word.
    pub fn end(&self) {
        let Some(wait) = self.wait else { return };
        let present = wait.load(Relaxed);

        if present == self.own || present == 0 && self.has_slept {
            // If it fails, another process has changed the word.
            let _ = wait.compare_exchange(present, SLEEPERS, SeqCst, SeqCst);
        }
    }
}

/// Calls `takes` until it returns true, with pauses: 1 step, then 2, 4 and so on, below
/// `steps`. Returns the last result. With one processor, the owner cannot release the
/// lock meanwhile, so `takes` is called once.
pub fn spin(steps: usize, takes: impl Fn() -> bool) -> bool {
    let limit = if processors::ngx_ncpu() > 1 { steps } else { 0 };
    let mut pause = 1;

    while !takes() {
        if pause >= limit {
            return false;
        }

        for _ in 0..pause {
            std::hint::spin_loop();
        }

        pause *= 2;
    }

    true
}

/// Whether the word has the number of a process, to which the lock is to be handed.
pub fn is_number(value: u64) -> bool {
    value > SLEEPERS && pid_of(value) > 0
}

/// Replaces the number of the process that gets the lock. Returns false if the word has
/// changed meanwhile. The process is still asleep: call [`wake_all`] when it has the lock.
pub fn accept(wait: &AtomicU64, number: u64) -> bool {
    wait.compare_exchange(number, SLEEPERS, SeqCst, SeqCst)
        .is_ok()
}

/// Wakes up one process that sleeps, after a release.
pub fn wake(wait: &AtomicU64) {
    // The first process that is awake registers again.
    match wait.compare_exchange(SLEEPERS, 0, SeqCst, SeqCst) {
        Ok(_) => futex::wake(wait, 1),
        Err(_) => wake_all(wait),
    }
}

/// Wakes up all processes that sleep.
pub fn wake_all(wait: &AtomicU64) {
    futex::wake(wait, i32::MAX);
}
