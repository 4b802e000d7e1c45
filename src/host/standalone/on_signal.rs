//! The functions of this host that the signal handler calls. All of them are
//! async-signal-safe.

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

/// The cycle to whose log the signal handler writes, or NULL.
pub fn cycle() -> *mut ngx_cycle_t {
    ngx_cycle.load(Relaxed)
}

/// Updates the time that log lines show.
pub fn update_time() {
    times::update_in_signal_handler();
}

/// Whether the host has sent the signal to its own process. This host sends no
/// such signals.
pub fn is_own(_signal: &Received) -> bool {
    false
}

/// Wakes up the event loop, so that the program sees the flag that the signal
/// handler has set.
pub fn after_signal(_g: &Globals, _log: Log, signal: &Received) {
    if signals::is_status_signal(signal.signo) {
        introspect::request_list();
    }

    wake_up();
}
