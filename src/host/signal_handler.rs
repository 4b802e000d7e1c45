//! The handler of all signals that the library sets up.

use std::ffi::{c_int, c_void};

use super::globals::GLOBALS;
use super::logs::cycle_log;
#[cfg(not(feature = "standalone"))]
use super::nginx::on_signal::{after_signal, cycle, is_own, update_time};
#[cfg(feature = "standalone")]
use super::standalone::on_signal::{after_signal, cycle, is_own, update_time};
use crate::log::Log;
use crate::process::signals;
use crate::status::Result;
use crate::sys::signal::{Received, SavedErrno};

/// Sets up all signals that nginx handles or ignores.
pub fn init_signals(log: Log) -> Result {
    signals::init(log, signal_handler)
}

/// Handles a signal: sets its flag, logs it, and reaps children at SIGCHLD.
///
/// # Safety
///
/// Called by the kernel, as a handler with SA_SIGINFO.
pub unsafe extern "C" fn signal_handler(
    signo: c_int,
    info: *mut libc::siginfo_t,
    context: *mut c_void,
) {
    let _errno = SavedErrno::save();

    update_time();

    // SAFETY: `ngx_cycle` is NULL or a valid cycle: the library sets it to one
    // that is complete, and changes it before it destroys the old one.
    let log = unsafe { cycle_log(cycle()) };
    // SAFETY: the kernel passes what it has written for this signal.
    let signal = unsafe { Received::new(signo, info, context) };

    if !is_own(&signal) {
        signals::received(&GLOBALS, log, signo, signal.sender);
    }

    after_signal(&GLOBALS, log, &signal);
}
