//! The calls of C that work with a pool, with the lock of the pool or without it.

use std::ptr::NonNull;

use super::lock_owner::{log, own, unchecked};
use super::pool_lock;
use super::slab::{from_ptr, note_death};
use super::slab_log::reported;
use crate::sys::parts::{Division, Parts};
use crate::zone::shmtx::Taken;
use crate::zone::slab::known;
use crate::zone::slab::layout::ngx_slab_pool_t;
use crate::zone::slab::pool::{Pool, Result};

/// Opens the division of the pool of C at `start`.
///
/// # Safety
///
/// `start` is as [`from_ptr`] requires.
#[inline(always)]
unsafe fn open(start: NonNull<u8>) -> impl Fn(&'static Division) -> Option<Parts> {
    // SAFETY: the mapping has as many bytes as when this process or its parent called
    // ngx_slab_init(), and stays mapped as long as the result is used.
    move |division| unsafe { division.open(start) }
}

/// The parts of a pool of C, if this process knows them.
///
/// # Safety
///
/// `pool` is as [`from_ptr`] requires.
#[inline(always)]
unsafe fn known_parts(pool: *mut ngx_slab_pool_t) -> Option<Parts> {
    let start = NonNull::new(pool)?.cast();

    // SAFETY: the caller passes a pool.
    known::parts_of(pool.addr(), unsafe { open(start) })
}

/// The parts of a pool of C, if this process knows them, and if the lock of the pool uses its
/// words.
///
/// # Safety
///
/// `pool` is as [`from_ptr`] requires.
#[inline(always)]
unsafe fn parts_with_own_lock(pool: *mut ngx_slab_pool_t) -> Option<Parts> {
    let start = NonNull::new(pool)?.cast();

    // SAFETY: the caller passes a pool.
    known::parts_with_own_lock(pool.addr(), unsafe { open(start) })
}

/// Works with a pool while this process holds its lock: does `quick`, and if it returns
/// `None`, does `work`. Logs a failure of an operation for `size` bytes when the lock is
/// released. `None` if `pool` is NULL or if the work has failed.
///
/// # Safety
///
/// `pool` is NULL or a pool, see [`from_ptr`].
#[inline(always)]
pub unsafe fn with_lock<T>(
    pool: *mut ngx_slab_pool_t,
    size: usize,
    quick: impl FnOnce(&Parts) -> Option<T>,
    work: impl FnOnce(&Pool) -> Result<T>,
) -> Option<T> {
    // SAFETY: the caller passes NULL or a pool.
    unsafe {
        if let Some(parts) = parts_with_own_lock(pool)
            && let Some(own) = own()
            && (*pool).lock().take(own)
        {
            let result = quick(&parts);

            if result.is_none() {
                return work_and_unlock(pool, size, work);
            }

            (*pool).lock().release(own, log);
            result
        } else {
            lock_and_work(pool, size, work)
        }
    }
}

/// Waits for the lock of a pool, and does `work`.
///
/// # Safety
///
/// `pool` is NULL or a pool, see [`from_ptr`].
#[cold]
#[inline(never)]
unsafe fn lock_and_work<T>(
    pool: *mut ngx_slab_pool_t,
    size: usize,
    work: impl FnOnce(&Pool) -> Result<T>,
) -> Option<T> {
    // SAFETY: the caller passes NULL or a pool.
    let handle = unsafe { from_ptr(pool) }?;
    // SAFETY: the caller passes a pool.
    let taken =
        unsafe { pool_lock::with(&raw const (*pool).mutex, |mutex| mutex.lock(own(), log)) };

    // The alert about this is in the log. The caller, or another thread, is in the middle of
    // its own work with the pool.
    match taken? {
        Taken::Released => {}
        Taken::FromDead(pid) => note_death(&handle, pid),
        Taken::Already => return None,
    }

    // SAFETY: the caller passes a pool.
    unsafe { work_and_unlock(pool, size, work) }
}

/// Does `work` with a pool whose lock this process holds, and releases the lock.
///
/// # Safety
///
/// `pool` is a pool, see [`from_ptr`].
#[inline(never)]
unsafe fn work_and_unlock<T>(
    pool: *mut ngx_slab_pool_t,
    size: usize,
    work: impl FnOnce(&Pool) -> Result<T>,
) -> Option<T> {
    // SAFETY: the caller passes a pool.
    let handle = unsafe { from_ptr(pool) };
    let result = handle.as_ref().map(work);

    // SAFETY: the caller passes a pool.
    unsafe {
        pool_lock::with(&raw const (*pool).mutex, |mutex| {
            mutex.unlock(unchecked(), log);
        })
    };
    reported(&handle?, size, result?)
}

/// Works with a pool whose lock this process holds, as [`with_lock`] does.
///
/// # Safety
///
/// `pool` is NULL or a pool, see [`from_ptr`].
#[inline(always)]
pub unsafe fn with<T>(
    pool: *mut ngx_slab_pool_t,
    size: usize,
    quick: impl FnOnce(&Parts) -> Option<T>,
    work: impl FnOnce(&Pool) -> Result<T>,
) -> Option<T> {
    // SAFETY: the caller passes NULL or a pool.
    unsafe {
        match known_parts(pool).as_ref().and_then(quick) {
            Some(result) => Some(result),
            None => work_unlocked(pool, size, work),
        }
    }
}

/// Does `work` with a pool whose lock the caller holds.
///
/// # Safety
///
/// `pool` is NULL or a pool, see [`from_ptr`].
#[inline(never)]
unsafe fn work_unlocked<T>(
    pool: *mut ngx_slab_pool_t,
    size: usize,
    work: impl FnOnce(&Pool) -> Result<T>,
) -> Option<T> {
    // SAFETY: the caller passes NULL or a pool.
    let pool = unsafe { from_ptr(pool) }?;
    let result = work(&pool);

    reported(&pool, size, result)
}
