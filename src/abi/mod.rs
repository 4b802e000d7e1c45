//! The exported C symbols, one file for each of nginx's headers.
//!
//! Each function checks its arguments as far as that can be done, calls the
//! core or the standalone host, and turns the result into a return code.
//! `build.rs` makes the header `ngx_NAME.h` of `NAME.rs` and of `NAME.h`,
//! which lies beside it and says what cbindgen cannot.

#![allow(unsafe_code)]
#![allow(non_camel_case_types, non_upper_case_globals)]

pub mod channel;
pub mod conf;
pub mod connection;
pub mod cycle;
pub mod errno;
pub mod event;
pub mod event_timer;
pub mod introspect;
mod io;
pub mod ipc;
pub mod listening;
pub mod log;
mod log_line;
pub mod main;
pub mod master;
pub mod module;
mod old_cycle;
pub mod palloc;
mod pidfile;
pub mod process;
pub mod process_cycle;
pub mod setproctitle;
pub mod shmem;
pub mod single;
mod start;
pub mod times;
mod upgrade;
pub mod worker;

use std::ffi::c_void;

use crate::abi::cycle::ngx_cycle_s;
use crate::abi::log::ngx_log_s;
use crate::log::Log;
use crate::sys::log::RawLog;

/// The log that a caller has passed.
///
/// # Safety
///
/// `log` is NULL or a valid `ngx_log_t *` for as long as the result is used.
unsafe fn log_of(log: *mut ngx_log_s) -> Log {
    // SAFETY: promised by the caller.
    Log::new(unsafe { RawLog::from_ptr(log.cast::<c_void>()) })
}

/// The log of a cycle that a caller has passed; none if the cycle is NULL.
///
/// # Safety
///
/// `cycle` is NULL or a valid `ngx_cycle_t *`, as is its log.
unsafe fn cycle_log(cycle: *const ngx_cycle_s) -> Log {
    // SAFETY: promised by the caller.
    match unsafe { cycle.as_ref() } {
        // SAFETY: the same.
        Some(cycle) => unsafe { log_of(cycle.log) },
        None => Log::new(RawLog::none()),
    }
}
