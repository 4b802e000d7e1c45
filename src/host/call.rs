//! Calls the function that a slot of the process table names: the function that
//! the slot's process runs.

use std::ffi::c_void;

#[cfg(not(feature = "standalone"))]
use super::nginx::types::ngx_cycle_t;
#[cfg(feature = "standalone")]
use super::standalone::types::ngx_cycle_t;
use crate::table::slots::Work;

/// The function that a spawned process runs. If the function returns, the
/// process exits with code 0.
pub type ngx_spawn_proc_pt =
    Option<unsafe extern "C" fn(cycle: *mut ngx_cycle_t, data: *mut c_void)>;

/// The function that a spawned process runs, as [`ngx_spawn_proc_pt`], but
/// never NULL.
pub type Proc = unsafe extern "C" fn(cycle: *mut ngx_cycle_t, data: *mut c_void);

/// Calls the function of a slot with `cycle` and the slot's data. Does nothing
/// if the function is NULL.
///
/// # Safety
///
/// The function of `work` is NULL or can be called with `cycle` and the
/// data of `work`.
pub unsafe fn call(cycle: *mut ngx_cycle_t, work: Work) {
    // SAFETY: the library stores only functions of this type in a slot, or
    // NULL, which is `None`.
    let proc = unsafe { std::mem::transmute::<*mut c_void, ngx_spawn_proc_pt>(work.proc) };

    if let Some(proc) = proc {
        // SAFETY: the caller has passed a slot whose function can be called
        // with `cycle` and the slot's data.
        unsafe { proc(cycle, work.data) };
    }
}
