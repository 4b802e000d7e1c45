//! The logs that C passes to the library.

use std::ffi::c_void;

#[cfg(not(feature = "standalone"))]
use super::nginx::types::{ngx_cycle_t, ngx_log_t};
#[cfg(feature = "standalone")]
use super::standalone::types::{ngx_cycle_t, ngx_log_t};
use crate::log::Log;
use crate::sys::log::RawLog;

/// For writing lines to a log; the lines for NULL are dropped.
///
/// # Safety
///
/// `log` is NULL or a log that is valid for as long as the result is used.
pub unsafe fn log_of(log: *mut ngx_log_t) -> Log {
    // SAFETY: as this function demands.
    Log::new(unsafe { RawLog::from_ptr(log.cast::<c_void>()) })
}

/// For writing lines to the log of a cycle; the lines for NULL are dropped.
///
/// # Safety
///
/// `cycle` is NULL or a valid cycle, and its log is valid for as long as the
/// result is used.
pub unsafe fn cycle_log(cycle: *const ngx_cycle_t) -> Log {
    // SAFETY: as this function demands; only the `log` is read.
    match unsafe { cycle.as_ref() } {
        // SAFETY: the log of a cycle is NULL or valid, as this function
        // demands.
        Some(cycle) => unsafe { log_of(cycle.log) },
        None => Log::new(RawLog::none()),
    }
}
