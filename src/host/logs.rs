//! Makes the library's [`Log`] of a log or a cycle that C passes.

use std::ffi::c_void;

#[cfg(not(feature = "standalone"))]
use super::nginx::types::{ngx_cycle_t, ngx_log_t};
#[cfg(feature = "standalone")]
use super::standalone::types::{ngx_cycle_t, ngx_log_t};
use crate::log::Log;
use crate::sys::log::RawLog;

/// Returns a handle that writes lines to `log`. If `log` is NULL, the handle
/// drops the lines.
///
/// # Safety
///
/// `log` is NULL or a log that is valid for as long as the result is used.
pub unsafe fn log_of(log: *mut ngx_log_t) -> Log {
    // SAFETY: the caller passes NULL, or a log that stays valid as long as the
    // returned handle is used.
    Log::new(unsafe { RawLog::from_ptr(log.cast::<c_void>()) })
}

/// Returns a handle that writes lines to the log of `cycle`. If `cycle` or its
/// log is NULL, the handle drops the lines.
///
/// # Safety
///
/// `cycle` is NULL or a valid cycle, and its log is valid for as long as the
/// result is used.
pub unsafe fn cycle_log(cycle: *const ngx_cycle_t) -> Log {
    // SAFETY: the caller passes NULL or a valid cycle, of which only `log` is
    // read here.
    match unsafe { cycle.as_ref() } {
        // SAFETY: the caller passes a cycle whose log is NULL or stays valid as
        // long as the returned handle is used.
        Some(cycle) => unsafe { log_of(cycle.log) },
        None => Log::new(RawLog::none()),
    }
}
