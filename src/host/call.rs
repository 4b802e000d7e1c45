//! Calling the function that a slot of the process table remembers.

use std::ffi::c_void;

use super::ngx_cycle_t;
use crate::table::slots::Work;

/// What a spawned process runs; it exits if this returns.
pub type ngx_spawn_proc_pt =
    Option<unsafe extern "C" fn(cycle: *mut ngx_cycle_t, data: *mut c_void)>;

/// Calls what a slot remembers; returns if the function does.
///
/// # Safety
///
/// `work` comes from `ngx_spawn_process`, whose caller promised that its
/// function may be called with `cycle` and its data.
pub unsafe fn call(cycle: *mut ngx_cycle_t, work: Work) {
    // SAFETY: `proc` was made of a ngx_spawn_proc_pt, NULL included.
    let proc = unsafe { std::mem::transmute::<*mut c_void, ngx_spawn_proc_pt>(work.proc) };

    if let Some(proc) = proc {
        // SAFETY: promised by the caller.
        unsafe { proc(cycle, work.data) };
    }
}
