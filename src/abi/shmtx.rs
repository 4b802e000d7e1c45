//! `ngx_shmtx.h`: locks in shared memory.

use crate::config::{NGX_ERROR, NGX_OK, ngx_int_t, ngx_pid_t, ngx_uint_t, u_char};
use crate::host::lock_owner::{log, own, unchecked};
use crate::host::pool_lock;
use crate::zone::shmtx::{ngx_shmtx_sh_t, ngx_shmtx_t};

/// Makes a lock of the words at `addr`. Each process can make the lock, or inherit it.
///
/// The words must be 0 when the first process uses the lock. The function does not change
/// them, so a process can make a lock that another process holds.
///
/// A process that waits first pauses some times, `mtx->spin` is 2048, and then sleeps. If
/// `mtx->spin` was -1, as for a lock that processes only try to take, the lock uses only
/// the first word at `addr`, and a process that waits looks at the lock each millisecond.
///
/// Returns NGX_OK, or NGX_ERROR if `mtx` or `addr` is NULL. `name` is not used.
///
/// # Safety
///
/// `mtx` is NULL or valid. `addr` is NULL or shared memory that stays valid as long as the
/// lock is used.
///
/// # References
///
/// nginx's `src/core/ngx_shmtx.c`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_shmtx_create(
    mtx: *mut ngx_shmtx_t,
    addr: *mut ngx_shmtx_sh_t,
    name: *mut u_char,
) -> ngx_int_t {
    let _ = name;

    // SAFETY: C passes NULL, or a lock that no other code uses meanwhile, and NULL or
    // words that are valid.
    let (Some(mtx), Some(words)) = (unsafe { (mtx.as_mut(), addr.as_ref()) }) else {
        return NGX_ERROR;
    };

    mtx.create(words);
    pool_lock::remember(mtx, words);

    NGX_OK
}

/// Ends the use of a lock in this process. A lock has nothing to release, so the function
/// does nothing. It exists because programs for nginx call it.
///
/// # Safety
///
/// `mtx` is NULL or a lock.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_shmtx_destroy(mtx: *mut ngx_shmtx_t) {
    let _ = mtx;
}

/// Takes a lock if it is free, and does not wait.
///
/// If the process that holds the lock has exited, the function takes the lock over, and
/// writes an alert to the log of ngx_cycle. A function that fails looks for this process
/// ten times in a second at most.
///
/// Returns 1 if this process has the lock now, else 0.
///
/// # Safety
///
/// `mtx` is NULL or a lock.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_shmtx_trylock(mtx: *mut ngx_shmtx_t) -> ngx_uint_t {
    // SAFETY: C passes NULL or a lock.
    let is_taken = unsafe { pool_lock::with(mtx, |mtx| mtx.try_lock(own(), log)) };

    is_taken.unwrap_or(false).into()
}

/// Takes a lock, and waits as long as another running process holds it.
///
/// If the process that holds the lock has exited, a process that waits takes the lock over,
/// and writes an alert to the log of ngx_cycle. If this process holds the lock already,
/// the function writes an alert, and returns at once.
///
/// # Safety
///
/// `mtx` is NULL or a lock. One thread of a process uses the lock.
///
/// # References
///
/// `futex(2)`; nginx's `src/core/ngx_shmtx.c`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_shmtx_lock(mtx: *mut ngx_shmtx_t) {
    // SAFETY: C passes NULL or a lock.
    let _ = unsafe { pool_lock::with(mtx, |mtx| mtx.lock(own(), log)) };
}

/// Releases a lock, and wakes up a process that waits for it.
///
/// If this process does not hold the lock, the function writes an alert to the log of
/// ngx_cycle, and changes nothing.
///
/// # Safety
///
/// `mtx` is NULL or a lock.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_shmtx_unlock(mtx: *mut ngx_shmtx_t) {
    // SAFETY: C passes NULL or a lock.
    let _ = unsafe { pool_lock::with(mtx, |mtx| mtx.unlock(unchecked(), log)) };
}

/// Releases a lock that the process `pid` holds, if this process has exited or is the
/// caller. nginx's master calls it for each worker that has exited.
///
/// Returns 1 if the function has released the lock. Returns 0 if another process holds the
/// lock, also a later process with the same pid, or no process.
///
/// # Safety
///
/// `mtx` is NULL or a lock.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_shmtx_force_unlock(
    mtx: *mut ngx_shmtx_t,
    pid: ngx_pid_t,
) -> ngx_uint_t {
    // SAFETY: C passes NULL or a lock.
    let is_released = unsafe { pool_lock::with(mtx, |mtx| mtx.force_unlock(pid, own(), log)) };

    is_released.unwrap_or(false).into()
}
