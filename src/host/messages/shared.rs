//! The shared memory of the messages, and the slot of this process.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

use super::table;
use super::variables::{ngx_parent, ngx_pid};
use crate::config::ngx_pid_t;
use crate::message::layout::Layout;
use crate::message::mapped::Mapped;
use crate::message::peers::{self, State};
use crate::message::words::{pair, unpair};
use crate::messaging::statistics::Source;
use crate::sys::lock::Lock;
use crate::table::globals::own_pid;
use crate::table::slot::Slot;

/// The shared memory of the program. It is never unmapped.
#[derive(Clone, Copy)]
pub struct Region {
    /// The lanes and pools, with the wake-up descriptors.
    pub memory: &'static Mapped,
    /// The board.
    pub board: &'static Mapped,
    /// The layout of `memory`.
    pub layout: Layout,
    /// The master of this process's binary, which has made or inherited the memory.
    pub master_pid: ngx_pid_t,
    /// The slot and the incarnation of this master.
    pub master: (u32, u32),
}

static REGION: Lock<Option<Region>> = Lock::new(None);
/// In the master: the slot plus 1 and the incarnation of the process that it forks
/// next; 0: none. A child has a copy, and finds its own slot there.
static NEXT: AtomicU64 = AtomicU64::new(0);

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
pub fn set_next(next: Option<(u32, u32)>) {
    let word = next.map_or(0, |(slot, incarnation)| pair(slot + 1, incarnation));

    NEXT.store(word, Relaxed);
}

/// In the master: whether it has started a process that has messages.
pub fn has_started() -> bool {
    NEXT.load(Relaxed) != 0
}

impl Region {
    /// The slot and the incarnation of this process; `None` if the master has not
    /// started this process, or if the region has no room for it.
    pub fn own(&self) -> Option<(u32, u32)> {
        if self.is_mine() {
            return Some(self.master);
        }

        let (slot, incarnation) = unpair(NEXT.load(Relaxed));
        let is_child = ngx_parent.load(Relaxed) == self.master_pid;

        slot.checked_sub(1)
            .filter(|_| is_child)
            .map(|slot| (slot, incarnation))
    }

    /// Where the numbers of messages are.
    pub fn source(&self) -> Source<'_, &'static Mapped> {
        Source {
            board: &self.board,
            slots: self.layout.sizes.slots,
        }
    }

    /// The slot of the region that the process in a slot of the process table has;
    /// `None` if it has none. Only the master has the table, so the others search
    /// in the region.
    pub fn slot_of(&self, place: Slot) -> Option<u32> {
        if self.is_mine() {
            return table::get(place).map(|held| held.slot);
        }

        let wanted = u32::try_from(place.index()).ok();

        (0..self.layout.sizes.slots).find(|&slot| {
            peers::peer(&self.memory, &self.layout, slot).is_some_and(|peer| {
                let is_used = peer.state.is_alive() || peer.state == State::Awaited;

                is_used && peer.identity.master == self.master && peer.identity.place == wanted
            })
        })
    }

    /// Whether this process gives slots to the others.
    pub fn is_mine(&self) -> bool {
        own_pid(&ngx_pid) == self.master_pid
    }
}
