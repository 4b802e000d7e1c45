//! `ngx_times.h`: the time.

use crate::host::standalone::times;

/// Initialises the cached time. A program calls it before it logs anything.
///
/// # References
///
/// nginx's `src/core/ngx_times.c`.
#[unsafe(no_mangle)]
pub extern "C" fn ngx_time_init() {
    times::update();
}

/// Updates the cached time; the event loop does so in each round.
#[unsafe(no_mangle)]
pub extern "C" fn ngx_time_update() {
    times::update();
}

/// Updates the cached time of day, which log lines begin with, but not
/// ngx_current_msec. Async-signal-safe.
#[unsafe(no_mangle)]
pub extern "C" fn ngx_time_sigsafe_update() {
    times::update_in_signal_handler();
}
