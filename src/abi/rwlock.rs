//! `ngx_rwlock.h`: locks of processes that read or write.

use crate::config::ngx_atomic_t;
use crate::host::lock_owner::{log, own};
use crate::zone::owner::find_out;
use crate::zone::rwlock::Rwlock;

/// The lock; `None` if `lock` is NULL.
///
/// # Safety
///
/// `lock` is NULL, or valid and aligned, and processes access it with atomic instructions.
#[inline]
unsafe fn rwlock<'a>(lock: *mut ngx_atomic_t) -> Option<Rwlock<'a>> {
    // SAFETY: the caller passes NULL or a word that stays valid during the call.
    let word = unsafe { lock.as_ref() }?;

    Some(Rwlock {
        word,
        log: log(),
        own: own().unwrap_or_else(find_out),
    })
}

/// Takes a lock to write: waits until no other running process has it.
///
/// If the process that writes, or the only one that reads, has exited, the function writes
/// an alert to the log of ngx_cycle, and releases the lock of that process. If this process
/// has the lock already, the function writes an alert, and returns at once. If this
/// process was the only one that reads, it writes now.
///
/// # Safety
///
/// `lock` is NULL, or shared memory that was 0 when the first process used it. One thread
/// of a process uses the lock.
///
/// # References
///
/// `futex(2)`; nginx's `src/core/ngx_rwlock.c`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_rwlock_wlock(lock: *mut ngx_atomic_t) {
    // SAFETY: C passes NULL or a lock.
    if let Some(lock) = unsafe { rwlock(lock) } {
        lock.wlock();
    }
}

/// Takes a lock to read: waits until no running process writes. At most 2047 processes read
/// at the same time.
///
/// If another process waits to write, the function lets it go first for 15 milliseconds at
/// most. If the process that writes has exited, the function writes an alert to the log of
/// ngx_cycle, and releases the lock of that process. If this process has the lock to
/// write, the function writes an alert, and returns at once.
///
/// # Safety
///
/// `lock` is NULL or a lock, see ngx_rwlock_wlock().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_rwlock_rlock(lock: *mut ngx_atomic_t) {
    // SAFETY: C passes NULL or a lock.
    if let Some(lock) = unsafe { rwlock(lock) } {
        lock.rlock();
    }
}

/// Releases a lock that this process has taken to write or to read.
///
/// If the lock is free, or if only one other process has it, the function writes an alert
/// to the log of ngx_cycle, and changes nothing.
///
/// # Safety
///
/// `lock` is NULL or a lock, see ngx_rwlock_wlock(). If several processes read, this
/// process is one of them.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_rwlock_unlock(lock: *mut ngx_atomic_t) {
    // SAFETY: C passes NULL or a lock.
    if let Some(lock) = unsafe { rwlock(lock) } {
        lock.unlock();
    }
}

/// Lets other processes read: this process has the lock to write, and has it to read
/// afterwards. Meanwhile no other process writes.
///
/// If this process does not have the lock to write, the function writes an alert to the
/// log of ngx_cycle, and changes nothing.
///
/// # Safety
///
/// `lock` is NULL or a lock, see ngx_rwlock_wlock().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_rwlock_downgrade(lock: *mut ngx_atomic_t) {
    // SAFETY: C passes NULL or a lock.
    if let Some(lock) = unsafe { rwlock(lock) } {
        lock.downgrade();
    }
}
