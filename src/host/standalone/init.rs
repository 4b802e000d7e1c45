//! Setting a program up, before it has a configuration.

use std::mem::offset_of;
use std::sync::atomic::Ordering::Relaxed;

use super::cycle::Cycle;
use super::log::ErrorLog;
use super::log_file;
use super::times;
use super::types::ngx_cycle_t;
use super::variables::{ngx_cycle, ngx_pid};
use crate::config::ngx_uint_t;
use crate::host::signal_handler::init_signals;
use crate::status::{Result, Status};
use crate::sys::process;
use crate::table::stats;

/// The size of an `ngx_cycle_t` in version 0.1. Later versions do not use more
/// of a cycle that the program has allocated.
pub const FIRST_SIZE: usize = offset_of!(ngx_cycle_t, listening_n) + size_of::<ngx_uint_t>();

/// Does what [`init`] does for a program whose cycles have `size` bytes.
///
/// Returns an error, with an alert on stderr, if version 0.1 had larger ones;
/// then it does nothing.
pub fn init_size(cycle: Option<Cycle>, size: usize) -> Result {
    if size < FIRST_SIZE {
        let log = ErrorLog::log_of(log_file::init(None, None));

        return Err(log.refuse(format_args!(
            "invalid size {size} of ngx_cycle_t, it has at least {FIRST_SIZE} bytes"
        )));
    }

    init(cycle)
}

/// Sets up the time, the shared data of the table, `ngx_pid`, `ngx_cycle`, the
/// signals, and the log of `cycle`, if it has none.
///
/// Returns an error, with an emergency in the log, if the signals cannot be set
/// up; or without a cycle.
pub fn init(cycle: Option<Cycle>) -> Result {
    times::update();
    stats::share();
    ngx_pid.store(process::getpid(), Relaxed);

    let cycle = cycle.ok_or(Status::Error)?;

    if cycle.error_log().is_none() {
        // SAFETY: both callers pass a cycle that they or C have made, and the
        // log is static.
        unsafe { cycle.set_error_log(log_file::init(None, None)) };
    }

    ngx_cycle.store(cycle.as_ptr(), Relaxed);

    init_signals(cycle.log())
}
