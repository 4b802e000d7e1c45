//! The parts of nginx's structures that the library uses.

#![allow(non_camel_case_types)]

use std::ffi::c_void;

/// The first members of nginx's `ngx_cycle_t`; `ngx_ipc_host.c` asserts their
/// offsets.
#[repr(C)]
pub struct ngx_cycle_t {
    conf_ctx: *mut c_void,
    /// The pool of the cycle, nginx's `ngx_pool_t`.
    pub pool: *mut c_void,
    /// The log of the cycle.
    pub log: *mut ngx_log_t,
}

/// nginx's `ngx_log_t`. The library accesses it only in `sys::log`, which reads
/// the level.
pub type ngx_log_t = c_void;
