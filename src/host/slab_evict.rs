//! The function of a program that frees pieces of a pool when there is no memory.

use std::ffi::c_void;

use crate::config::{NGX_OK, ngx_int_t};
use crate::zone::slab::layout::ngx_slab_pool_t;

/// A function of the program that frees pieces of `pool` with ngx_slab_free_locked(), because
/// there is no memory for a request of `size` bytes. `data` is that of the request. Returns
/// NGX_OK if it has freed a piece, and NGX_DECLINED, or anything else, if it has not.
///
/// This process holds the lock of the pool meanwhile. The function does not release it.
pub type ngx_slab_evict_pt = Option<
    unsafe extern "C" fn(pool: *mut ngx_slab_pool_t, size: usize, data: *mut c_void) -> ngx_int_t,
>;

/// Calls a function of C that frees pieces. Returns whether it has freed any.
///
/// # Safety
///
/// `evict` is NULL or a function for these arguments.
pub unsafe fn has_evicted(
    evict: ngx_slab_evict_pt,
    pool: *mut ngx_slab_pool_t,
    size: usize,
    data: *mut c_void,
) -> bool {
    // SAFETY: the caller passes a function for these arguments.
    evict.is_some_and(|evict| unsafe { evict(pool, size, data) } == NGX_OK)
}
