//! The slot of this process.
//!
//! A child finds it in `ngx_process_slot` when it starts. When it starts a
//! process itself, that variable names the slot of the new process.

use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;

use super::globals::Globals;
use super::slot::Slot;
use crate::config::AtomicPid;

static SLOT: AtomicUsize = AtomicUsize::new(0);
/// The process that `SLOT` is about.
static OWNER: AtomicPid = AtomicPid::new(0);

/// In a new child, whose `ngx_pid` is set: keeps its slot.
pub fn keep(g: &Globals, slot: Slot) {
    SLOT.store(slot.index(), Relaxed);
    OWNER.store(g.own_pid(), Relaxed);
}

/// The slot of this process; `ngx_process_slot` if this library has not started
/// it.
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
