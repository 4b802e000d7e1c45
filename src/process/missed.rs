//! Finds children that have exited, if the library's handler of SIGCHLD does not
//! find them. This happens if SIGCHLD has another handler, if SIGCHLD is blocked
//! or ignored, or if other code of the program has reaped the child. Event loops
//! of other libraries are such code.

use std::sync::atomic::Ordering::Relaxed;

use nix::errno::Errno;

use super::{reap, signals};
use crate::config::{ngx_msec_t, ngx_pid_t};
use crate::log::Log;
use crate::sys::process::{self, Reaped};
use crate::table::children;
use crate::table::globals::Globals;
use crate::table::slots::Flag;

/// Reaps the children of the table whose exits the handler has missed. Other
/// children of the program are not reaped.
pub fn reap_missed(g: &Globals, log: Log) {
    let mut reaches = None;

    for (slot, entry) in children::unreaped(g) {
        let pid = entry.pid();
        let reaches = *reaches.get_or_insert_with(signals::child_signal_reaches_us);

        match status(pid, reaches) {
            Ok(Some(child)) => reap::reaped_early(g, log, child),
            // The handler can have reaped the child since the loop has found
            // the child in the table.
            Err(Errno::ECHILD) if !entry.is(Flag::Exited) => {
                reap::reaped_elsewhere(g, log, slot);
            }
            _ => {}
        }
    }
}

/// The time between two calls of [`look`] by the event loop, in milliseconds.
const INTERVAL: ngx_msec_t = 200;

/// Milliseconds until the event loop has to call [`look`]; `None` if SIGCHLD
/// reaches the library's handler, or if this process has no children.
#[inline]
pub fn next_look(g: &Globals) -> Option<ngx_msec_t> {
    if children::may_exist(g) {
        next_look_for_children(g)
    } else {
        None
    }
}

#[inline(never)]
fn next_look_for_children(g: &Globals) -> Option<ngx_msec_t> {
    let is_deaf = children::unreaped(g).next().is_some() && !signals::child_signal_reaches_us();

    is_deaf.then_some(INTERVAL)
}

/// Sets `ngx_reap` if a child of the table has exited. The event loop calls this
/// function if SIGCHLD does not reach the library's handler.
pub fn look(g: &Globals) {
    let has_exited = |pid| process::zombie(pid).is_some() || process::is_no_child(pid);

    if children::unreaped(g).any(|(_, entry)| has_exited(entry.pid())) {
        g.reap.store(1, Relaxed);
    }
}

/// Reaps the child `pid` if the child has exited. Fails with
/// ECHILD if other code has reaped the child. `reaches` tells whether SIGCHLD
/// reaches the library's handler. If it does, this function reaps nothing,
/// because the handler reaps every zombie.
fn status(pid: ngx_pid_t, reaches: bool) -> Result<Option<Reaped>, Errno> {
    if !reaches {
        return process::reap(pid);
    }

    if process::is_no_child(pid) {
        Err(Errno::ECHILD)
    } else {
        Ok(None)
    }
}
