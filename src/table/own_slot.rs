//! The slot of this process in the process table.
//!
//! When the library starts a process, the variable `ngx_process_slot` contains
//! the slot of the new process. If the new process starts another process, the
//! variable changes. So the new process stores its own slot here first.

use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;

use super::globals::Globals;
use super::slot::Slot;
use crate::config::AtomicPid;

/// The slot of the process `OWNER`.
static SLOT: AtomicUsize = AtomicUsize::new(0);
/// The pid of the process that has called [`keep`]. A process that was forked
/// without the library inherits the pid of another process here.
static OWNER: AtomicPid = AtomicPid::new(0);

/// In a new child: stores the child's own slot. The caller has set `ngx_pid`.
pub fn keep(g: &Globals, slot: Slot) {
    SLOT.store(slot.index(), Relaxed);
    OWNER.store(g.own_pid(), Relaxed);
}

/// Returns the slot of this process. If this library has not started this
/// process, returns `ngx_process_slot`.
pub fn get(g: &Globals) -> Slot {
    if is_child(g) {
        Slot::new(SLOT.load(Relaxed))
    } else {
        g.process_slot()
    }
}

/// Whether this library has started this process.
pub fn is_child(g: &Globals) -> bool {
    OWNER.load(Relaxed) == g.own_pid()
}
