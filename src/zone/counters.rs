//! Numbers to which many processes add at the same time, without waiting for each other.
//!
//! Each process adds to numbers of its own, in a "lane" of shared memory that is made of
//! whole cache lines. The sum over all lanes is the result. A counter keeps what dead
//! processes have added. A gauge loses it: a killed process cannot take back what it had
//! open.
//!
//! | Words of a lane | Contents |
//! | --- | --- |
//! | 0 | 0, or the number of the process that uses the lane, see [`owner`] |
//! | 1 and later | the counters, and then the gauges |
//!
//! A process takes a lane at its first addition: one that no process uses, or the lane of a
//! process that has exited. It sets the gauges to 0 before it uses them. Meanwhile the
//! first word has the bit `TAKING`, so that the gauges do not count as those of the new
//! process. If it dies then, the lane is that of a dead process again.
//!
//! If all lanes are in use, a process adds to the last lane, which belongs to no process,
//! with atomic instructions. What it adds to a gauge stays there when it dies.
//!
//! All bytes can be those of a process that has been taken over. Then the results are
//! wrong, and nothing else happens: no word is used as an address or as an index.

#![allow(non_camel_case_types)]

use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};

use super::owner;
use crate::config::{ngx_pid_t, ngx_uint_t};
use crate::log::{Level, Log};
use crate::sys::words::Words;

/// The size of a cache line in bytes.
const LINE: usize = 64;

/// The size of a word in bytes.
const WORD: usize = size_of::<usize>();

/// A bit of the first word: the process is about to set the gauges to 0. The numbers of
/// processes do not have this bit.
const TAKING: usize = 1 << (usize::BITS - 1);

/// The number of times that a process looks at a lane that others take meanwhile.
const LOOKS: usize = 100;

/// Counters and gauges in shared memory, as a process sees them. ngx_ipc_counters_init()
/// sets the fields; a program does not use them. Children may use the copies that they
/// inherit.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct ngx_ipc_counters_t {
    /// The address of the first lane.
    memory: usize,
    /// The number of processes that have a lane of their own.
    processes: ngx_uint_t,
    /// The number of counters.
    counters: ngx_uint_t,
    /// The number of counters and gauges.
    numbers: ngx_uint_t,
    /// The size of a lane in bytes.
    lane_size: usize,
    /// The size of all lanes in bytes.
    size: usize,
    /// The address of the numbers to which this process adds.
    own: usize,
    /// How many of them it alone adds to: all, or 0.
    own_numbers: ngx_uint_t,
    /// The process that adds to them, with its start time.
    owner: u64,
    /// Its pid.
    pid: ngx_pid_t,
}

/// What the memory of counters has room for.
#[derive(Clone, Copy)]
pub struct Shape {
    /// The number of counters.
    pub counters: usize,
    /// The number of gauges.
    pub gauges: usize,
    /// The number of processes that have a lane of their own.
    pub processes: usize,
}

impl Shape {
    /// The size of a lane in bytes. `None` if there are no numbers, too many, or no processes.
    fn lane_size(self) -> Option<usize> {
        let numbers = self.counters.checked_add(self.gauges)?;
        let size = numbers.checked_add(1)?.checked_mul(WORD)?;

        (numbers > 0 && self.processes > 0).then_some(())?;
        size.checked_next_multiple_of(LINE)
    }

    /// The size of all lanes in bytes.
    fn lanes_size(self) -> Option<usize> {
        self.lane_size()?
            .checked_mul(self.processes.checked_add(1)?)
    }

    /// The size of the memory in bytes, which need not begin at a cache line.
    pub fn size(self) -> Option<usize> {
        self.lanes_size()?.checked_add(LINE - WORD)
    }

    /// The counters in memory at `address`. `None` if they do not fit into the address
    /// space, or if `address` is not that of a word.
    pub fn at(self, address: usize) -> Option<ngx_ipc_counters_t> {
        if address == 0 || !address.is_multiple_of(WORD) {
            return None;
        }

        address.checked_add(self.size()?)?;

        Some(ngx_ipc_counters_t {
            memory: address.checked_next_multiple_of(LINE)?,
            processes: self.processes,
            counters: self.counters,
            numbers: self.counters + self.gauges,
            lane_size: self.lane_size()?,
            size: self.lanes_size()?,
            own: 0,
            own_numbers: 0,
            owner: 0,
            pid: 0,
        })
    }
}

impl ngx_ipc_counters_t {
    /// The address and the size in bytes of all lanes.
    #[inline]
    pub fn lanes(&self) -> (usize, usize) {
        (self.memory, self.size)
    }

    /// Adds `value` to the number `n`. `own` is the number of this process. `words` is the
    /// memory of all lanes. `None` if there is no number `n`.
    #[inline]
    pub fn add(
        &mut self,
        words: Words,
        n: usize,
        value: usize,
        own: u64,
        log: impl FnOnce() -> Log,
    ) -> Option<()> {
        if n >= self.numbers {
            return None;
        }

        if self.owner != own {
            self.take_lane(words, own, log);
        }

        let word = words.word(self.own.wrapping_add(n.wrapping_mul(WORD)))?;

        if self.own_numbers == 0 {
            word.fetch_add(value, Relaxed);
        } else {
            // No other process writes this word.
            word.store(word.load(Relaxed).wrapping_add(value), Relaxed);
        }

        Some(())
    }

    /// The sum of the number `n` over all processes. `None` if there is no number `n`.
    pub fn sum(&self, words: Words, n: usize) -> Option<usize> {
        if n >= self.numbers {
            return None;
        }

        (0..=self.processes).try_fold(0usize, |sum, lane| {
            let numbers = self.numbers_of(lane);
            let word = words.word(numbers.wrapping_add(n.wrapping_mul(WORD)))?;
            let value = if n < self.counters || lane == self.processes {
                word.load(Relaxed)
            } else {
                gauge(words.word(numbers.wrapping_sub(WORD))?, word)
            };

            Some(sum.wrapping_add(value))
        })
    }

    /// The address of the numbers in a lane.
    #[inline]
    fn numbers_of(&self, lane: usize) -> usize {
        self.memory
            .wrapping_add(lane.wrapping_mul(self.lane_size))
            .wrapping_add(WORD)
    }

    /// Takes a lane for this process: one that it has already, for example through another
    /// copy of this structure, one that is free, or that of a dead process.
    #[cold]
    #[inline(never)]
    fn take_lane(&mut self, words: Words, own: u64, log: impl FnOnce() -> Log) {
        let own_word = own as usize;
        let lanes = || (0..self.processes).map(|lane| self.numbers_of(lane));
        let owner = |numbers: usize| words.word(numbers.wrapping_sub(WORD));
        let is_own =
            |numbers: &usize| owner(*numbers).is_some_and(|word| word.load(Relaxed) == own_word);
        let take = |numbers: usize, may: fn(usize) -> bool| {
            let word = owner(numbers)?;
            let was = word.load(Relaxed);

            if !may(was) || !takes(word, was, own_word) {
                return None;
            }

            for n in self.counters..self.numbers {
                words.store(numbers.wrapping_add(n.wrapping_mul(WORD)), 0)?;
            }

            word.store(own_word, Release);
            Some(numbers)
        };
        let found = lanes()
            .find(is_own)
            .or_else(|| lanes().find_map(|numbers| take(numbers, |was| was == 0)))
            .or_else(|| lanes().find_map(|numbers| take(numbers, has_exited)));

        self.own = found.unwrap_or_else(|| {
            log().error(
                Level::Warn,
                None,
                format_args!(
                    "counters at 0x{:x}: {} other processes use them, so what this one adds \
                     to gauges stays when it is killed",
                    self.memory, self.processes
                ),
            );
            self.numbers_of(self.processes)
        });
        self.own_numbers = found.map_or(0, |_| self.numbers);
        self.owner = own;
        self.pid = owner::pid_of(own);
    }
}

/// Whether the process has exited whose number, perhaps with the bit `TAKING`, is in the
/// first word of a lane.
fn has_exited(owner: usize) -> bool {
    owner::has_exited((owner & !TAKING) as u64)
}

/// Marks a lane as being taken. Fails if another process was faster.
fn takes(word: &AtomicUsize, was: usize, own: usize) -> bool {
    word.compare_exchange(was, own | TAKING, AcqRel, Relaxed)
        .is_ok()
}

/// The value of a gauge: 0 if its process has exited.
fn gauge(owner: &AtomicUsize, word: &AtomicUsize) -> usize {
    for _ in 0..LOOKS {
        let before = owner.load(Acquire);
        let value = word.load(Acquire);

        if value == 0 || before & TAKING != 0 {
            return 0;
        }

        // Else another process has taken the lane meanwhile.
        if owner.load(Relaxed) == before {
            return if has_exited(before) { 0 } else { value };
        }
    }

    0
}
