//! The calls of C that work with a pool, with the lock of the pool or without it.

use std::ffi::c_void;
use std::ptr::{self, NonNull};

use super::lock_owner::{log, own, unchecked};
use super::pool_lock;
use super::slab::{self, from_ptr, note_death};
use super::slab_log::reported;
use crate::sys::parts::{Division, Parts};
use crate::zone::shmtx::Taken;
use crate::zone::slab::layout::ngx_slab_pool_t;
use crate::zone::slab::pool::{Pool, Result};
use crate::zone::slab::{known, quick};

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
/// released. Returns the default value if `pool` is NULL or if the work has failed.
///
/// # Safety
///
/// `pool` is NULL or a pool, see [`from_ptr`].
#[inline(always)]
pub unsafe fn with_lock<T: Default>(
    pool: *mut ngx_slab_pool_t,
    size: usize,
    quick: impl FnOnce(&Parts) -> Option<T>,
    work: impl FnOnce(&Pool) -> Result<T>,
) -> T {
    // SAFETY: the caller passes NULL or a pool.
    unsafe {
        match parts_with_own_lock(pool) {
            Some(parts) => with_own_lock(parts, size, quick, work),
            None => lock_and_work(pool, size, work),
        }
    }
}

/// Works with a pool of C as [`with_lock`] does. `parts` are those of the pool, whose lock uses
/// its words.
///
/// # Safety
///
/// The pool is as [`from_ptr`] requires.
#[inline(always)]
unsafe fn with_own_lock<T: Default>(
    parts: Parts,
    size: usize,
    quick: impl FnOnce(&Parts) -> Option<T>,
    work: impl FnOnce(&Pool) -> Result<T>,
) -> T {
    let pool = parts.first().as_ptr().cast::<ngx_slab_pool_t>();

    // SAFETY: the caller passes the parts of a pool.
    unsafe {
        if let Some(own) = own()
            && (*pool).lock().take(own)
        {
            let Some(result) = quick(&parts) else {
                return work_and_unlock(pool, size, work);
            };

            (*pool).lock().release(own, log);
            result
        } else {
            lock_and_work(pool, size, work)
        }
    }
}

/// The piece of memory at `address`, which is shared with C; NULL for 0.
#[inline(always)]
pub fn piece(address: usize) -> *mut c_void {
    ptr::with_exposed_provenance_mut(address)
}

/// Allocates `size` bytes in a pool, with its lock. Returns NULL if it fails.
///
/// Chunks, runs and the case that is not usual have functions of their own, which this function
/// calls last. In one function, each would save the registers that the others need.
///
/// # Safety
///
/// `pool` is NULL or a pool, see [`from_ptr`].
#[inline(always)]
pub unsafe fn alloc(pool: *mut ngx_slab_pool_t, size: usize) -> *mut c_void {
    let find = known::likely_parts_with_own_lock;

    // SAFETY: the caller passes NULL or a pool.
    unsafe {
        match NonNull::new(pool).and_then(|start| find(pool.addr(), open(start.cast()))) {
            Some(parts) if quick::is_run(&parts, size) => alloc_run(parts, size),
            Some(parts) => alloc_chunk(parts, size),
            None => alloc_elsewhere(pool, size),
        }
    }
}

/// Allocates as [`alloc`] does, in a pool that has not its own entry among the known ones.
///
/// # Safety
///
/// `pool` is NULL or a pool, see [`from_ptr`].
#[cold]
#[inline(never)]
unsafe fn alloc_elsewhere(pool: *mut ngx_slab_pool_t, size: usize) -> *mut c_void {
    // SAFETY: the caller passes NULL or a pool.
    unsafe {
        match parts_with_own_lock(pool) {
            Some(parts) if quick::is_run(&parts, size) => alloc_run(parts, size),
            Some(parts) => alloc_chunk(parts, size),
            None => piece(lock_and_work(pool, size, allocation(size))),
        }
    }
}

/// What [`alloc`] does in the cases that are not usual.
fn allocation(size: usize) -> impl FnOnce(&Pool) -> Result<usize> {
    move |pool| slab::alloc(pool, size)
}

/// Allocates a run as [`alloc`] does, in the pool with these parts.
///
/// # Safety
///
/// The pool is as [`from_ptr`] requires.
#[inline(never)]
unsafe fn alloc_run(parts: Parts, size: usize) -> *mut c_void {
    let quick = move |parts: &Parts| quick::alloc_run(parts, size);

    // SAFETY: the caller passes the parts of a pool.
    piece(unsafe { with_own_lock(parts, size, quick, allocation(size)) })
}

/// Allocates a chunk as [`alloc`] does, in the pool with these parts.
///
/// # Safety
///
/// The pool is as [`from_ptr`] requires.
#[inline(never)]
unsafe fn alloc_chunk(parts: Parts, size: usize) -> *mut c_void {
    let quick = move |parts: &Parts| quick::alloc_chunk(parts, size);

    // SAFETY: the caller passes the parts of a pool.
    piece(unsafe { with_own_lock(parts, size, quick, allocation(size)) })
}

/// Waits for the lock of a pool, and does `work`.
///
/// # Safety
///
/// `pool` is NULL or a pool, see [`from_ptr`].
#[cold]
#[inline(never)]
unsafe fn lock_and_work<T: Default>(
    pool: *mut ngx_slab_pool_t,
    size: usize,
    work: impl FnOnce(&Pool) -> Result<T>,
) -> T {
    // SAFETY: the caller passes NULL or a pool.
    let Some(handle) = (unsafe { from_ptr(pool) }) else {
        return T::default();
    };
    // SAFETY: the caller passes a pool.
    let taken =
        unsafe { pool_lock::with(&raw const (*pool).mutex, |mutex| mutex.lock(own(), log)) };

    let Some(taken) = taken else {
        return T::default();
    };

    // The alert about this is in the log. The caller, or another thread, is in the middle of
    // its own work with the pool.
    match taken {
        Taken::Released => {}
        Taken::FromDead(pid) => note_death(&handle, pid),
        Taken::Already => return T::default(),
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
unsafe fn work_and_unlock<T: Default>(
    pool: *mut ngx_slab_pool_t,
    size: usize,
    work: impl FnOnce(&Pool) -> Result<T>,
) -> T {
    // SAFETY: the caller passes a pool.
    let handle = unsafe { from_ptr(pool) };
    let result = handle.as_ref().map(work);

    // SAFETY: the caller passes a pool.
    unsafe {
        pool_lock::with(&raw const (*pool).mutex, |mutex| {
            mutex.unlock(unchecked(), log);
        })
    };

    match (handle, result) {
        (Some(handle), Some(result)) => reported(&handle, size, result).unwrap_or_default(),
        _ => T::default(),
    }
}

/// Works with a pool whose lock this process holds, as [`with_lock`] does.
///
/// # Safety
///
/// `pool` is NULL or a pool, see [`from_ptr`].
#[inline(always)]
pub unsafe fn with<T: Default>(
    pool: *mut ngx_slab_pool_t,
    size: usize,
    quick: impl FnOnce(&Parts) -> Option<T>,
    work: impl FnOnce(&Pool) -> Result<T>,
) -> T {
    // SAFETY: the caller passes NULL or a pool.
    unsafe {
        match known_parts(pool).as_ref().and_then(quick) {
            Some(result) => result,
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
unsafe fn work_unlocked<T: Default>(
    pool: *mut ngx_slab_pool_t,
    size: usize,
    work: impl FnOnce(&Pool) -> Result<T>,
) -> T {
    // SAFETY: the caller passes NULL or a pool.
    let pool = unsafe { from_ptr(pool) };

    pool.and_then(|pool| reported(&pool, size, work(&pool)))
        .unwrap_or_default()
}
