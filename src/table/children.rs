//! The processes of the table that this process has started. The table of a
//! worker also has the other workers, which the master has started.

use std::sync::atomic::Ordering::Relaxed;

use super::globals::Globals;
use super::slot::{NGX_MAX_PROCESSES, Slot};
use super::slots::{Flag, ngx_process_t};
use crate::config::{AtomicPid, ngx_pid_t};
use crate::sys::process;

/// The pid of the child that was started last in each slot; 0: none.
static CHILDREN: [AtomicPid; NGX_MAX_PROCESSES] = [const { AtomicPid::new(0) }; NGX_MAX_PROCESSES];
/// The pid of the process that has started the children. A child inherits a copy
/// of `CHILDREN`, which has the children of its parent.
static OWNER: AtomicPid = AtomicPid::new(0);

/// Records that this process has started the process `pid` in `slot`.
pub fn keep(g: &Globals, slot: Slot, pid: ngx_pid_t) {
    let own = g.own_pid();

    if OWNER.swap(own, Relaxed) != own {
        for child in &CHILDREN {
            child.store(0, Relaxed);
        }
    }

    if let Some(child) = CHILDREN.get(slot.index()) {
        child.store(pid, Relaxed);
    }
}

/// Whether this process has started a process. A worker mostly has not, so its event
/// loop does not look for children.
#[inline]
pub fn may_exist(g: &Globals) -> bool {
    let owner = OWNER.load(Relaxed);

    owner != 0 && owner == g.own_pid()
}

/// The slots that have a child of this process, below `ngx_last_process`. The
/// child may have exited.
pub fn iter(g: &Globals) -> impl Iterator<Item = (Slot, &'static ngx_process_t)> + use<> {
    // In a process that was forked without the library, `ngx_pid` can be the pid
    // of the parent. So the function also calls `getpid(2)`.
    let is_owner = may_exist(g) && OWNER.load(Relaxed) == process::getpid();

    g.table
        .iter()
        .filter(move |&(slot, entry)| is_owner && entry.occupied() && is_child(slot, entry))
}

/// The slots whose child has not been reaped, as far as the library knows.
pub fn unreaped(g: &Globals) -> impl Iterator<Item = (Slot, &'static ngx_process_t)> + use<> {
    iter(g).filter(|(_, entry)| !entry.is(Flag::Exited))
}

fn is_child(slot: Slot, entry: &ngx_process_t) -> bool {
    CHILDREN
        .get(slot.index())
        .is_some_and(|child| child.load(Relaxed) == entry.pid())
}
