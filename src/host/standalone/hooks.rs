//! The functions of this host that the core calls through `GLOBALS`.

use std::os::fd::RawFd;

use super::connections;
use crate::config::ngx_pid_t;
pub use crate::host::messages::region::{gone, starting};

/// Removes a descriptor from the event loop. The core calls this function
/// before it closes the descriptor.
pub fn closing(fd: RawFd) {
    connections::forget(fd);
}

/// Does nothing when a child has been reaped: this host has no locks that the
/// child could have left locked.
pub fn exited(_pid: ngx_pid_t) {}
