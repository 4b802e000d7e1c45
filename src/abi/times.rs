//! `ngx_times.h`: the time.

use crate::host::standalone::times;

/// Reads the time for the first time; to be called before anything is logged.
///
/// # References
///
/// nginx's `src/core/ngx_times.c`.
#[unsafe(no_mangle)]
pub extern "C" fn ngx_time_init() {
    times::update();
}

/// Updates the time; the event loop does so whenever it wakes up.
#[unsafe(no_mangle)]
pub extern "C" fn ngx_time_update() {
    times::update();
}

/// Updates the time that log lines begin with; for signal handlers.
#[unsafe(no_mangle)]
pub extern "C" fn ngx_time_sigsafe_update() {
    times::update_in_signal_handler();
}
