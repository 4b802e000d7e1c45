//! The functions of this host that the core calls, through `GLOBALS`.

use std::os::fd::RawFd;

use super::variables;
use crate::config::ngx_pid_t;
use crate::host::messages::region;
pub use crate::host::messages::region::{gone, starting};
use crate::table::globals::Globals;
use crate::table::slots::{Flag, ngx_process_t};

/// Does nothing, because the library closes only descriptors that nginx's event
/// loop does not watch.
pub fn closing(_fd: RawFd) {}

/// Does nothing in a new child: nginx's master has no event loop.
pub fn forked() {}

/// A child has been reaped: releases the locks that it held, and recovers its
/// messages.
pub fn exited(g: &Globals, pid: ngx_pid_t) {
    variables::ngx_ipc_process_exited(pid);

    if let Some((slot, entry)) = g.table.find(pid) {
        region::gone(slot, will_be_replaced(g, entry));
    }
}

/// Whether nginx's `ngx_reap_children()` starts the process again.
fn will_be_replaced(g: &Globals, entry: &ngx_process_t) -> bool {
    entry.is(Flag::Respawn) && !entry.is(Flag::Exiting) && !g.leaving()
}
