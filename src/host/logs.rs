//! The logs that C callers pass.

use std::ffi::c_void;

use super::{ngx_cycle_t, ngx_log_t};
use crate::log::Log;
use crate::sys::log::RawLog;

/// The log that a caller has passed.
///
/// # Safety
///
/// `log` is NULL or a valid `ngx_log_t *` for as long as the result is used.
pub unsafe fn log_of(log: *mut ngx_log_t) -> Log {
    // SAFETY: promised by the caller.
    Log::new(unsafe { RawLog::from_ptr(log.cast::<c_void>()) })
}

/// The log of a cycle that a caller has passed; none if the cycle is NULL.
///
/// # Safety
///
/// `cycle` is NULL or a valid `ngx_cycle_t *`, as is its log.
pub unsafe fn cycle_log(cycle: *const ngx_cycle_t) -> Log {
    // SAFETY: promised by the caller.
    match unsafe { cycle.as_ref() } {
        // SAFETY: the same.
        Some(cycle) => unsafe { log_of(cycle.log) },
        None => Log::new(RawLog::none()),
    }
}
