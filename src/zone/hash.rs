//! A table in a zone that transactions change: values of one size, found by their keys.
//!
//! ```text
//! table:  MAGIC | number of lists | size of a value | count | list 0 | list 1 | ...
//! entry:  next  | hash of the key | length of the key | key | value
//! ```
//!
//! A list is the address of its first entry, or 0. Key and value begin at words.
//!
//! Other processes can write anything to the table. So each address is checked, and a list has
//! an end even if it is a ring. The caller's keys and values can lie in the zone too, so their bytes
//! are atomics.

use std::sync::atomic::AtomicU8;
use std::sync::atomic::Ordering::{Relaxed, Release};

use super::slab::layout::WORD;
use super::slab::pool::Pool;
use super::transaction::{Fault, Result, Transaction};

/// The first word of a table.
const MAGIC: usize = 0x6e67_7868_6173_6831_u64 as usize;

/// The words of a table.
const LISTS: usize = WORD;
const SIZE: usize = 2 * WORD;
const COUNT: usize = 3 * WORD;
const FIRST: usize = 4 * WORD;

/// The words of an entry.
const HASH: usize = WORD;
const LEN: usize = 2 * WORD;
const KEY: usize = 3 * WORD;

/// The place of a walk over a table, which is zeros before the first step.
///
/// An entry is deleted by a change of the link to it. So a walk remembers this link: if it does not
/// lead to the entry any more, it leads to the next one.
#[derive(Clone, Copy, Default)]
pub struct Place {
    /// The number of the list.
    pub list: usize,
    /// The address of the link to the last entry; 0 before the first step.
    pub link: usize,
    /// The address of the last entry.
    pub entry: usize,
    /// The number of entries so far.
    pub seen: usize,
}

/// What an entry contains.
#[derive(Clone, Copy)]
pub struct Found {
    /// The address of the key.
    pub key: usize,
    /// The length of the key in bytes.
    pub len: usize,
    /// The address of the value.
    pub value: usize,
}

/// A table.
pub struct Table<'a> {
    pool: &'a Pool,
    transaction: &'a Transaction<'a>,
    address: usize,
    mask: usize,
    size: usize,
}

/// FNV-1a.
fn hash_of(key: &[AtomicU8]) -> usize {
    let hash = key.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte.load(Relaxed))).wrapping_mul(0x0000_0100_0000_01b3)
    });

    (hash ^ hash >> 32) as usize
}

/// The number of bytes, rounded up to words.
fn rounded(bytes: usize) -> usize {
    bytes.div_ceil(WORD).saturating_mul(WORD)
}

/// The number of lists of a table that was made for `lists` lists. `None` if it is too large.
fn lists_for(lists: usize) -> Option<usize> {
    lists.max(1).checked_next_power_of_two()
}

/// The size of a table that was made for `lists` lists, in bytes.
pub fn table_size(lists: usize) -> usize {
    lists_for(lists)
        .unwrap_or(usize::MAX)
        .saturating_mul(WORD)
        .saturating_add(FIRST)
}

/// The size of an entry with a key of `len` bytes and a value of `size` bytes, in bytes.
pub fn entry_size(len: usize, size: usize) -> usize {
    KEY.saturating_add(rounded(len))
        .saturating_add(rounded(size).max(WORD))
}

/// Makes a table with `lists` lists, rounded up to a power of two, for values of `size` bytes.
/// Returns its address.
pub fn create(transaction: &Transaction<'_>, lists: usize, size: usize) -> Result<usize> {
    let bytes = table_size(lists);
    let lists = lists_for(lists).ok_or(Fault::OutsideOfPool)?;
    let (pool, address) = (transaction.pool(), transaction.alloc(bytes)?);

    pool.words().zero(address, bytes);
    pool.put(address + LISTS, lists)?;
    pool.put(address + SIZE, size)?;
    pool.put(address, MAGIC)?;

    Ok(address)
}

impl<'a> Table<'a> {
    /// The table at `address`, with values of `size` bytes if a size is given.
    pub fn open(
        transaction: &'a Transaction<'a>,
        address: usize,
        size: Option<usize>,
    ) -> Result<Self> {
        let pool = transaction.pool();

        if !pool.words().contains(address, FIRST) || !address.is_multiple_of(WORD) {
            return Err(Fault::OutsideOfPool);
        }

        let (lists, found) = (pool.get(address + LISTS)?, pool.get(address + SIZE)?);
        let is_right = pool.get(address)? == MAGIC
            && size.is_none_or(|size| size == found)
            && lists.is_power_of_two()
            && pool
                .words()
                .contains(address + FIRST, lists.saturating_mul(WORD));

        if !is_right {
            return Err(Fault::NoTable);
        }

        Ok(Self {
            pool,
            transaction,
            address,
            mask: lists - 1,
            size: found,
        })
    }

    /// Where the value of `key` is; `None` if the table has no such key.
    pub fn get(&self, key: &[AtomicU8]) -> Result<Option<usize>> {
        let (_, entry) = self.find(key)?;

        entry.map(|entry| self.value(entry, key.len())).transpose()
    }

    /// Sets the value of `key`.
    pub fn set(&self, key: &[AtomicU8], value: &[AtomicU8]) -> Result {
        if value.len() != self.size {
            return Err(Fault::NoTable);
        }

        // A new entry is the last one of its list, so that a walk does not find others twice.
        let (link, old) = self.find(key)?;

        if let Some(old) = old {
            let at = self.value(old, key.len())?;

            self.transaction.save(at, self.size)?;
            return self.write(at, value);
        }

        let entry = self.transaction.alloc(entry_size(key.len(), self.size))?;

        self.pool.put(entry, 0)?;
        self.pool.put(entry + HASH, hash_of(key))?;
        self.pool.put(entry + LEN, key.len())?;
        self.write(entry + KEY, key)?;
        self.write(self.value(entry, key.len())?, value)?;
        self.transaction.change(link, entry)?;
        self.add(1)
    }

    /// Deletes `key`. Returns whether the table has had it.
    pub fn delete(&self, key: &[AtomicU8]) -> Result<bool> {
        let (link, Some(entry)) = self.find(key)? else {
            return Ok(false);
        };

        self.transaction.change(link, self.pool.get(entry)?)?;
        self.transaction.free(entry)?;
        self.add(usize::MAX)?;

        Ok(true)
    }

    /// The number of keys.
    pub fn count(&self) -> Result<usize> {
        match self.pool.get(self.address + COUNT)? {
            count if count <= self.most() => Ok(count),
            _ => Err(Fault::NoTable),
        }
    }

    /// The entry after that of `place`; `None` if there is none. The entry of `place` can have been
    /// deleted in this transaction.
    pub fn next(&self, place: &mut Place) -> Result<Option<Found>> {
        if place.list > self.mask {
            return Ok(None);
        }

        let mut link = match place.link {
            0 => self.list(place.list),
            link if self.pool.get(link)? == place.entry => place.entry,
            link => link,
        };

        loop {
            let entry = self.pool.get(link)?;

            if entry != 0 {
                (place.link, place.entry) = (link, entry);
                place.seen = place.seen.saturating_add(1);

                return self.found(entry, place.seen).map(Some);
            }

            place.list = place.list.saturating_add(1);

            if place.list > self.mask {
                return Ok(None);
            }

            link = self.list(place.list);
        }
    }

    /// What an entry contains, which is that number `n` of a walk.
    fn found(&self, entry: usize, n: usize) -> Result<Found> {
        let len = self.pool.get(entry.wrapping_add(LEN))?;
        let key = entry.wrapping_add(KEY);

        if n > self.most() || !self.pool.words().contains(key, len) {
            return Err(Fault::NoTable);
        }

        Ok(Found {
            key,
            len,
            value: self.value(entry, len)?,
        })
    }

    /// The largest number of entries for which the zone has room. An entry has four words at least.
    fn most(&self) -> usize {
        self.pool.words().size() / (KEY + WORD)
    }

    fn add(&self, n: usize) -> Result {
        let count = self.address + COUNT;

        self.transaction
            .change(count, self.pool.get(count)?.wrapping_add(n))
    }

    /// The address of the list for a hash.
    fn list(&self, hash: usize) -> usize {
        self.address + FIRST + (hash & self.mask) * WORD
    }

    /// The address of the link to the entry of `key`, or of the last link of the list, and
    /// the address of the entry.
    fn find(&self, key: &[AtomicU8]) -> Result<(usize, Option<usize>)> {
        let hash = hash_of(key);
        let mut link = self.list(hash);

        for _ in 0..=self.most() {
            let entry = self.pool.get(link)?;

            if entry == 0 {
                return Ok((link, None));
            }

            if self.pool.get(entry.wrapping_add(HASH))? == hash && self.has(entry, key)? {
                return Ok((link, Some(entry)));
            }

            link = entry;
        }

        Err(Fault::NoTable)
    }

    fn has(&self, entry: usize, key: &[AtomicU8]) -> Result<bool> {
        if self.pool.get(entry.wrapping_add(LEN))? != key.len() {
            return Ok(false);
        }

        let at = entry.wrapping_add(KEY);
        let is_byte = |(n, byte): (usize, &AtomicU8)| {
            self.pool
                .words()
                .byte(at.wrapping_add(n))
                .is_some_and(|is| is.load(Relaxed) == byte.load(Relaxed))
        };

        Ok(key.iter().enumerate().all(is_byte))
    }

    /// The address of the value of an entry with a key of `len` bytes.
    fn value(&self, entry: usize, len: usize) -> Result<usize> {
        let at = entry.wrapping_add(KEY).wrapping_add(rounded(len));

        if self.pool.words().contains(at, self.size) {
            Ok(at)
        } else {
            Err(Fault::NoTable)
        }
    }

    fn write(&self, at: usize, bytes: &[AtomicU8]) -> Result {
        for (n, byte) in bytes.iter().enumerate() {
            let to = self.pool.words().byte(at.wrapping_add(n));

            to.ok_or(Fault::Damaged)?.store(byte.load(Relaxed), Release);
        }

        Ok(())
    }
}
