//! The signal handler of the library. The kernel calls it for every signal that
//! the library handles.

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
use crate::table::stats;

/// Sets the action of each signal that nginx handles or ignores, as
/// sigaction(2) does. A program does so once, when it starts.
pub fn init_signals(log: Log) -> Result {
    stats::begin(&GLOBALS);
    signals::init(log, signal_handler)
}

/// Handles a signal: sets the flag of the signal, logs the signal, and at
/// SIGCHLD reaps the children that have exited.
///
/// # Safety
///
/// Only the kernel calls this function, as a signal handler with SA_SIGINFO.
pub unsafe extern "C" fn signal_handler(
    signo: c_int,
    info: *mut libc::siginfo_t,
    context: *mut c_void,
) {
    let _errno = SavedErrno::save();
    #[cfg(feature = "standalone")]
    let _paused = super::standalone::report::pause();

    update_time();

    // SAFETY: `ngx_cycle` is NULL or a valid cycle, because the library stores
    // a cycle in `ngx_cycle` only when the cycle is complete, and stores the
    // new cycle before it destroys the old one.
    let log = unsafe { cycle_log(cycle()) };
    // SAFETY: the kernel calls this function, and passes a `siginfo_t` and a
    // context that it has filled in for this signal.
    let signal = unsafe { Received::new(signo, info, context) };

    if !is_own(&signal) {
        signals::received(&GLOBALS, log, signo, signal.sender);
    }

    after_signal(&GLOBALS, log, &signal);
}
