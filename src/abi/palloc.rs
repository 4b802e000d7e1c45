//! `ngx_palloc.h`: memory pools.

use std::ffi::c_void;
use std::ptr::{self, NonNull};

use crate::config::{NGX_DECLINED, NGX_OK, ngx_int_t};
use crate::host::standalone::log::{ErrorLog, ngx_log_t};
use crate::host::standalone::palloc::{Pool, ngx_pool_cleanup_t, ngx_pool_t};

/// Makes a memory pool.
///
/// The pool allocates blocks of `size` bytes with malloc(3). A piece that is
/// larger than the field `max` of the pool gets a block of its own. Whenever there is no
/// memory, an emergency is written to `log`. Returns the pool, or NULL if there
/// is no memory for the pool.
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

/// Destroys a pool: calls the cleanup handlers, in the reverse order of their
/// addition, and frees all memory of the pool. Does nothing if `pool` is NULL.
///
/// # Safety
///
/// `pool` is NULL or a pool. The program uses neither the pool nor its
/// memory afterwards.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_destroy_pool(pool: *mut ngx_pool_t) {
    // SAFETY: C passes NULL or a pool, and uses neither the pool nor its memory
    // afterwards.
    unsafe {
        if let Some(pool) = Pool::from_ptr(pool) {
            pool.destroy();
        }
    }
}

/// Frees all memory of a pool but its cleanups.
///
/// The cleanups and their data stay in the pool, and ngx_destroy_pool() calls
/// their handlers later. Does nothing if `pool` is NULL.
///
/// # Safety
///
/// `pool` is NULL or a pool. The program, and the handlers of the cleanups, use
/// no other memory of the pool afterwards.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_reset_pool(pool: *mut ngx_pool_t) {
    // SAFETY: C passes NULL or a pool, and uses only its cleanups afterwards.
    unsafe {
        if let Some(pool) = Pool::from_ptr(pool) {
            pool.reset();
        }
    }
}

/// Allocates `size` bytes from a pool, aligned as memory from malloc(3).
///
/// Returns the address of the bytes. Returns NULL if `pool` is NULL, or, with
/// an emergency in the log, if there is no memory.
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
/// Returns the address of the bytes. Returns NULL if `pool` is NULL, or, with
/// an emergency in the log, if there is no memory.
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

/// Allocates `size` bytes from a pool, aligned as memory from malloc(3) and
/// filled with zeros.
///
/// Returns the address of the bytes. Returns NULL if `pool` is NULL, or, with
/// an emergency in the log, if there is no memory.
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

/// Allocates `size` bytes for a pool, at an address that is a multiple of
/// `alignment`, which is a power of two and at least the size of a pointer.
///
/// Returns the address of the bytes, which ngx_pfree() can free. Returns NULL
/// if `pool` is NULL, or, with an emergency in the log, if there is no memory or
/// the alignment is invalid.
///
/// # Safety
///
/// `pool` is NULL or a pool.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_pmemalign(
    pool: *mut ngx_pool_t,
    size: usize,
    alignment: usize,
) -> *mut c_void {
    // SAFETY: C passes NULL or a pool.
    let memory = unsafe { Pool::from_ptr(pool) }
        .and_then(|pool| pool.allocate_aligned(size, alignment).ok());

    memory.map_or(ptr::null_mut(), NonNull::as_ptr)
}

/// Frees a piece of memory of a pool before the pool is destroyed. The piece is
/// larger than the field `max` of the pool, or ngx_pmemalign() has returned it.
///
/// Returns NGX_OK, or NGX_DECLINED if `p` is not such a piece; then the memory
/// stays in the pool.
///
/// # Safety
///
/// `pool` is NULL or a pool. The program does not use the piece afterwards.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_pfree(pool: *mut ngx_pool_t, p: *mut c_void) -> ngx_int_t {
    // SAFETY: C passes NULL or a pool, and does not use the piece afterwards.
    let freed = unsafe { Pool::from_ptr(pool).is_some_and(|pool| pool.free(p)) };

    if freed { NGX_OK } else { NGX_DECLINED }
}

/// Adds a cleanup to a pool. A cleanup is a function that ngx_destroy_pool()
/// calls.
///
/// Returns the cleanup, whose `handler` the caller sets. `data` of the cleanup
/// points to `size` bytes of the pool, or is NULL if `size` is 0. Returns NULL
/// if `p` is NULL, or, with an emergency in the log, if there is no memory.
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
