//! When a master recovers the slots of dead processes whose master is dead, too.

use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;

use super::shared::{self, Region};
use super::variables::has_member_as_master;
use super::{leftover, local, slot_lock, table};
use crate::config::AtomicPid;
use crate::message::orphans::{Found, Orphans};
use crate::message::peers::{self, State};
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
    if !has_member_as_master() {
        return recover_in_child();
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
    let is_mine = |slot| used.has(slot) || leftover::has_claimed(slot);
    let found = look_for(&region, region.master, &is_mine);

    HAS_LEFT.store(found.has_left, Relaxed);

    if found.has_left {
        local::look_later();
    }

    tell(found);
}

/// In a master that does not use the region, while it holds the lock of the slots:
/// recovers the slots of all dead processes, other than those that a process takes over
/// which nginx has started already. nginx starts no others again.
#[cfg(not(feature = "standalone"))]
pub fn recover_in_master(region: &Region, is_awaited: &dyn Fn(u32) -> bool) {
    look_for(region, region.master, &|slot| {
        slot == region.master.0 || is_awaited(slot)
    });
}

/// In a child of such a master: recovers the slots of dead processes that get no
/// replacement, those of older configurations. If the master is dead, no process gets one.
///
/// A process that was killed while it took over a slot can have left an identity from which
/// its generation is not known. This function keeps such a slot while the master lives: a
/// replacement takes it over, or the master recovers it.
fn recover_in_child() {
    let Some((region, own)) = shared::get().and_then(|region| Some((region, region.own()?))) else {
        return;
    };
    let has_master = process::getppid() == region.master_pid;
    let is_kept = |slot| {
        let peer = peers::dead_peer(&region.memory, &region.layout, slot);
        let gets_replacement = peer.is_some_and(|peer| {
            let identity = peer.identity;
            let is_newer = identity.generation >= own.identity.generation;

            peer.state != State::Claimed && (is_newer || identity.is_unknown())
        });

        slot == region.master.0
            || slot == own.slot
            || leftover::has_claimed(slot)
            || gets_replacement && has_master
    };

    // Usually no process is dead, and this one need not take the lock.
    if !is_any_dead(&region, &is_kept) {
        return;
    }

    let claimant = (own.slot, own.lineage.incarnation);

    match slot_lock::try_with(|| look_for(&region, claimant, &is_kept)) {
        Some(found) => tell(found),
        None => local::look_later(),
    }
}

fn look_for(region: &Region, own: (u32, u32), is_mine: &dyn Fn(u32) -> bool) -> Found {
    Orphans {
        memory: &region.memory,
        layout: &region.layout,
        own,
        is_mine,
        is_alive: &|pid| !process::has_exited(pid),
    }
    .recover()
}

/// Whether a slot that is not kept has a process that is dead.
fn is_any_dead(region: &Region, is_kept: &impl Fn(u32) -> bool) -> bool {
    let (memory, layout) = (&region.memory, &region.layout);

    (0..layout.sizes.slots)
        .filter(|&slot| peers::state(memory, layout, slot).0 != State::Vacant && !is_kept(slot))
        .any(|slot| peers::pid(memory, layout, slot).is_none_or(process::has_exited))
}

/// Tells the program and the other processes what was found.
fn tell(found: Found) {
    if found.freed > 0 {
        local::with(|own| own.add_all_vacant());
        local::announce_change();
    }
}
