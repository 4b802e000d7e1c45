//! `ngx_times.h`: the cached time.

use crate::host::standalone::times;

/// Initialises the cached time. A program calls this function before it writes
/// the first log line.
///
/// # References
///
/// nginx's `src/core/ngx_times.c`.
#[unsafe(no_mangle)]
pub extern "C" fn ngx_time_init() {
    times::update();
}

/// Updates the cached time. The event loop calls this function in each round.
#[unsafe(no_mangle)]
pub extern "C" fn ngx_time_update() {
    times::update();
}

/// Updates the cached time of day, with which log lines begin, but not
/// ngx_current_msec. The function is async-signal-safe.
#[unsafe(no_mangle)]
pub extern "C" fn ngx_time_sigsafe_update() {
    times::update_in_signal_handler();
}
