//! Stops or aborts the process for a debugger, as nginx's directive
//! `debug_points` does. The headers get the numbers of `debug_points` from this
//! file.

use std::sync::atomic::Ordering::Relaxed;

use super::variables::ngx_ipc_debug_points;
use crate::sys::{process, signal};

/// ngx_debug_point() stops the process.
pub const NGX_DEBUG_POINTS_STOP: usize = 1;
/// ngx_debug_point() aborts the process.
pub const NGX_DEBUG_POINTS_ABORT: usize = 2;

/// Stops the process, aborts it, or does nothing, as `ngx_ipc_debug_points`
/// says.
pub fn debug_point() {
    match ngx_ipc_debug_points.load(Relaxed) {
        NGX_DEBUG_POINTS_STOP => signal::raise(libc::SIGSTOP),
        NGX_DEBUG_POINTS_ABORT => process::abort(),
        _ => {}
    }
}
