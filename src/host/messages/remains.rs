//! When a master gives back what the processes of another binary have left.

use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;

use super::shared::{self, Region};
use super::{local, table};
use crate::config::AtomicPid;
use crate::message::remains::Remains;
use crate::sys::process;

/// In a new binary: the pid of the old binary's master; 0 if it is dead.
static PARENT: AtomicPid = AtomicPid::new(0);
/// Whether processes of a dead master still run.
static HAS_LEFT: AtomicBool = AtomicBool::new(false);

/// In a new binary: makes the kernel send SIGCHLD when the old binary's master dies,
/// so that [`look`] is called.
pub fn follow_parent() {
    PARENT.store(process::getppid(), Relaxed);
    process::signal_at_parents_death(libc::SIGCHLD);
    // The parent can be dead already, and then the pid is that of another process.
    give_back();
}

/// In a master that a signal has woken up: looks whether the old binary's master is
/// dead.
#[inline]
pub fn look() {
    let parent = PARENT.load(Relaxed);

    if parent != 0 && process::getppid() != parent {
        PARENT.store(0, Relaxed);
        give_back();
    }
}

/// Looks whether the processes that a dead master has left are dead now.
pub fn look_again() {
    if HAS_LEFT.load(Relaxed) {
        give_back();
    }
}

/// In a master: recovers the slots of dead processes whose master is dead.
pub fn give_back() {
    let Some(region) = shared::get().filter(Region::is_mine) else {
        return;
    };
    let used = table::used(region.masters.0);
    let found = Remains {
        memory: &region.memory,
        layout: &region.layout,
        own: region.masters,
        is_mine: &|slot| used.has(slot),
        is_alive: &|pid| !process::has_exited(pid),
    }
    .give_back();

    HAS_LEFT.store(found.has_left, Relaxed);

    if found.has_left {
        local::look_later();
    }

    if found.freed > 0 {
        local::announce_change();
    }
}
