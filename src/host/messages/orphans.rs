//! When a master recovers the slots of dead processes whose master is dead, too.

use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;

use super::shared::{self, Region};
use super::{leftover, local, table};
use crate::config::AtomicPid;
#[cfg(not(feature = "standalone"))]
use crate::host::nginx::loaded;
use crate::message::orphans::Orphans;
use crate::sys::process;

/// In a new binary: the pid of the old binary's master; 0 if it is dead.
static PARENT: AtomicPid = AtomicPid::new(0);
/// Whether processes of a dead master still run.
static HAS_LEFT: AtomicBool = AtomicBool::new(false);

/// Makes the kernel send SIGCHLD to the new binary's master when the old binary's
/// master dies. Then the new master calls [`look`].
pub fn follow_parent() {
    PARENT.store(process::getppid(), Relaxed);
    process::signal_at_parents_death(libc::SIGCHLD);
    // The parent can be dead already, and then the pid is that of another process.
    recover();
}

/// Looks whether the old binary's master is dead. A master calls this after each
/// signal.
#[inline]
pub fn look() {
    let parent = PARENT.load(Relaxed);

    if parent != 0 && process::getppid() != parent {
        PARENT.store(0, Relaxed);
        recover();
    }
}

/// Looks whether the processes of a dead master, which still ran at the last look, are
/// dead now.
pub fn look_again() {
    #[cfg(not(feature = "standalone"))]
    if loaded::is_on() {
        return loaded::look();
    }

    if HAS_LEFT.load(Relaxed) {
        recover();
    }
}

/// Recovers the slots of dead processes whose master is dead. Does nothing if this
/// process is not a master.
pub fn recover() {
    let Some(region) = shared::get().filter(Region::is_mine) else {
        return;
    };
    let used = table::used(region.master.0);
    let found = Orphans {
        memory: &region.memory,
        layout: &region.layout,
        own: region.master,
        is_mine: &|slot| used.has(slot) || leftover::has_claimed(slot),
        is_alive: &|pid| !process::has_exited(pid),
    }
    .recover();

    HAS_LEFT.store(found.has_left, Relaxed);

    if found.has_left {
        local::look_later();
    }

    if found.freed > 0 {
        local::with(|own| own.add_all_vacant());
        local::announce_change();
    }
}
