//! nginx's `ngx_rwlock`: a lock that one process holds to write, or several to read.
//!
//! The lock is one word:
//!
//! | Bits | Contents |
//! | --- | --- |
//! | 0 to 10 | the number of processes that read |
//! | 11 | a process may sleep |
//! | 12 | a process writes |
//! | 13 to 41 | the incarnation, see `owner` |
//! | 42 to 63 | the pid |
//!
//! Pid and incarnation are those of the process that writes. If several processes read, the
//! two have the exclusive or of the numbers of all: when all but one have released the
//! lock, its number is left.
//!
//! So a process that waits finds out that the process that writes has exited, or the only
//! one that reads, and takes the lock over. If two or more processes die while they read,
//! or one that reads twice, their numbers cannot be found in the word, and a process that
//! wants to write waits for ever.
//!
//! A process that wants to read lets a process that waits to write go first, but only for
//! some milliseconds, because it may have the lock already to read.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{AcqRel, Relaxed};

use super::owner::{self, INCARNATION_BITS, pid_of};
use super::wait::{self, Sleeps};
use crate::config::ngx_pid_t;
use crate::log::Log;

/// The bits with the number of processes that read.
const READERS: u64 = (1 << 11) - 1;
/// A process may sleep.
const SLEEPERS: u64 = 1 << 11;
/// A process writes.
const WRITER: u64 = 1 << 12;
/// The lowest bit of the incarnation.
const INCARNATION: u32 = 13;
/// The lowest bit of the pid.
const PID: u32 = INCARNATION + INCARNATION_BITS;
/// The bits with incarnation and pid.
const OWNER: u64 = !(READERS | SLEEPERS | WRITER);

/// The steps of the longest pause, nginx's number.
const SPIN: usize = 2048;

/// The number of sleeps during which a process lets others go first that want to write.
const POLITE: u32 = 4;

/// A lock. `own` is the number of this process, see [`owner`].
#[derive(Clone, Copy)]
pub struct Rwlock<'a> {
    /// The word.
    pub word: &'a AtomicU64,
    /// The log for alerts.
    pub log: Log,
    /// The number of this process.
    pub own: u64,
}

impl Rwlock<'_> {
    /// Takes the lock to write, and waits for that. Logs an alert if this process has the
    /// lock already: to write, then it returns at once, or as the only one that reads, then
    /// it writes now.
    #[inline]
    pub fn wlock(self) {
        if !self.replace(0, WRITER | bits(self.own)) {
            self.wait(State::to_write);
        }
    }

    /// Takes the lock to read, and waits for that. Logs an alert, and returns at once, if
    /// this process has the lock to write.
    #[inline]
    pub fn rlock(self) {
        let word = self.word.load(Relaxed);

        if word & (WRITER | SLEEPERS) != 0 || !self.reads(word) {
            self.wait(State::to_read);
        }
    }

    /// Releases the lock. Logs an alert, and changes nothing, if this process does not have
    /// it. If several processes read, it is not known which.
    pub fn unlock(self) {
        loop {
            let state = self.state();

            let is_own = state.0 & OWNER == bits(self.own);

            let after = match (state.readers(), is_own) {
                (0 | 1, false) => return self.refuse("unlock", state),
                (0 | 1, true) => 0,
                _ => (state.0 - 1) ^ bits(self.own),
            };

            if self.replace(state.0, after) {
                return self.wake(state, after);
            }
        }
    }

    /// Lets other processes read: changes the lock of a process that writes to one of a
    /// process that reads. Logs an alert, and changes nothing, if this process does not have
    /// the lock to write.
    pub fn downgrade(self) {
        let after = 1 | bits(self.own);

        loop {
            let state = self.state();

            if !state.is_writer(bits(self.own)) {
                return self.refuse("downgrade", state);
            }

            if self.replace(state.0, after) {
                return self.wake(state, after);
            }
        }
    }

    fn replace(self, from: u64, to: u64) -> bool {
        self.word
            .compare_exchange(from, to, AcqRel, Relaxed)
            .is_ok()
    }

    /// Adds this process to those that read.
    #[inline]
    fn reads(self, word: u64) -> bool {
        word & WRITER == 0
            && word & READERS != READERS
            && self.replace(word, (word + 1) ^ bits(self.own))
    }

    /// Waits until a step of `wanted` has taken the lock. The last parameter of `wanted` is
    /// the number of sleeps.
    #[cold]
    #[inline(never)]
    fn wait(self, wanted: fn(State, u64, u32) -> Step) {
        let own = bits(self.own);
        let mut sleeps = Sleeps::FIRST;
        let mut slept = 0_u32;
        let mut spins = SPIN;

        loop {
            let takes = || {
                let state = self.state();

                matches!(wanted(state, own, slept), Step::Take(after) if self.replace(state.0, after))
            };

            if wait::spin(spins, takes) {
                return;
            }

            let state = self.state();

            match wanted(state, own, slept) {
                Step::Take(_) => {}
                Step::Refuse(what) => return self.refuse(what, state),
                Step::Upgrade(after) if self.replace(state.0, after) => {
                    return self.refuse("wlock", state);
                }
                Step::Upgrade(_) => {}
                Step::Wait if state.0 & SLEEPERS == 0 => {
                    self.replace(state.0, state.0 | SLEEPERS);
                    spins = 0;
                }
                Step::Wait => {
                    let is_over = wait::sleep_on(self.word, state.0, sleeps.lengthen());

                    if is_over && self.is_left(state) {
                        self.release_dead(state);
                    }

                    slept = slept.saturating_add(1);
                    spins = SPIN;
                }
            }
        }
    }

    fn state(self) -> State {
        State(self.word.load(Relaxed))
    }

    /// Whether the word is still `state`, and its owner is known and has exited.
    fn is_left(self, state: State) -> bool {
        self.state() == state && state.readers() <= 1 && owner::has_exited(number(state.0))
    }

    /// Releases the lock of a dead process. Of several processes that try this, one has
    /// success.
    fn release_dead(self, state: State) {
        if self.replace(state.0, 0) {
            self.log.refuse(format_args!(
                "rwlock: process {} has exited and held the lock",
                state.pid()
            ));
            self.wake(state, 0);
        }
    }

    /// Wakes up all processes that sleep, if the change of the lock from `before` to
    /// `after` makes it possible that one of them takes the lock.
    fn wake(self, before: State, after: u64) {
        if before.0 & SLEEPERS != 0 && after & SLEEPERS == 0 {
            wait::wake_all(self.word);
        }
    }

    /// Logs an alert about a process that has the lock.
    #[cold]
    #[inline(never)]
    fn refuse(self, what: &str, state: State) {
        match (state.0 & WRITER, state.readers()) {
            (0, 0) => self
                .log
                .refuse(format_args!("rwlock {what}: the lock is free")),
            (0, 1) => self
                .log
                .refuse(format_args!("rwlock {what}: process {} reads", state.pid())),
            (0, n) => self
                .log
                .refuse(format_args!("rwlock {what}: {n} processes read")),
            _ => self.log.refuse(format_args!(
                "rwlock {what}: process {} writes",
                state.pid()
            )),
        };
    }
}

/// What a process that wants the lock can do.
enum Step {
    /// Change the word to this value, and have the lock.
    Take(u64),
    /// Change the word to this value, and have the lock in another way than the program
    /// expects.
    Upgrade(u64),
    /// Not take the lock, because the process has it.
    Refuse(&'static str),
    /// Wait.
    Wait,
}

/// A value of the word.
#[derive(Clone, Copy, PartialEq, Eq)]
struct State(u64);

impl State {
    fn readers(self) -> u64 {
        self.0 & READERS
    }

    fn is_writer(self, own: u64) -> bool {
        self.0 & (WRITER | OWNER) == WRITER | own
    }

    /// The pid of the owner, if only one process has the lock.
    fn pid(self) -> ngx_pid_t {
        pid_of(number(self.0))
    }

    /// How a process with the bits `own` takes the lock to write.
    fn to_write(self, own: u64, _: u32) -> Step {
        let sleepers = self.0 & SLEEPERS;

        match self.0 & !SLEEPERS {
            0 => Step::Take(WRITER | own | sleepers),
            word if word == WRITER | own => Step::Refuse("wlock"),
            word if word == 1 | own => Step::Upgrade(WRITER | own | sleepers),
            _ => Step::Wait,
        }
    }

    /// How a process with the bits `own` takes the lock to read.
    fn to_read(self, own: u64, slept: u32) -> Step {
        let is_polite = self.readers() > 0 && self.0 & SLEEPERS != 0 && slept < POLITE;

        if self.is_writer(own) {
            Step::Refuse("rlock")
        } else if self.0 & WRITER != 0 || self.readers() == READERS || is_polite {
            Step::Wait
        } else {
            Step::Take((self.0 + 1) ^ own)
        }
    }
}

/// The number of a process as bits of the word.
fn bits(number: u64) -> u64 {
    u64::from(number as u32) << PID | (number >> 32) << INCARNATION
}

/// The number of the process in the bits of a word.
fn number(word: u64) -> u64 {
    let incarnation = word >> INCARNATION & ((1 << INCARNATION_BITS) - 1);

    incarnation << 32 | word >> PID
}
