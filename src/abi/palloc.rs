//! `ngx_palloc.h`: memory pools.

use std::ffi::c_void;
use std::ptr::{self, NonNull};

use crate::host::standalone::log::{ErrorLog, ngx_log_t};
use crate::host::standalone::palloc::{Pool, ngx_pool_cleanup_t, ngx_pool_t};

/// Makes a pool that grows by `size` bytes at a time.
///
/// Returns NULL, with an emergency in the log, if there is no memory.
///
/// # Safety
///
/// `log` is NULL or a log that is valid as long as the pool.
///
/// # References
///
/// nginx's `src/core/ngx_palloc.c`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_create_pool(size: usize, log: *mut ngx_log_t) -> *mut ngx_pool_t {
    // SAFETY: C passes NULL or a log that lives as long as the pool.
    let log = unsafe { ErrorLog::from_ptr(log) };

    Pool::create(size, log).map_or(ptr::null_mut(), Pool::as_ptr)
}

/// Calls the cleanup handlers, the last added first, and frees all memory of
/// the pool.
///
/// # Safety
///
/// `pool` is NULL or a pool, which is not used any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_destroy_pool(pool: *mut ngx_pool_t) {
    // SAFETY: C passes NULL or a pool, and does not use it any more.
    unsafe {
        if let Some(pool) = Pool::from_ptr(pool) {
            pool.destroy();
        }
    }
}

/// Takes `size` bytes, aligned as by malloc(), from a pool; NULL, with an
/// emergency in the log, if there is no memory.
///
/// # Safety
///
/// `pool` is NULL or a pool.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_palloc(pool: *mut ngx_pool_t, size: usize) -> *mut c_void {
    // SAFETY: C passes NULL or a pool.
    let memory = unsafe { Pool::from_ptr(pool) }.and_then(|pool| pool.allocate(size).ok());

    memory.map_or(ptr::null_mut(), NonNull::as_ptr)
}

/// The same without alignment, for strings.
///
/// # Safety
///
/// `pool` is NULL or a pool.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_pnalloc(pool: *mut ngx_pool_t, size: usize) -> *mut c_void {
    // SAFETY: C passes NULL or a pool.
    let memory =
        unsafe { Pool::from_ptr(pool) }.and_then(|pool| pool.allocate_unaligned(size).ok());

    memory.map_or(ptr::null_mut(), NonNull::as_ptr)
}

/// The same as ngx_palloc(), zeroed.
///
/// # Safety
///
/// `pool` is NULL or a pool.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_pcalloc(pool: *mut ngx_pool_t, size: usize) -> *mut c_void {
    // SAFETY: C passes NULL or a pool.
    let memory = unsafe { Pool::from_ptr(pool) }.and_then(|pool| pool.allocate_zeroed(size).ok());

    memory.map_or(ptr::null_mut(), NonNull::as_ptr)
}

/// Adds a cleanup to a pool, with `size` bytes at its `data` unless that is 0.
///
/// Its handler is for the caller to set. NULL if there is no memory.
///
/// # Safety
///
/// `p` is NULL or a pool.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_pool_cleanup_add(
    p: *mut ngx_pool_t,
    size: usize,
) -> *mut ngx_pool_cleanup_t {
    // SAFETY: C passes NULL or a pool.
    let cleanup = unsafe { Pool::from_ptr(p) }.and_then(|pool| pool.add_cleanup(size).ok());

    cleanup.map_or(ptr::null_mut(), NonNull::as_ptr)
}
