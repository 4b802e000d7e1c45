//! The handler of all signals that the library sets up.

use std::ffi::{c_int, c_void};

use super::globals::GLOBALS;
use super::logs::{cycle_log, log_of};
use super::{after_signal, cycle, is_own, ngx_log_t, update_time};
use crate::config::ngx_int_t;
use crate::process::signals;
use crate::status::code;
use crate::sys::signal::{Received, SavedErrno};

/// The same for a host that has its own part in it.
///
/// # Safety
///
/// As of `ngx_init_signals`.
pub unsafe fn init_signals(log: *mut ngx_log_t) -> ngx_int_t {
    // SAFETY: promised by the caller.
    code(signals::init(unsafe { log_of(log) }, signal_handler))
}

/// What the kernel calls.
///
/// # Safety
///
/// As a handler with SA_SIGINFO.
pub unsafe extern "C" fn signal_handler(
    signo: c_int,
    info: *mut libc::siginfo_t,
    context: *mut c_void,
) {
    let _errno = SavedErrno::save();

    update_time();

    // SAFETY: ngx_cycle is NULL or valid, as its owner sees to.
    let log = unsafe { cycle_log(cycle()) };
    // SAFETY: all of it is the kernel's.
    let signal = unsafe { Received::new(signo, info, context) };

    if !is_own(&signal) {
        signals::received(&GLOBALS, log, signo, signal.sender);
    }

    after_signal(&GLOBALS, log, &signal);
}
