//! The functions of this host that the core calls through `GLOBALS`.

use std::os::fd::RawFd;

use super::{connections, event_loop, posted};
use crate::config::ngx_pid_t;
pub use crate::host::messages::region::{gone, starting};
use crate::table::globals::Globals;
use crate::table::slot::Slot;

/// Removes a descriptor from the event loop. The core calls this function
/// before it closes the descriptor.
pub fn closing(fd: RawFd) {
    connections::forget(fd);
}

/// Closes what a new child has inherited of its parent's event loop, and drops the
/// parent's posted events. Async-signal-safe.
pub fn forked() {
    event_loop::close_parents();
    posted::forget();
}

/// Does nothing when a child has been reaped: this host has no locks that the
/// child could have left locked.
pub fn exited(_g: &Globals, _slot: Option<Slot>, _pid: ngx_pid_t) {}
