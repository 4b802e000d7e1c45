//! Transactions of typed zones, `ngx_ipc_zone_begin()` and so on, with their log lines.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::sync::atomic::Ordering::Relaxed;

use super::lock_owner::{log, own, unchecked};
use super::shm_zone::Zone;
use super::zone_type::{private, type_of};
use super::{slab, slab_log};
use crate::log::{Level, Log};
use crate::zone::owner;
use crate::zone::shmtx::Taken;
use crate::zone::slab::pool::{self, Pool};
use crate::zone::transaction::{Fault, Found, Left, Result, Transaction};

/// The pid in a number of [`owner`], as a word of a zone.
#[inline]
fn pid_of(number: u64) -> usize {
    owner::pid_of(number).unsigned_abs() as usize
}

/// The number of this process.
#[inline]
fn number() -> u64 {
    own().unwrap_or_else(owner::find_out)
}

/// Takes the lock of a zone, undoes or completes what a dead process has left, and begins a
/// transaction. Returns whether it has; otherwise a line in the log says why, and the lock
/// is not taken.
pub fn begin(zone: Zone) -> bool {
    let (Some(lock), Some(pool)) = (zone.lock(), zone.slab_pool()) else {
        return false;
    };
    let number = number();
    let dead = match lock.lock(Some(number), log) {
        Taken::Released => 0,
        Taken::FromDead(pid) => pid.unsigned_abs() as usize,
        // The alert about this is in the log.
        Taken::Already => return false,
    };
    let begun = start(zone, &pool, pid_of(number), dead);

    match (&begun, private(zone)) {
        (Ok(()), Some(private)) => private.begun.store(number, Relaxed),
        _ => lock.unlock(unchecked(), log),
    }

    reported(zone, &pool, 0, begun).is_some()
}

fn start(zone: Zone, pool: &Pool, own: usize, dead: usize) -> Result {
    let transaction = Transaction::of(pool)?;
    let report = |fault: pool::Fault| slab_log::report(pool, 0, fault);
    let found = transaction.settle(dead, report)?;

    transaction.begin(own)?;

    if found == Found::default() {
        return Ok(());
    }

    report_found(zone, pool, &found, log());

    if let (Some(pid), Some(declared)) = (found.dead, type_of(zone)) {
        declared.tell(zone, pid);
        transaction.commit(report)?;
        transaction.forget_dead()?;
        transaction.begin(own)?;
    }

    Ok(())
}

/// Logs what was found after the death of a process.
pub fn report_found(zone: Zone, pool: &Pool, found: &Found, log: Log) {
    if found.operation {
        slab::report_undone(pool);
    }

    let what = match found.left {
        Left::Nothing => return,
        Left::Undone => "undid",
        Left::Completed => "completed",
    };
    let name = OsStr::from_bytes(zone.name()).display();

    log.error(
        Level::Notice,
        None,
        format_args!(
            "shared memory zone \"{name}\": {what} the transaction in which process {} has died",
            found.dead.unwrap_or_default()
        ),
    );
}

/// Does `work` in the transaction that this process has begun. `size` is that of a request
/// for memory.
#[inline]
pub(super) fn with<T>(
    zone: Zone,
    size: usize,
    work: impl FnOnce(&Transaction<'_>, &Pool) -> Result<T>,
) -> Option<T> {
    let pool = zone.slab_pool()?;
    let result = Transaction::of_process(&pool, pid_of(number()))
        .and_then(|transaction| work(&transaction, &pool));

    reported(zone, &pool, size, result)
}

/// Saves `size` bytes at `address`, before the program changes them. Returns whether it has.
#[inline]
pub fn save(zone: Zone, address: usize, size: usize) -> bool {
    with(zone, 0, |transaction, _| transaction.save(address, size)).is_some()
}

/// Allocates `size` bytes. Returns their address.
pub fn alloc(zone: Zone, size: usize) -> Option<usize> {
    with(zone, size, |transaction, _| transaction.alloc(size))
}

/// Allocates `size` bytes of zeros. Returns their address.
pub fn calloc(zone: Zone, size: usize) -> Option<usize> {
    with(zone, size, |transaction, pool| {
        let address = transaction.alloc(size)?;

        pool.words().zero(address, size);
        Ok(address)
    })
}

/// Frees a piece when the transaction is final. Returns false if it cannot.
pub fn free(zone: Zone, address: usize) -> bool {
    with(zone, 0, |transaction, _| transaction.free(address)).is_some()
}

/// Ends the transaction, and releases the lock. Returns whether the transaction is final.
pub fn commit(zone: Zone) -> bool {
    end(zone, |transaction, pool| {
        transaction.commit(|fault| slab_log::report(pool, 0, fault))
    })
}

/// Undoes the transaction, and releases the lock. Returns whether it is undone.
pub fn abort(zone: Zone) -> bool {
    end(zone, |transaction, pool| {
        transaction.abort(|fault| slab_log::report(pool, 0, fault))
    })
}

#[inline]
fn end(zone: Zone, work: impl FnOnce(&Transaction<'_>, &Pool) -> Result) -> bool {
    let (Some(lock), Some(pool)) = (zone.lock(), zone.slab_pool()) else {
        return false;
    };
    let number = number();
    let has_begun = private(zone).is_some_and(|private| private.begun.swap(0, Relaxed) == number);
    let result = Transaction::of_process(&pool, pid_of(number))
        .and_then(|transaction| work(&transaction, &pool));

    // The next transaction finds what is left of a transaction that could not be ended.
    if has_begun {
        lock.unlock(unchecked(), log);
    }

    reported(zone, &pool, 0, result).is_some()
}

/// The value of an operation. If it has failed, a line in the log says why.
#[inline]
fn reported<T>(zone: Zone, pool: &Pool, size: usize, result: Result<T>) -> Option<T> {
    result.map_err(|fault| report(zone, pool, size, fault)).ok()
}

#[cold]
#[inline(never)]
fn report(zone: Zone, pool: &Pool, size: usize, fault: Fault) {
    let why = match fault {
        Fault::Pool(fault) => return slab_log::report(pool, size, fault),
        Fault::NotBegun => "this process has not begun a transaction",
        Fault::NoLog => "it is no typed zone, or its header is damaged",
        Fault::LogIsFull => "the undo log is full",
        Fault::OutsideOfPool => "the bytes are not in the pool",
        Fault::NoTable => "it is no table with values of this size, or the table is damaged",
        Fault::NoQueue => "it is no queue, or the queue is damaged",
        Fault::NoTree => "it is no tree, or the tree is damaged",
        Fault::Failed => "a function of the transaction has failed, it is undone",
        Fault::Damaged => "the undo log is damaged",
    };
    let name = OsStr::from_bytes(zone.name()).display();

    log().error(
        Level::Alert,
        None,
        format_args!("shared memory zone \"{name}\": {why}"),
    );
}
