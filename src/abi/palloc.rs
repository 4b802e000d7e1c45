//! `ngx_palloc.h`: memory pools.

use std::ffi::c_void;
use std::ptr::{self, NonNull};

use crate::host::standalone::log::{ErrorLog, ngx_log_t};
use crate::host::standalone::palloc::{Pool, ngx_pool_cleanup_t, ngx_pool_t};

/// Makes a memory pool.
///
/// The pool gets memory from malloc() in blocks of `size` bytes; a piece larger
/// than half of that gets a block of its own. `log` gets an emergency whenever
/// there is no memory. Returns the pool, or NULL if there is no memory for it.
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

/// Destroys a pool: calls its cleanup handlers, the last one that was added
/// first, and frees all its memory. Does nothing if `pool` is NULL.
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

/// Allocates `size` bytes from a pool, aligned as by malloc().
///
/// Returns NULL, with an emergency in the log, if there is no memory; NULL if
/// `pool` is NULL.
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

/// Allocates `size` bytes from a pool without alignment, for strings.
///
/// Returns NULL in the same cases as ngx_palloc().
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

/// Allocates `size` bytes from a pool, aligned and filled with zeros.
///
/// Returns NULL in the same cases as ngx_palloc().
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

/// Adds a cleanup to a pool: a function that is called when the pool is
/// destroyed.
///
/// Returns the cleanup, whose `handler` the caller sets. Its `data` points to
/// `size` bytes of the pool; it is NULL if `size` is 0. Returns NULL in the same
/// cases as ngx_palloc().
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
