//! `ngx_slab.h`: the pools of zones.

use std::ffi::{c_char, c_void};
use std::mem::offset_of;
use std::ptr;

use super::shmtx::{ngx_shmtx_lock, ngx_shmtx_sh_t, ngx_shmtx_t, ngx_shmtx_unlock};
use crate::config::{NGX_ERROR, NGX_OK, ngx_int_t, ngx_uint_t};
use crate::host::standalone::slab;
use crate::zone::slab::layout::{Header, LOCK, MUTEX, sizes_init};
use crate::zone::slab::pool::{Pool, Result};

/// A pool.
pub type ngx_slab_pool_t = Header;

const _: () = assert!(size_of::<ngx_shmtx_t>() == MUTEX && size_of::<ngx_shmtx_sh_t>() == LOCK);

/// A function that gets the text of each finding of ngx_slab_verify().
pub type ngx_slab_report_pt =
    Option<unsafe extern "C" fn(pool: *mut ngx_slab_pool_t, text: *const c_char)>;

/// The lock of a pool.
fn mutex(pool: &Pool) -> *mut ngx_shmtx_t {
    ptr::with_exposed_provenance_mut(pool.at(offset_of!(Header, mutex)))
}
