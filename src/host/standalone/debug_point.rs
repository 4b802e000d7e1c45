//! Stopping the process for a debugger where nginx's `debug_points` directive
//! asks for it. The headers get its numbers from here.

use std::sync::atomic::Ordering::Relaxed;

use super::variables::ngx_ipc_debug_points;
use crate::sys::{process, signal};

/// ngx_debug_point() stops the process.
pub const NGX_DEBUG_POINTS_STOP: usize = 1;
/// ngx_debug_point() aborts the process.
pub const NGX_DEBUG_POINTS_ABORT: usize = 2;

/// Does what `ngx_ipc_debug_points` asks for.
pub fn debug_point() {
    match ngx_ipc_debug_points.load(Relaxed) {
        NGX_DEBUG_POINTS_STOP => signal::raise(libc::SIGSTOP),
        NGX_DEBUG_POINTS_ABORT => process::abort(),
        _ => {}
    }
}
