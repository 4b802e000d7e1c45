//! The exported C symbols, one file for each of nginx's headers.
//!
//! nginx has most of these itself; the first four are what replaces its own.
//!
//! Each function checks its arguments as far as that can be done, calls the
//! core or the standalone host, and turns the result into a return code.
//! `build.rs` makes the header `ngx_NAME.h` of `NAME.rs` and of `NAME.h`,
//! which lies beside it and says what cbindgen cannot.

#![allow(unsafe_code)]
#![allow(non_camel_case_types, non_upper_case_globals)]

pub mod channel;
pub mod introspect;
pub mod process;
pub mod shmem;

// The rest is what nginx has itself.

#[cfg(feature = "standalone")]
pub mod conf;
#[cfg(feature = "standalone")]
pub mod connection;
#[cfg(feature = "standalone")]
pub mod cycle;
#[cfg(feature = "standalone")]
pub mod errno;
#[cfg(feature = "standalone")]
pub mod event;
#[cfg(feature = "standalone")]
pub mod event_timer;
#[cfg(feature = "standalone")]
mod io;
#[cfg(feature = "standalone")]
pub mod ipc;
#[cfg(feature = "standalone")]
pub mod listening;
#[cfg(feature = "standalone")]
pub mod log;
#[cfg(feature = "standalone")]
mod log_line;
#[cfg(feature = "standalone")]
pub mod main;
#[cfg(feature = "standalone")]
pub mod master;
#[cfg(feature = "standalone")]
pub mod module;
#[cfg(feature = "standalone")]
mod old_cycle;
#[cfg(feature = "standalone")]
pub mod palloc;
#[cfg(feature = "standalone")]
mod pidfile;
#[cfg(feature = "standalone")]
pub mod process_cycle;
#[cfg(feature = "standalone")]
pub mod setproctitle;
#[cfg(feature = "standalone")]
pub mod single;
#[cfg(feature = "standalone")]
mod start;
#[cfg(feature = "standalone")]
pub mod times;
#[cfg(feature = "standalone")]
mod upgrade;
#[cfg(feature = "standalone")]
pub mod worker;

use std::ffi::c_void;

use crate::host::{ngx_cycle_t, ngx_log_t};
use crate::log::Log;
use crate::sys::log::RawLog;

/// The log that a caller has passed.
///
/// # Safety
///
/// `log` is NULL or a valid `ngx_log_t *` for as long as the result is used.
unsafe fn log_of(log: *mut ngx_log_t) -> Log {
    // SAFETY: promised by the caller.
    Log::new(unsafe { RawLog::from_ptr(log.cast::<c_void>()) })
}

/// The log of a cycle that a caller has passed; none if the cycle is NULL.
///
/// # Safety
///
/// `cycle` is NULL or a valid `ngx_cycle_t *`, as is its log.
unsafe fn cycle_log(cycle: *const ngx_cycle_t) -> Log {
    // SAFETY: promised by the caller.
    match unsafe { cycle.as_ref() } {
        // SAFETY: the same.
        Some(cycle) => unsafe { log_of(cycle.log) },
        None => Log::new(RawLog::none()),
    }
}
