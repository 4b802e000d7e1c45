//! The changes of an operation, and a record of them in the pool.
//!
//! A process can be killed at any instruction of an operation. The record undoes what
//! it has done: before a word is changed, its address and its value are written to the
//! record, and then the number of entries. The last store of an operation sets this
//! number to 0. An operation that finds another number first restores the words, the
//! last entry first, and then sets the number to 0. If it is killed meanwhile, the
//! next one does this again, with the same result.
//!
//! All stores are `Release`, so neither the compiler nor the processor moves a store
//! before an earlier one. The next owner of the lock has taken it over after the
//! death, so it sees all stores of the dead process up to some store, and none after
//! it.
//!
//! A run of pages has one entry for all its descriptors but the first, however long it is:
//! their values are the same in each allocated run, and in each free run. So the
//! entry says which descriptors these are, and of which kind the run was. Only the last
//! descriptor of a free run also has a link. An own entry restores it.
//!
//! The usual operations have a shorter record, see [`short`].
//!
//! Bytes of a page that was free before the operation have no entries.
//!
//! The record lies in the free space before the first page. If it is too small,
//! the record lies at the end of the pool, and the pool has one page less if it needs
//! this space. Both places follow from the pool's header.

use std::sync::atomic::Ordering::{Relaxed, Release};

use super::layout::{RUN_BUSY, RUN_FREE, WORD, field};
use super::pool::{Fault, Pool, Result};
use super::short;
use crate::sys::parts::Record;

/// The size of the record in bytes.
pub const RECORD: usize = size_of::<Record>();

/// The largest number of entries. The longest operation frees a page between two
/// free runs, and needs 25. The record also has the number of entries, and an unused word.
const ENTRIES: usize = RECORD / (2 * WORD) - 1;
const _: () = assert!(ENTRIES >= 25);

/// The low bits of the address in an entry of a run: the run was free.
const WAS_FREE: usize = 1;
/// The run was allocated.
const WAS_BUSY: usize = 2;
/// The low bits of an address.
const LOW: usize = WORD - 1;

/// An operation in progress. The functions for rare cases get it by value, so that
/// it stays in registers in the other cases.
#[derive(Clone, Copy)]
pub struct Change<'a> {
    pool: &'a Pool,
    record: &'a Record,
    entries: usize,
}

/// Returns the address of the record.
#[inline(always)]
pub fn place(last: usize, start: usize, end: usize) -> usize {
    if start.wrapping_sub(last) >= RECORD {
        start.wrapping_sub(RECORD)
    } else {
        end.wrapping_sub(RECORD) & !LOW
    }
}

#[inline(always)]
fn record(pool: &Pool) -> Result<&Record> {
    let (last, start, end) = (
        pool.field(field::LAST)?,
        pool.field(field::START)?,
        pool.field(field::END)?,
    );

    // A pool that was too small has no pages, and no record.
    if last == 0 {
        return Err(Fault::Damaged);
    }

    pool.words()
        .array(place(last, start, end))
        .ok_or(Fault::Damaged)
}

/// Runs an operation. If it fails, all its changes are undone.
///
/// Fails with [`Fault::Interrupted`] if a process has died in an operation: see
/// [`undo_interrupted`].
#[inline(always)]
pub fn run<T>(pool: &Pool, work: impl FnOnce(Change<'_>) -> Result<T>) -> Result<T> {
    let record = record(pool)?;
    let [number, ..] = record;

    if number.load(Relaxed) != 0 {
        return Err(Fault::Interrupted);
    }

    let change = Change {
        pool,
        record,
        entries: 0,
    };
    let result = work(change);

    if result.is_err() {
        undo(pool, record);
    }

    number.store(0, Release);

    result
}

/// Undoes an operation in which a process has died. Returns whether there was one.
#[cold]
pub fn undo_interrupted(pool: &Pool) -> Result<bool> {
    let record = record(pool)?;
    let [number, ..] = record;
    let was = number.load(Relaxed) != 0;

    if was {
        undo(pool, record);
        number.store(0, Release);
    }

    Ok(was)
}

/// Whether a process has died in an operation that is not undone yet.
pub fn is_interrupted(pool: &Pool) -> Result<bool> {
    let [number, ..] = record(pool)?;

    Ok(number.load(Relaxed) != 0)
}

#[cold]
fn undo(pool: &Pool, record: &Record) {
    let [number, _, entries @ ..] = record;
    let number = number.load(Relaxed);

    if number > ENTRIES {
        short::undo(pool, record);
        return;
    }

    for entry in entries.chunks_exact(2).take(number).rev() {
        let [address, value] = entry else { continue };
        let (address, value) = (address.load(Relaxed), value.load(Relaxed));

        // An address outside of the pool is one that a process has overwritten; the
        // other words are restored all the same.
        let _ = match address & LOW {
            WAS_FREE => pool.fill_run(address & !LOW, value, RUN_FREE),
            WAS_BUSY => pool.fill_run(address & !LOW, value, RUN_BUSY),
            _ => pool.put(address, value),
        };
    }
}

impl Change<'_> {
    /// The pool.
    #[inline(always)]
    pub fn pool(&self) -> &Pool {
        self.pool
    }

    /// Reads the word at `address`.
    #[inline(always)]
    pub fn get(&self, address: usize) -> Result<usize> {
        self.pool.get(address)
    }

    /// Reads a field of the descriptor at `descriptor`.
    #[inline(always)]
    pub fn page_field(&self, descriptor: usize, field: usize) -> Result<usize> {
        self.pool.page_field(descriptor, field)
    }

    /// Changes the word at `address`.
    #[inline(always)]
    pub fn set(&mut self, address: usize, value: usize) -> Result {
        let was = self.pool.get(address)?;

        self.note(address, was)?;
        self.pool.put(address, value)
    }

    /// Changes a field of the descriptor at `descriptor`.
    #[inline(always)]
    pub fn set_page(&mut self, descriptor: usize, field: usize, value: usize) -> Result {
        self.set(descriptor.wrapping_add(field), value)
    }

    /// Adds `n` to the word at `address`. A number below 0 is in two's complement.
    #[inline(always)]
    pub fn add(&mut self, address: usize, n: usize) -> Result {
        let value = self.get(address)?;

        self.set(address, value.wrapping_add(n))
    }

    /// Makes the `count` descriptors at `first` those of an allocated run. They were
    /// in a free run.
    pub fn fill_busy(&mut self, first: usize, count: usize) -> Result {
        self.note(first | WAS_FREE, count)?;
        self.pool.fill_run(first, count, RUN_BUSY)
    }

    /// Makes the `count` descriptors at `first` those of a free run. They were in an
    /// allocated run.
    pub fn fill_free(&mut self, first: usize, count: usize) -> Result {
        self.note(first | WAS_BUSY, count)?;
        self.pool.fill_run(first, count, RUN_FREE)
    }

    #[inline(always)]
    fn note(&mut self, address: usize, value: usize) -> Result {
        let [number, _, entries @ ..] = self.record;
        let at = 2 * self.entries;
        let (Some(first), Some(second)) = (entries.get(at), entries.get(at + 1)) else {
            return Err(Fault::Damaged);
        };

        self.entries += 1;
        first.store(address, Release);
        second.store(value, Release);
        number.store(self.entries, Release);

        Ok(())
    }
}
