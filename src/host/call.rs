//! Calling the function that a slot of the process table has.

use std::ffi::c_void;

#[cfg(not(feature = "standalone"))]
use super::nginx::types::ngx_cycle_t;
#[cfg(feature = "standalone")]
use super::standalone::types::ngx_cycle_t;
use crate::table::slots::Work;

/// What a spawned process runs; it exits with 0 if this returns.
pub type ngx_spawn_proc_pt =
    Option<unsafe extern "C" fn(cycle: *mut ngx_cycle_t, data: *mut c_void)>;

/// The same, not NULL.
pub type Proc = unsafe extern "C" fn(cycle: *mut ngx_cycle_t, data: *mut c_void);

/// Calls the function of a slot with `cycle` and the slot's data.
///
/// # Safety
///
/// The function of `work` is NULL or may be called with `cycle` and its data.
pub unsafe fn call(cycle: *mut ngx_cycle_t, work: Work) {
    // SAFETY: the library stores no other functions in a slot, and a NULL
    // pointer is `None`.
    let proc = unsafe { std::mem::transmute::<*mut c_void, ngx_spawn_proc_pt>(work.proc) };

    if let Some(proc) = proc {
        // SAFETY: as this function demands.
        unsafe { proc(cycle, work.data) };
    }
}
