//! The functions of this host that the core calls, through `GLOBALS`.

use std::os::fd::RawFd;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;

use super::{doorbell, variables};
use crate::config::ngx_pid_t;
use crate::host::messages::region;
pub use crate::host::messages::region::starting;
use crate::table::globals::Globals;
use crate::table::slot::Slot;
use crate::table::slots::{Flag, ngx_process_t};

/// Whether the master retries the start that it tries now, if it fails.
static IS_RETRIED: AtomicBool = AtomicBool::new(false);

/// Sets whether the master retries the start that it tries now, if it fails.
pub fn set_retried(is_retried: bool) {
    IS_RETRIED.store(is_retried, Relaxed);
}

/// The process of a slot is dead, or could not be started. `awaited` says whether
/// it will be replaced. A process whose start is retried gets what is sent to it
/// meanwhile.
pub fn gone(slot: Slot, awaited: bool) {
    region::gone(slot, awaited || IS_RETRIED.load(Relaxed));
}

/// Does nothing, because the library closes only descriptors that nginx's event
/// loop does not watch.
pub fn closing(_fd: RawFd) {}

/// In a new child: closes the socket that wakes up the master.
pub fn forked() {
    doorbell::close();
}

/// A child has been reaped: releases the locks that it held, and recovers its
/// messages.
pub fn exited(g: &Globals, slot: Option<Slot>, pid: ngx_pid_t) {
    variables::ngx_ipc_process_exited(pid);

    if let Some(slot) = slot {
        region::gone(slot, will_be_replaced(g, g.table.get(slot)));
    }
}

/// Whether nginx's `ngx_reap_children()` starts the process again.
fn will_be_replaced(g: &Globals, entry: &ngx_process_t) -> bool {
    entry.is(Flag::Respawn) && !entry.is(Flag::Exiting) && !g.leaving()
}
