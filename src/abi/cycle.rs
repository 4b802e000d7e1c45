//! `ngx_cycle.h`: what a program hands to most functions.

use std::ffi::c_void;
use std::ptr;
use std::sync::atomic::AtomicPtr;

use super::log::ngx_log_t;
use super::palloc::ngx_pool_t;
use crate::config::ngx_uint_t;

/// ngx_debug_point() stops the process.
pub const NGX_DEBUG_POINTS_STOP: usize = 1;
/// ngx_debug_point() aborts the process.
pub const NGX_DEBUG_POINTS_ABORT: usize = 2;

/// By nginx's other name.
pub type ngx_cycle_t = ngx_cycle_s;

pub use super::module::ngx_module_t;

/// What a program runs with between two configurations.
#[repr(C)]
pub struct ngx_cycle_s {
    /// The configurations of the modules.
    pub conf_ctx: *mut *mut *mut *mut c_void,
    /// Memory that lives as long as the cycle.
    pub pool: *mut ngx_pool_t,
    /// Where the library logs.
    pub log: *mut ngx_log_t,
    /// The modules, NULL-terminated, or NULL.
    pub modules: *mut *mut ngx_module_t,
    /// How many they are.
    pub modules_n: ngx_uint_t,
}

/// The cycle that signal handlers log to, for the program to set.
#[unsafe(no_mangle)]
pub static ngx_cycle: AtomicPtr<ngx_cycle_t> = AtomicPtr::new(ptr::null_mut());
