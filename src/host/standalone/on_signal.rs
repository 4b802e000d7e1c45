//! What the signal handler does in this host. All of it is async-signal-safe.

use std::sync::atomic::Ordering::Relaxed;

use super::times;
use super::types::ngx_cycle_t;
use super::variables::ngx_cycle;
use super::wake_up::wake_up;
use crate::host::introspect;
use crate::log::Log;
use crate::process::signals;
use crate::sys::signal::Received;
use crate::table::globals::Globals;

/// The cycle that the handler logs to, or NULL.
pub fn cycle() -> *mut ngx_cycle_t {
    ngx_cycle.load(Relaxed)
}

/// Updates the time that log lines show.
pub fn update_time() {
    times::update_in_signal_handler();
}

/// Whether a signal is sent by the host to itself: this host sends none.
pub fn is_own(_signal: &Received) -> bool {
    false
}

/// Makes the event loop return, so that the program sees the signal's flag.
pub fn after_signal(_g: &Globals, _log: Log, signal: &Received) {
    if signals::is_status_signal(signal.signo) {
        introspect::request_list();
    }

    wake_up();
}
