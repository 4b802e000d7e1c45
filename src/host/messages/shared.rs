//! The shared memory of the messages, and the slot of this process.

use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Relaxed;

use super::variables::{ngx_parent, ngx_pid};
use crate::config::ngx_pid_t;
use crate::message::layout::Layout;
use crate::message::mapped::Mapped;
use crate::sys::lock::Lock;
use crate::table::globals::own_pid;
use crate::table::slot::Slot;

/// The slot of the master.
pub const MASTER: u32 = 0;

/// The shared memory of the program. It is never unmapped.
#[derive(Clone, Copy)]
pub struct Region {
    /// The lanes and pools, with the wake-up descriptors.
    pub memory: &'static Mapped,
    /// The board.
    pub board: &'static Mapped,
    /// The layout of `memory`.
    pub layout: Layout,
    /// The process that has made the memory.
    pub master: ngx_pid_t,
}

static REGION: Lock<Option<Region>> = Lock::new(None);
/// In the master: the slot of the process that it forks next. A child has a copy,
/// and finds its own slot there.
static NEXT: AtomicU32 = AtomicU32::new(u32::MAX);

/// The shared memory; `None` if the program has no messages.
pub fn get() -> Option<Region> {
    *REGION.lock()
}

/// Keeps the shared memory that the master has made.
pub fn set(region: Region) {
    *REGION.lock() = Some(region);
}

/// In the master, before a fork: keeps the slot of the child, `None` if it has no
/// messages.
pub fn set_next(slot: Option<u32>) {
    NEXT.store(slot.unwrap_or(u32::MAX), Relaxed);
}

impl Region {
    /// The slot of this process; `None` if the master has not started this
    /// process, or if the region has no room for it.
    pub fn own_slot(&self) -> Option<u32> {
        if self.is_mine() {
            return Some(MASTER);
        }

        let next = NEXT.load(Relaxed);
        let is_child = ngx_parent.load(Relaxed) == self.master;

        (is_child && next != u32::MAX).then_some(next)
    }

    /// The slot of the region for a slot of the process table; `None` if there is
    /// no room.
    pub fn slot_of(&self, slot: Slot) -> Option<u32> {
        u32::try_from(slot.index() + 1)
            .ok()
            .filter(|&slot| slot < self.layout.sizes.slots)
    }

    /// Whether this process gives slots to the others.
    pub fn is_mine(&self) -> bool {
        own_pid(&ngx_pid) == self.master
    }
}
