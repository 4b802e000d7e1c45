//! Setting a program up, before it has a configuration.

use std::sync::atomic::Ordering::Relaxed;

use super::cycle::Cycle;
use super::log_file;
use super::times;
use super::variables::{ngx_cycle, ngx_pid};
use crate::host::signal_handler::init_signals;
use crate::status::{Result, Status};
use crate::sys::process;
use crate::table::stats;

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
