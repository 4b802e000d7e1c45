//! Transactions: changes of a module's structures in a zone that take effect together.
//!
//! A process can be killed at any instruction of a transaction. The [undo log](super::undo_log)
//! says how to take back what the process has done, or how to complete it. One store of the
//! word `STATE` makes a transaction final, and decides which of both is done. If no piece is
//! to be freed, this store also empties the log.
//!
//! The lock of the pool is held from the beginning of a transaction to its end. The word
//! `OWNER` is the pid of the process that has begun it, and 0 when it has ended. A process
//! that takes the lock and finds `OWNER` set knows that this process has died. It writes
//! the pid to `DEAD`, undoes or completes the transaction, and sets `OWNER` to 0. `DEAD`
//! stays until the module has been told. A process that takes the lock of a dead one in
//! another way also writes `DEAD`. So each of these steps can be interrupted, and the next
//! process continues.
//!
//! All stores are `Release`, for the reason that [`change`] explains.

use super::slab::change;
use super::slab::pool::{self, Pool};
use super::typed::word;
use super::undo_log::{FINAL, UndoLog};
pub use super::undo_log::{Fault, Result};

/// What [`Transaction::settle`] has found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// The process that has died while it held the lock.
    pub dead: Option<usize>,
    /// What has become of its transaction.
    pub left: Left,
    /// Whether a process has died in an operation of the allocator, which is undone.
    pub operation: bool,
}

/// What has become of the transaction of a dead process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Left {
    /// There was none, or it had changed nothing.
    #[default]
    Nothing,
    /// It is undone.
    Undone,
    /// It was final, and is completed.
    Completed,
}

/// The bit of `FLAGS` that says that a piece is to be freed.
const HAS_FREED: usize = 1;
/// The bit of `FLAGS` that says that the transaction must be undone.
const HAS_FAILED: usize = 2;

/// The transactions of a zone. The caller has locked the pool.
#[derive(Clone, Copy)]
pub struct Transaction<'a> {
    log: UndoLog<'a>,
    pool: &'a Pool,
}

impl<'a> Transaction<'a> {
    /// The transactions of the zone that begins with `pool`.
    #[inline]
    pub fn of(pool: &'a Pool) -> Result<Self> {
        let log = UndoLog::of(pool)?;

        Ok(Self { log, pool })
    }

    /// The transaction of the zone that `own`, this process, has begun.
    #[inline]
    pub fn of_process(pool: &'a Pool, own: usize) -> Result<Self> {
        let this = Self::of(pool)?;

        if this.get(word::OWNER)? != own {
            return Err(Fault::NotBegun);
        }

        Ok(this)
    }

    #[inline(always)]
    fn get(&self, word: usize) -> Result<usize> {
        Ok(self.log.header.get(word)?)
    }

    #[inline(always)]
    fn put(&self, word: usize, value: usize) -> Result {
        Ok(self.log.header.put(word, value)?)
    }

    /// Begins a transaction of the process `own`.
    #[inline]
    pub fn begin(&self, own: usize) -> Result {
        self.put(word::FLAGS, 0)?;
        self.put(word::OWNER, own)
    }

    /// Undoes or completes what dead processes have left, and changes nothing if there is
    /// nothing. `dead` is the process from which this one has taken the lock over, or 0.
    /// `report` is called with the reason if a piece cannot be freed.
    ///
    /// If the result has a dead process, the caller tells the module, and calls
    /// [`Self::forget_dead`].
    #[inline]
    pub fn settle(&self, dead: usize, report: impl FnMut(pool::Fault)) -> Result<Found> {
        // What the allocator was doing was a part of the transaction.
        let operation = change::undo_interrupted(self.pool)?;
        let words = self.get(word::OWNER)? | self.get(word::STATE)? | self.get(word::DEAD)?;
        let found = if dead | words != 0 {
            self.recover(dead, report)?
        } else {
            Found::default()
        };

        Ok(Found { operation, ..found })
    }

    #[cold]
    #[inline(never)]
    fn recover(&self, dead: usize, mut report: impl FnMut(pool::Fault)) -> Result<Found> {
        let state = self.get(word::STATE)?;
        let candidates = [self.get(word::DEAD)?, self.get(word::OWNER)?, dead];
        let dead = candidates.into_iter().find(|&pid| pid != 0);

        self.put(word::DEAD, dead.unwrap_or_default())?;
        self.log.carry_out(state & FINAL, &mut report)?;
        self.put(word::OWNER, 0)?;

        let left = match state {
            0 => Left::Nothing,
            state if state & FINAL == 0 => Left::Undone,
            _ => Left::Completed,
        };

        Ok(Found {
            dead,
            left,
            operation: false,
        })
    }

    /// Forgets the dead process, of which the module has been told.
    pub fn forget_dead(&self) -> Result {
        self.put(word::DEAD, 0)
    }

    /// Saves `size` bytes at `address`, which the module is about to change.
    #[inline]
    pub fn save(&self, address: usize, size: usize) -> Result {
        if size == 0 {
            return Ok(());
        }

        self.or_fail(self.log.push_saved(address, size))
    }

    /// The pool.
    pub fn pool(&self) -> &'a Pool {
        self.pool
    }

    /// Reads the word at `address`.
    pub fn word(&self, address: usize) -> Result<usize> {
        Ok(self.pool.get(address)?)
    }

    /// Saves the word at `address`, and changes it.
    pub fn change(&self, address: usize, value: usize) -> Result {
        self.save(address, size_of::<usize>())?;
        self.or_fail(self.pool.put(address, value).map_err(Fault::from))
    }

    /// Allocates `size` bytes, which are freed again if the transaction is undone.
    pub fn alloc(&self, size: usize) -> Result<usize> {
        self.log.push_allocated(size)
    }

    /// Frees a piece when the transaction is final.
    pub fn free(&self, address: usize) -> Result {
        self.put(word::FLAGS, self.get(word::FLAGS)? | HAS_FREED)?;
        self.or_fail(self.log.push_freed(address))
    }

    /// Makes the transaction final, and frees the pieces that are to be freed. `report` is
    /// called with the reason if a piece cannot be freed.
    ///
    /// Undoes the transaction, and fails with [`Fault::Failed`], if a function of the
    /// transaction has failed.
    #[inline]
    pub fn commit(&self, mut report: impl FnMut(pool::Fault)) -> Result {
        let flags = self.get(word::FLAGS)?;

        if flags & HAS_FAILED != 0 {
            self.abort(report)?;
            return Err(Fault::Failed);
        }

        if flags & HAS_FREED == 0 {
            self.log.clear()?;
        } else {
            self.log.set_final()?;
            self.log.carry_out(FINAL, &mut report)?;
        }

        self.put(word::OWNER, 0)
    }

    /// Undoes the transaction. `report` is called with the reason if a piece cannot be
    /// freed.
    pub fn abort(&self, mut report: impl FnMut(pool::Fault)) -> Result {
        self.log.carry_out(0, &mut report)?;
        self.put(word::OWNER, 0)
    }

    /// The result of a function that changes the zone. If it has failed, the transaction cannot become
    /// final.
    #[inline(always)]
    pub fn or_fail(&self, result: Result) -> Result {
        if result.is_err() {
            self.put(word::FLAGS, self.get(word::FLAGS)? | HAS_FAILED)?;
        }

        result
    }
}
