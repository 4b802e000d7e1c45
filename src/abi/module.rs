//! `ngx_module.h`: modules, whose hooks the host calls.

use std::ffi::{c_char, c_void};
use std::ptr;

use super::cycle::ngx_cycle_t;
use super::log::ngx_log_t;
use crate::config::{ngx_int_t, ngx_uint_t};

/// A directive; nginx's configuration files only.
pub enum ngx_command_t {}

/// By nginx's other name.
pub type ngx_module_t = ngx_module_s;

/// A module.
#[repr(C)]
pub struct ngx_module_s {
    /// Its index among those of its type.
    pub ctx_index: ngx_uint_t,
    /// Its index.
    pub index: ngx_uint_t,

    /// Its name.
    pub name: *mut c_char,

    /// Unused.
    pub spare0: ngx_uint_t,
    /// Unused.
    pub spare1: ngx_uint_t,

    /// What it was compiled for.
    pub version: ngx_uint_t,
    /// How it was compiled.
    pub signature: *const c_char,

    /// For the host of its type.
    pub ctx: *mut c_void,
    /// Its directives.
    pub commands: *mut ngx_command_t,
    /// Its type.
    pub r#type: ngx_uint_t,

    /// Not called by nginx.
    pub init_master: Option<unsafe extern "C" fn(log: *mut ngx_log_t) -> ngx_int_t>,

    /// Is called in the master, before there are workers.
    pub init_module: Option<unsafe extern "C" fn(cycle: *mut ngx_cycle_t) -> ngx_int_t>,

    /// Is called in each worker and helper; NGX_ERROR ends it with code 2.
    pub init_process: Option<unsafe extern "C" fn(cycle: *mut ngx_cycle_t) -> ngx_int_t>,
    /// Not called by nginx.
    pub init_thread: Option<unsafe extern "C" fn(cycle: *mut ngx_cycle_t) -> ngx_int_t>,
    /// Not called by nginx.
    pub exit_thread: Option<unsafe extern "C" fn(cycle: *mut ngx_cycle_t)>,
    /// Is called in each worker that exits, but not in helpers.
    pub exit_process: Option<unsafe extern "C" fn(cycle: *mut ngx_cycle_t)>,

    /// Is called in the master when it exits.
    pub exit_master: Option<unsafe extern "C" fn(cycle: *mut ngx_cycle_t)>,

    /// Unused.
    pub spare_hook0: usize,
    /// Unused.
    pub spare_hook1: usize,
    /// Unused.
    pub spare_hook2: usize,
    /// Unused.
    pub spare_hook3: usize,
    /// Unused.
    pub spare_hook4: usize,
    /// Unused.
    pub spare_hook5: usize,
    /// Unused.
    pub spare_hook6: usize,
    /// Unused.
    pub spare_hook7: usize,
}

/// The modules of a cycle.
///
/// # Safety
///
/// `cycle` is NULL or a valid cycle; its modules are NULL or NULL-terminated.
pub unsafe fn modules(cycle: *mut ngx_cycle_t) -> impl Iterator<Item = *mut ngx_module_t> {
    // SAFETY: promised by the caller.
    let mut next = unsafe { cycle.as_ref() }.map_or(ptr::null_mut(), |cycle| cycle.modules);

    std::iter::from_fn(move || {
        // SAFETY: the array ends with NULL, and no further than that is read.
        let module = unsafe { next.as_ref() }.copied().filter(|m| !m.is_null())?;

        // SAFETY: there is one more element behind one that is not NULL.
        next = unsafe { next.add(1) };

        Some(module)
    })
}
