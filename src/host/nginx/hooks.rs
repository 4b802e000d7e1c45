//! The functions of this host that the core calls, through `GLOBALS`.

use std::os::fd::RawFd;

use super::variables;
use crate::config::ngx_pid_t;
use crate::log::Log;
use crate::table::globals::Globals;
use crate::table::slot::Slot;

/// Does nothing, because the library closes only descriptors that nginx's event
/// loop does not watch.
pub fn closing(_fd: RawFd) {}

/// Does nothing in a new child: nginx's master has no event loop.
pub fn forked() {}

/// Is called when a child has been reaped: releases the locks that the child held.
pub fn exited(pid: ngx_pid_t) {
    variables::ngx_ipc_process_exited(pid);
}

/// Does nothing when a process is about to be started: this host has no
/// messages yet.
pub fn starting(_g: &Globals, _log: Log, _slot: Slot, _again: bool) {}

/// Does nothing when a process is dead: this host has no messages yet.
pub fn gone(_slot: Slot, _awaited: bool) {}
