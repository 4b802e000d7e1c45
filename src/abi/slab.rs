//! `ngx_slab.h`: the pools of zones.

use std::ffi::{c_char, c_void};

use crate::config::{NGX_ERROR, NGX_OK, ngx_int_t, ngx_uint_t};
use crate::host::slab::{self, from_ptr};
use crate::host::slab_call::{self, piece, with, with_lock};
use crate::host::slab_evict::{has_evicted, ngx_slab_evict_pt};
use crate::zone::slab::layout::{ngx_slab_pool_t, sizes_init};
use crate::zone::slab::quick;
use crate::zone::slab::usage::ngx_slab_usage_t;

/// Finds out the size of a page, on which the sizes of chunks depend. ngx_slab_init()
/// does the same if the program has not called this function.
#[unsafe(no_mangle)]
pub extern "C" fn ngx_slab_sizes_init() {
    sizes_init();
}

/// Makes a pool of a zone. The program has set `end`, `min_shift` and `addr`, and has
/// called ngx_shmtx_create() for `mutex`. The function does not change these fields,
/// nor `lock` and `data`.
///
/// If the zone is too small for one page, the function writes an alert to the log of
/// ngx_cycle, and all requests fail. Does nothing if `pool` is NULL.
///
/// # Safety
///
/// `pool` is NULL, or the beginning of a zone that ends at `end`.
///
/// # References
///
/// nginx's `src/core/ngx_slab.c`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_slab_init(pool: *mut ngx_slab_pool_t) {
    // SAFETY: C passes NULL or the beginning of a mapped zone.
    if let Some(pool) = unsafe { slab::new(pool) } {
        slab::make(&pool);
    }
}

/// Allocates a piece of `size` bytes. A piece of half a page or less is rounded up to a
/// power of two, and a larger one to whole pages.
///
/// Takes the lock of the pool meanwhile. If a process has died in an operation of this
/// pool, the function first undoes this operation, and logs a notice. Returns the
/// piece, which is not cleared, or NULL. If there is no memory, and `log_nomem` of the
/// pool is set, the function writes a critical line to the log of ngx_cycle, once in a
/// second at most for each pool.
///
/// # Safety
///
/// `pool` is NULL or a pool of ngx_slab_init() whose lock is created. This process does not
/// hold the lock.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_slab_alloc(pool: *mut ngx_slab_pool_t, size: usize) -> *mut c_void {
    // SAFETY: C passes NULL or a pool whose lock is created.
    unsafe { slab_call::alloc(pool, size) }
}

/// Allocates a piece of `size` bytes as ngx_slab_alloc() does, in a pool whose lock this
/// process holds.
///
/// # Safety
///
/// `pool` is NULL or a pool of ngx_slab_init(), and this process holds its lock.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_slab_alloc_locked(
    pool: *mut ngx_slab_pool_t,
    size: usize,
) -> *mut c_void {
    // SAFETY: C passes NULL or a pool.
    let address = unsafe {
        with(
            pool,
            size,
            move |parts| quick::alloc(parts, size),
            move |pool| slab::alloc(pool, size),
        )
    };

    piece(address)
}

/// Allocates a piece of `size` bytes as ngx_slab_alloc() does, and fills it with zeros.
///
/// # Safety
///
/// `pool` is NULL or a pool of ngx_slab_init() whose lock is created. This process does not
/// hold the lock.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_slab_calloc(pool: *mut ngx_slab_pool_t, size: usize) -> *mut c_void {
    // SAFETY: C passes NULL or a pool whose lock is created.
    let address = unsafe {
        with_lock(
            pool,
            size,
            move |parts| slab::quick_calloc(parts, size),
            move |pool| slab::calloc(pool, size),
        )
    };

    piece(address)
}

/// Allocates a piece of `size` bytes as ngx_slab_calloc() does, in a pool whose lock this
/// process holds.
///
/// # Safety
///
/// `pool` is NULL or a pool of ngx_slab_init(), and this process holds its lock.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_slab_calloc_locked(
    pool: *mut ngx_slab_pool_t,
    size: usize,
) -> *mut c_void {
    // SAFETY: C passes NULL or a pool.
    let address = unsafe {
        with(
            pool,
            size,
            move |parts| slab::quick_calloc(parts, size),
            move |pool| slab::calloc(pool, size),
        )
    };

    piece(address)
}

/// Allocates a piece of `size` bytes as ngx_slab_alloc() does. Whenever there is no memory, the
/// function calls `evict`, and tries again if `evict` returns NGX_OK.
///
/// Returns the piece, which is not cleared. Returns NULL, with the line of ngx_slab_alloc() in
/// the log, if `evict` returns something else or is NULL; NULL, with an alert, if `evict`
/// returns NGX_OK and has freed nothing. If the process is killed in `evict`, what it has freed
/// is free, and nothing is lost.
///
/// # Safety
///
/// `pool` is NULL or a pool of ngx_slab_init() whose lock is created. This process does not
/// hold the lock. `evict` is NULL or a function for these arguments.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_slab_alloc_evict(
    pool: *mut ngx_slab_pool_t,
    size: usize,
    evict: ngx_slab_evict_pt,
    data: *mut c_void,
) -> *mut c_void {
    // SAFETY: C passes NULL or a pool whose lock is created, and NULL or such a function.
    let address = unsafe {
        with_lock(
            pool,
            size,
            move |parts| slab::quick_with_memory(parts, size),
            move |zone| slab::alloc_or_evict(zone, size, || has_evicted(evict, pool, size, data)),
        )
    };

    piece(address)
}

/// Allocates a piece of `size` bytes as ngx_slab_alloc_evict() does, in a pool whose lock this
/// process holds.
///
/// # Safety
///
/// `pool` is NULL or a pool of ngx_slab_init(), and this process holds its lock. `evict` is
/// NULL or a function for these arguments.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_slab_alloc_evict_locked(
    pool: *mut ngx_slab_pool_t,
    size: usize,
    evict: ngx_slab_evict_pt,
    data: *mut c_void,
) -> *mut c_void {
    // SAFETY: C passes NULL or a pool, and NULL or such a function.
    let address = unsafe {
        with(
            pool,
            size,
            move |parts| slab::quick_with_memory(parts, size),
            move |zone| slab::alloc_or_evict(zone, size, || has_evicted(evict, pool, size, data)),
        )
    };

    piece(address)
}

/// Frees the piece `p`.
///
/// Takes the lock of the pool meanwhile. If a process has died in an operation of this
/// pool, the function first undoes this operation, and logs a notice. If no piece
/// begins at `p`, the function writes an alert to the log of ngx_cycle, and changes
/// nothing.
///
/// # Safety
///
/// `pool` is NULL or a pool of ngx_slab_init() whose lock is created. This process does not
/// hold the lock. No process uses the piece afterwards.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_slab_free(pool: *mut ngx_slab_pool_t, p: *mut c_void) {
    // SAFETY: C passes NULL or a pool whose lock is created.
    unsafe {
        with_lock(
            pool,
            0,
            move |parts| quick::free(parts, p.addr()),
            move |pool| slab::free(pool, p.addr()),
        )
    }
}

/// Frees the piece `p` as ngx_slab_free() does, in a pool whose lock this process holds.
///
/// # Safety
///
/// `pool` is NULL or a pool of ngx_slab_init(), and this process holds its lock. No process
/// uses the piece afterwards.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_slab_free_locked(pool: *mut ngx_slab_pool_t, p: *mut c_void) {
    // SAFETY: C passes NULL or a pool.
    unsafe {
        with(
            pool,
            0,
            move |parts| quick::free(parts, p.addr()),
            move |pool| slab::free(pool, p.addr()),
        )
    }
}

/// Checks all links, bits and counters of a pool, and changes nothing. The bytes of the
/// pool may be damaged in any way.
///
/// Calls `report`, if it is not NULL, with a text for each finding, which is valid until
/// `report` returns. An operation in which
/// a process has died is a finding, because it is not undone yet. Returns NGX_OK if there
/// is no finding, else NGX_ERROR, also if `pool` is NULL.
///
/// The function does not use the lock of the pool, which can be damaged, too. If other
/// processes use the pool, the caller holds this lock.
///
/// # Safety
///
/// `pool` is NULL or the beginning of a zone that ends at `end`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_slab_verify(
    pool: *mut ngx_slab_pool_t,
    report: Option<unsafe extern "C" fn(pool: *mut ngx_slab_pool_t, text: *const c_char)>,
) -> ngx_int_t {
    // SAFETY: C passes NULL or a mapped zone.
    let Some(handle) = (unsafe { from_ptr(pool) }) else {
        return NGX_ERROR;
    };
    let is_right = slab::check(&handle, |text| {
        if let Some(report) = report {
            // SAFETY: C passes a function for these arguments. The text ends with a NUL.
            unsafe { report(pool, text.as_ptr().cast()) };
        }
    });

    if is_right { NGX_OK } else { NGX_ERROR }
}

/// Tells how much of a pool is in use, and how its free memory is divided.
///
/// Writes to `usage`. Returns NGX_OK; NGX_ERROR, and writes nothing, if an argument is NULL or if
/// a number or a link in the pool is impossible. The bytes of the pool may be damaged in any
/// way.
///
/// The function does not use the lock of the pool, and changes nothing. If other processes
/// use the pool and the caller does not hold the lock, the numbers can be of different
/// moments. `stats` of the pool has the counters of each size of chunks.
///
/// # Safety
///
/// `pool` is NULL or the beginning of a zone that ends at `end`. `usage` is NULL or points to
/// a structure.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_slab_usage(
    pool: *mut ngx_slab_pool_t,
    usage: *mut ngx_slab_usage_t,
) -> ngx_int_t {
    // SAFETY: C passes NULL or a mapped zone, and NULL or a structure for the result.
    let (pool, usage) = unsafe { (from_ptr(pool), usage.as_mut()) };

    match (pool.and_then(|pool| slab::usage(&pool)), usage) {
        (Some(found), Some(usage)) => {
            *usage = found;
            NGX_OK
        }
        _ => NGX_ERROR,
    }
}

/// Returns the size in bytes of a zone in which `n` pieces of `size` bytes fit, if
/// nothing else is allocated in it and `min_shift` is 3. The size is a multiple of the
/// page size, and with one page less the pieces do not fit. Returns 0 if no zone can be
/// so large.
#[unsafe(no_mangle)]
pub extern "C" fn ngx_slab_zone_size(n: ngx_uint_t, size: usize) -> usize {
    slab::zone_size(n, size)
}
