//! The undo log of a typed zone: how to take back what a transaction has done, or how to
//! complete it.
//!
//! The log is a stack of entries. The words of an entry come first, then an address, and then
//! the size and the kind of the entry, so that the log can be read from its end:
//!
//! | Kind | Words | Address | When the transaction is undone | When it is completed |
//! | --- | --- | --- | --- | --- |
//! | saved | the old value | of the bytes | the bytes get their old value | |
//! | allocated | | of the piece | the piece is freed | |
//! | freed | | of the piece | | the piece is freed |
//!
//! `STATE` in the header has the number of bytes of the log that are in use, and whether the
//! transaction is final. An entry is written first, and then `STATE`: an entry whose process
//! has died before this store does not exist. To undo or to complete a transaction, the last
//! entry is carried out and then removed, again and again. A process that dies meanwhile
//! leaves a shorter log, with which the next one continues.
//!
//! A process can die between the two steps of an entry. Bytes that get their old value twice
//! have the same value, but a piece must not be allocated without an entry, nor freed twice.
//! So the allocator changes `STATE` in the operation that allocates or frees the piece: its
//! own record undoes both or none, see [`change`](super::slab::change).
//!
//! Other processes can write anything to the log. So every address in it is checked.

use std::sync::atomic::Ordering::Release;

use super::slab;
use super::slab::layout::{WORD, field};
use super::slab::pool::{self, Pool};
use super::typed::{Header, word};

/// Why a function of a transaction has failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// This process has not begun a transaction.
    NotBegun,
    /// The zone has no type, and so no log.
    NoLog,
    /// The log has no room for the entry.
    LogIsFull,
    /// The bytes are not those of a module.
    OutsideOfPool,
    /// The address is not that of a table with values of this size, or the table is damaged.
    NoTable,
    /// The links of a queue do not fit together.
    NoQueue,
    /// The links of a tree do not fit together.
    NoTree,
    /// A function of the transaction has failed, so it cannot become final.
    Failed,
    /// A word of the header or of the log is impossible: a process has overwritten it.
    Damaged,
    /// The allocator has failed.
    Pool(pool::Fault),
}

impl From<pool::Fault> for Fault {
    fn from(fault: pool::Fault) -> Self {
        match fault {
            pool::Fault::Damaged => Self::Damaged,
            fault => Self::Pool(fault),
        }
    }
}

/// The result of a function.
pub type Result<T = ()> = std::result::Result<T, Fault>;

/// The kinds of entries, in the lowest bits of the last word of an entry. The other bits are
/// the number of saved bytes.
const SAVED: usize = 0;
const ALLOCATED: usize = 1;
const FREED: usize = 2;
const KIND_BITS: u32 = 2;
const KIND: usize = (1 << KIND_BITS) - 1;

/// The bit of `STATE` that says that the transaction is final. The other bits are the number
/// of bytes in use, which is a multiple of the size of a word.
pub const FINAL: usize = 1;

/// The bytes of an entry without its words.
const ENTRY: usize = 2 * WORD;

/// An entry of the log.
#[derive(Clone, Copy)]
struct Entry {
    kind: usize,
    /// The address of the bytes or of the piece.
    address: usize,
    /// The number of saved bytes.
    size: usize,
    /// Where the entry begins in the log. Before it is the entry before.
    begin: usize,
}

/// The words that contain `size` bytes at `address`: the address of the first, and the size of
/// all in bytes.
#[inline(always)]
fn whole_words(address: usize, size: usize) -> (usize, usize) {
    let first = address & !(WORD - 1);
    let bytes = size.saturating_add(address - first);

    (first, bytes.div_ceil(WORD).saturating_mul(WORD))
}

/// The undo log of a zone. The caller has locked the pool.
#[derive(Clone, Copy)]
pub struct UndoLog<'a> {
    /// The header of the zone.
    pub header: Header<'a>,
    pool: &'a Pool,
    /// The size of the log in bytes.
    size: usize,
}

impl<'a> UndoLog<'a> {
    /// The undo log of the zone that begins with `pool`.
    #[inline]
    pub fn of(pool: &'a Pool) -> Result<Self> {
        let header = Header::find(pool).ok_or(Fault::NoLog)?;
        let size = header.get(word::LOG_SIZE)?;

        if !pool.words().contains(header.at(word::LOG), size) {
            return Err(Fault::Damaged);
        }

        Ok(Self { header, pool, size })
    }

    /// Adds an entry with the value of `size` bytes at `address`.
    #[inline]
    pub fn push_saved(&self, address: usize, size: usize) -> Result {
        self.check_range(address, size)?;

        let (first, bytes) = whole_words(address, size);
        let (used, entry) = self.room(bytes)?;

        for at in (0..bytes).step_by(WORD) {
            self.pool.put(entry + at, self.pool.get(first + at)?)?;
        }

        self.write(entry + bytes, address, size << KIND_BITS | SAVED)?;
        self.set_used(used + bytes + ENTRY)
    }

    /// Allocates `size` bytes, and adds an entry with their address.
    pub fn push_allocated(&self, size: usize) -> Result<usize> {
        let (used, entry) = self.room(0)?;
        let state = self.header.at(word::STATE);

        Ok(slab::alloc_with(
            self.pool,
            size,
            |change| change.set(state, used + ENTRY),
            |address| self.write(entry, address, ALLOCATED),
        )?)
    }

    /// Adds an entry with the address of a piece that is to be freed.
    pub fn push_freed(&self, address: usize) -> Result {
        self.check_range(address, 1)?;

        let (used, entry) = self.room(0)?;

        self.write(entry, address, FREED)?;
        self.set_used(used + ENTRY)
    }

    /// Makes the transaction final. The entries are still to be carried out.
    pub fn set_final(&self) -> Result {
        self.set_used(self.used()? | FINAL)
    }

    /// Empties the log.
    #[inline]
    pub fn clear(&self) -> Result {
        self.set_used(0)
    }

    /// Carries out the entries, the last one first, and removes them. `is_final` is `FINAL` or
    /// 0. `report` is called with the reason if a piece cannot be freed.
    #[cold]
    pub fn carry_out(&self, is_final: usize, report: &mut impl FnMut(pool::Fault)) -> Result {
        let mut used = self.header.get(word::STATE)? & !FINAL;

        if used > self.size || !used.is_multiple_of(WORD) {
            return Err(Fault::Damaged);
        }

        while used > 0 {
            let entry = self.last(used)?;
            let next = entry.begin | is_final;

            match (entry.kind, is_final) {
                (SAVED, 0) => {
                    self.restore(&entry)?;
                    self.set_used(next)?;
                }
                (ALLOCATED, 0) | (FREED, FINAL) => self.release(&entry, next, report)?,
                _ => self.set_used(next)?,
            }

            used = entry.begin;
        }

        self.clear()
    }

    /// Checks that the bytes lie in the pages of the pool, and not in the header or the log.
    #[inline(always)]
    fn check_range(&self, address: usize, size: usize) -> Result {
        let (begin, end) = (self.header.at(0), self.header.at(word::LOG) + self.size);
        let is_right = address >= self.pool.field(field::START)?
            && self.pool.words().contains(address, size)
            && (address >= end || address + size <= begin);

        if is_right {
            Ok(())
        } else {
            Err(Fault::OutsideOfPool)
        }
    }

    /// The number of bytes in use. The transaction is not final.
    #[inline(always)]
    fn used(&self) -> Result<usize> {
        let state = self.header.get(word::STATE)?;

        if !state.is_multiple_of(WORD) || state > self.size {
            return Err(Fault::Damaged);
        }

        Ok(state)
    }

    #[inline(always)]
    fn set_used(&self, state: usize) -> Result {
        Ok(self.header.put(word::STATE, state)?)
    }

    /// The bytes in use, and the address of the next entry, which has `bytes` bytes of words.
    #[inline(always)]
    fn room(&self, bytes: usize) -> Result<(usize, usize)> {
        let used = self.used()?;

        match (self.size - used).checked_sub(ENTRY) {
            Some(free) if free >= bytes => Ok((used, self.header.at(word::LOG) + used)),
            _ => Err(Fault::LogIsFull),
        }
    }

    /// Writes the end of an entry.
    #[inline(always)]
    fn write(&self, at: usize, address: usize, kind: usize) -> pool::Result {
        self.pool.put(at, address)?;
        self.pool.put(at + WORD, kind)
    }

    /// The last entry of a log with `used` bytes.
    fn last(&self, used: usize) -> Result<Entry> {
        let end = used.checked_sub(ENTRY).ok_or(Fault::Damaged)?;
        let at = self.header.at(word::LOG) + end;
        let (address, kind) = (self.pool.get(at)?, self.pool.get(at + WORD)?);
        let (kind, size) = (kind & KIND, kind >> KIND_BITS);
        let bytes = match kind {
            SAVED => whole_words(address, size).1,
            ALLOCATED | FREED if size == 0 => 0,
            _ => return Err(Fault::Damaged),
        };
        let begin = end.checked_sub(bytes).ok_or(Fault::Damaged)?;

        if self.check_range(address, size.max(1)).is_err() {
            return Err(Fault::Damaged);
        }

        Ok(Entry {
            kind,
            address,
            size,
            begin,
        })
    }

    /// Frees the piece of an entry, and removes the entry, in one operation. If the piece
    /// cannot be freed, the entry is removed all the same.
    fn release(&self, entry: &Entry, next: usize, report: &mut impl FnMut(pool::Fault)) -> Result {
        let state = self.header.at(word::STATE);
        let freed = slab::free_with(self.pool, entry.address, |change| change.set(state, next));

        if let Err(fault) = freed {
            report(fault);
            self.set_used(next)?;
        }

        Ok(())
    }

    /// Restores the bytes of an entry. The other bytes of their words can be those of
    /// another structure.
    fn restore(&self, entry: &Entry) -> Result {
        let (first, bytes) = whole_words(entry.address, entry.size);
        let from = self.header.at(word::LOG) + entry.begin;
        let end = entry.address + entry.size;

        for at in (0..bytes).step_by(WORD) {
            let (to, value) = (first + at, self.pool.get(from + at)?);

            if to >= entry.address && to + WORD <= end {
                self.pool.put(to, value)?;
                continue;
            }

            for (n, byte) in value.to_ne_bytes().into_iter().enumerate() {
                if (entry.address..end).contains(&(to + n)) {
                    let to = self.pool.words().byte(to + n).ok_or(Fault::Damaged)?;

                    to.store(byte, Release);
                }
            }
        }

        Ok(())
    }
}
