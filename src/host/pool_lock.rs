//! The locks of pools. A process that has been taken over can write any address to `mutex` of
//! a pool. So the library does not use `mutex` of a pool that this process knows, but the words
//! at the beginning of the pool.

use super::lock_owner::lock_of;
use crate::zone::shmtx::{ngx_shmtx_sh_t, ngx_shmtx_t};
use crate::zone::slab::known;
use crate::zone::slab::layout::MUTEX;

/// The least size of a page. A pool begins at a page, else the library uses its `mutex`.
const PAGE: usize = 4096;

/// The address of the pool whose `mutex` is at `address`, if the address can be that of one.
#[inline(always)]
const fn pool_at(address: usize) -> Option<usize> {
    if address % PAGE == MUTEX {
        Some(address - MUTEX)
    } else {
        None
    }
}

/// Does `work` with the lock at `mtx`. `None` if `mtx` is NULL.
///
/// # Safety
///
/// `mtx` is NULL or a lock, of which `ngx_shmtx_create()` has set the fields.
#[inline(always)]
pub unsafe fn with<T>(mtx: *const ngx_shmtx_t, work: impl FnOnce(&ngx_shmtx_t) -> T) -> Option<T> {
    match pool_at(mtx.addr()) {
        Some(pool) if known::has_own_lock(pool) => {
            // SAFETY: the lock is in a pool that this process knows, at a fixed distance from
            // the beginning of the pool, where the words of its lock are. The caller's pool
            // stays mapped.
            let words = unsafe { mtx.byte_sub(MUTEX).cast::<ngx_shmtx_sh_t>().as_ref() }?;

            Some(work(&lock_of(words)))
        }
        // SAFETY: the caller passes NULL or a lock.
        _ => unsafe { mtx.as_ref() }.map(work),
    }
}

/// Remembers which words the lock at `mtx` uses, if it is that of a known pool.
pub fn remember(mtx: *const ngx_shmtx_t, words: *const ngx_shmtx_sh_t) {
    if let Some(pool) = pool_at(mtx.addr()) {
        known::remember_lock(pool, words.addr() == pool);
    }
}
