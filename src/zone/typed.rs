//! The header of a typed zone: which structure lies in the zone, and in which version.
//!
//! The field `data` of the pool has the address of the header, which is a piece of the
//! pool. The undo log of [`transaction`](super::transaction) follows in the same piece.
//!
//! Every process can write to the header. So each use checks that what the header says lies
//! in the pool.

use std::sync::atomic::Ordering::Relaxed;

use super::slab;
use super::slab::layout::{WORD, field};
use super::slab::pool::{Fault, Pool, Result};

/// The longest name of a type, in bytes.
pub const NAME_MAX: usize = 64;

/// The first word of a header. It changes if the layout of the header or of the log does.
const MAGIC: usize = 0x6e67_7869_7063_7a31_u64 as usize;

/// Offsets of the words of a header, in bytes.
pub mod word {
    use super::{NAME_MAX, WORD};

    /// A number that says that this is a header.
    pub const MAGIC: usize = 0;
    /// The version of the type.
    pub const VERSION: usize = WORD;
    /// The address of the root.
    pub const ROOT: usize = 2 * WORD;
    /// The size of the root in bytes.
    pub const ROOT_SIZE: usize = 3 * WORD;
    /// The size of the undo log in bytes.
    pub const LOG_SIZE: usize = 4 * WORD;
    /// The pid of the process that has begun a transaction; 0 if there is none.
    pub const OWNER: usize = 5 * WORD;
    /// The pid of a process that has died with the lock; 0 if the module has been told of it.
    pub const DEAD: usize = 6 * WORD;
    /// What the transaction contains.
    pub const FLAGS: usize = 7 * WORD;
    /// How much of the undo log is in use, and for what.
    pub const STATE: usize = 8 * WORD;
    /// The length of the name of the type.
    pub const NAME_LEN: usize = 9 * WORD;
    /// The bytes of the name.
    pub const NAME: usize = 10 * WORD;
    /// The undo log.
    pub const LOG: usize = NAME + NAME_MAX;
}

/// The smallest undo log, in bytes.
pub const LOG_LEAST: usize = 64;

/// The type of the structure in a zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Type<'a> {
    /// The name, with at most [`NAME_MAX`] bytes.
    pub name: &'a [u8],
    /// The version of the structure.
    pub version: usize,
}

/// The header of a typed zone.
#[derive(Clone, Copy)]
pub struct Header<'a> {
    /// The pool in which the header is.
    pub pool: &'a Pool,
    /// The address of the header.
    address: usize,
}

impl<'a> Header<'a> {
    /// The header of the zone that begins with `pool`; `None` if the zone has no type.
    #[inline]
    pub fn find(pool: &'a Pool) -> Option<Self> {
        let address = pool.field(field::DATA).ok()?;
        let is_header = pool.load(address)? == MAGIC && pool.words().contains(address, word::LOG);

        is_header.then_some(Self { pool, address })
    }

    /// Makes the header of a zone whose pool has just been made, a root of zeros, and an
    /// undo log of `log_size` bytes.
    ///
    /// Fails with [`Fault::NoMemory`] if the zone is too small.
    pub fn make(pool: &'a Pool, id: Type<'_>, root_size: usize, log_size: usize) -> Result<Self> {
        let log_size = log_size.max(LOG_LEAST) & !(WORD - 1);
        let size = word::LOG.checked_add(log_size).ok_or(Fault::NoMemory)?;
        let root = zeroed(pool, root_size.max(1))?;
        let header = Self {
            pool,
            address: zeroed(pool, size)?,
        };

        for (n, &value) in id.name.iter().take(NAME_MAX).enumerate() {
            pool.words()
                .byte(header.at(word::NAME + n))
                .ok_or(Fault::Damaged)?
                .store(value, Relaxed);
        }

        header.put(word::NAME_LEN, id.name.len())?;
        header.put(word::VERSION, id.version)?;
        header.put(word::ROOT, root)?;
        header.put(word::ROOT_SIZE, root_size)?;
        header.put(word::LOG_SIZE, log_size)?;
        header.put(word::MAGIC, MAGIC)?;
        pool.put(pool.at(field::DATA), header.address)?;

        Ok(header)
    }

    /// The address of a word.
    #[inline(always)]
    pub fn at(&self, word: usize) -> usize {
        self.address.wrapping_add(word)
    }

    /// Reads a word.
    #[inline(always)]
    pub fn get(&self, word: usize) -> Result<usize> {
        self.pool.get(self.at(word))
    }

    /// Writes a word, after all stores before it.
    #[inline(always)]
    pub fn put(&self, word: usize, value: usize) -> Result {
        self.pool.put(self.at(word), value)
    }

    /// The address and the size of the root.
    pub fn root(&self) -> Result<(usize, usize)> {
        let (root, size) = (self.get(word::ROOT)?, self.get(word::ROOT_SIZE)?);
        let is_inside = root >= self.pool.field(field::START)?
            && root.is_multiple_of(WORD)
            && self.pool.words().contains(root, size);

        if is_inside {
            Ok((root, size))
        } else {
            Err(Fault::Damaged)
        }
    }

    /// The type of the structure in the zone. Its name is copied to `name`.
    pub fn type_in<'n>(&self, name: &'n mut [u8; NAME_MAX]) -> Result<Type<'n>> {
        let len = self.get(word::NAME_LEN)?;
        let version = self.get(word::VERSION)?;

        for (n, byte) in name.iter_mut().enumerate() {
            let from = self.pool.words().byte(self.at(word::NAME + n));

            *byte = from.ok_or(Fault::Damaged)?.load(Relaxed);
        }

        let name = name.get(..len).ok_or(Fault::Damaged)?;

        Ok(Type { name, version })
    }

    /// Remembers that the process `pid` has died with the lock of the zone. The caller has
    /// the lock.
    #[cold]
    pub fn note_death(&self, pid: usize) -> Result {
        match self.get(word::DEAD)? {
            0 => self.put(word::DEAD, pid),
            _ => Ok(()),
        }
    }
}

/// Allocates `size` bytes of zeros.
fn zeroed(pool: &Pool, size: usize) -> Result<usize> {
    let address = slab::alloc(pool, size)?;

    pool.words().zero(address, size);

    Ok(address)
}
