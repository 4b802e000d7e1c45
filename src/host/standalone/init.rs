//! Sets a program up before it has a configuration.

use std::mem::offset_of;
use std::sync::atomic::Ordering::Relaxed;

use super::cycle::Cycle;
use super::log::ErrorLog;
use super::log_file;
use super::times;
use super::types::ngx_cycle_t;
use super::variables::{ngx_cycle, ngx_pid};
use crate::config::ngx_str_t;
use crate::host::globals::GLOBALS;
use crate::host::signal_handler::init_signals;
use crate::status::{Result, Status};
use crate::sys::{machine, process};
use crate::table::stats;

/// The size in bytes of an `ngx_cycle_t` in version 0.2, which has all fields of
/// nginx. Later versions use no more bytes of a cycle that the program has allocated.
pub const FIRST_SIZE: usize = offset_of!(ngx_cycle_t, hostname) + size_of::<ngx_str_t>();

/// Sets a program up, as [`init`] does. `size` is the size in bytes of an
/// `ngx_cycle_t` in the headers with which the program was compiled.
///
/// Returns an error, with an alert on stderr, and does nothing, if `size` is
/// less than in version 0.2.
pub fn init_size(cycle: Option<Cycle>, size: usize) -> Result {
    if size < FIRST_SIZE {
        let log = ErrorLog::log_of(log_file::init(None, None));

        return Err(log.refuse(format_args!(
            "invalid size {size} of ngx_cycle_t, it has at least {FIRST_SIZE} bytes"
        )));
    }

    init(cycle)
}

/// Sets up the time, the shared memory for data about processes, `ngx_pid`,
/// `ngx_cycle`, the variables about the machine and the signals. If `cycle` has no
/// log, its log becomes stderr.
///
/// Returns an error if `cycle` is `None`, or, with a line in the log, if the
/// signals cannot be set up or the limit of descriptors is unknown.
pub fn init(cycle: Option<Cycle>) -> Result {
    times::update();
    stats::share(&GLOBALS);
    ngx_pid.store(process::getpid(), Relaxed);

    let cycle = cycle.ok_or(Status::Error)?;

    if cycle.error_log().is_none() {
        // SAFETY: the cycle is not `Cycle::empty`, because both callers pass a
        // cycle that they or C have made, and the log is static.
        unsafe { cycle.set_error_log(log_file::init(None, None)) };
    }

    ngx_cycle.store(cycle.as_ptr(), Relaxed);

    // SAFETY: the log of the cycle is NULL, a log of the program, or the static log.
    if !unsafe { machine::init(ErrorLog::optional_ptr(cycle.error_log()).cast()) } {
        return Err(Status::Error);
    }

    init_signals(cycle.log())
}
