//! What the core calls in this host, through `GLOBALS`.

use std::os::fd::RawFd;

use super::connections;
use crate::config::ngx_pid_t;

/// Makes the event loop forget a descriptor that is about to be closed.
pub fn closing(fd: RawFd) {
    connections::forget(fd);
}

/// A child has been reaped. This host has no locks that it could have held.
pub fn exited(_pid: ngx_pid_t) {}
