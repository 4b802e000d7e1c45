//! The functions of this host that the core calls, through `GLOBALS`.

use std::os::fd::RawFd;

use super::variables;
use crate::config::ngx_pid_t;

/// Does nothing, because the library closes only descriptors that nginx's event
/// loop does not watch.
pub fn closing(_fd: RawFd) {}

/// Does nothing in a new child: nginx's master has no event loop.
pub fn forked() {}

/// Is called when a child has been reaped: releases the locks that the child held.
pub fn exited(pid: ngx_pid_t) {
    variables::ngx_ipc_process_exited(pid);
}
