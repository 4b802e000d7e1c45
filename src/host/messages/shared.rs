//! The shared memory of the messages, and the slot of this process.

use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;

use super::table;
use super::variables::{ngx_parent, ngx_pid};
use crate::config::ngx_pid_t;
use crate::message::identity::Identity;
use crate::message::layout::Layout;
use crate::message::lineage::Lineage;
use crate::message::mapped::Mapped;
use crate::message::member::Member;
use crate::message::peers::{self, State};
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
    /// The master of this process's binary, which has made or inherited the memory;
    /// `HAS_LEFT` if that master has given back its slot, `NOT_A_MEMBER` if it has none.
    pub master_pid: ngx_pid_t,
    /// The slot and the incarnation of this master.
    pub master: (u32, u32),
}

/// What a process is. A process knows this from its master, and not from the region,
/// which others can overwrite.
#[derive(Clone, Copy)]
pub struct Own {
    /// The slot of the region.
    pub slot: u32,
    /// The number of the process in the slot, and those that it replaces.
    pub lineage: Lineage,
    /// The identity.
    pub identity: Identity,
}

/// No process has this pid, and it is no result of `getppid(2)` either, as 0 is.
const HAS_LEFT: ngx_pid_t = -1;
/// In place of the pid of a master that makes the memory for its children only, and in
/// such a child before [`join`].
#[cfg(not(feature = "standalone"))]
pub const NOT_A_MEMBER: ngx_pid_t = -2;

static REGION: Lock<Option<Region>> = Lock::new(None);
/// Whether `REGION` is set. It can be read without the lock.
static IS_SET: AtomicBool = AtomicBool::new(false);
/// What the master is.
static MASTER: Lock<Option<Own>> = Lock::new(None);
/// In the master: what the process is that it forks next; `None`: that process has no
/// messages. A child has a copy, and finds there what it is.
static NEXT: Lock<Option<Own>> = Lock::new(None);

/// The shared memory; `None` if the program has no messages.
pub fn get() -> Option<Region> {
    *REGION.lock()
}

/// Keeps the shared memory that the master has made, and what the master is; `None`: it
/// has no messages, see `NOT_A_MEMBER`.
pub fn set(region: Region, master: Option<Own>) {
    *MASTER.lock() = master;
    *REGION.lock() = Some(region);
    IS_SET.store(true, Relaxed);
}

/// In a child of a master that has no messages: keeps what this process is.
#[cfg(not(feature = "standalone"))]
pub fn join(master_pid: ngx_pid_t, own: Own) {
    if let Some(region) = REGION.lock().as_mut() {
        region.master_pid = master_pid;
    }

    *NEXT.lock() = Some(own);
}

/// Whether the program has messages. An event loop asks this in each round.
#[cfg(feature = "standalone")]
pub fn is_set() -> bool {
    IS_SET.load(Relaxed)
}

/// The master continues in a child, with another pid.
#[cfg(feature = "standalone")]
pub fn moved(master_pid: ngx_pid_t) {
    if let Some(region) = REGION.lock().as_mut() {
        region.master_pid = master_pid;
    }
}

/// The master has given back its slot, which another process can have now. So this
/// process, and the processes that it forks from now on, use the memory no more, except
/// to read the numbers of messages.
pub fn leave() {
    if let Some(region) = REGION.lock().as_mut() {
        region.master_pid = HAS_LEFT;
    }
}

/// Whether this process, or the process that has forked it, was a master that has given
/// back its slot before.
pub fn has_left() -> bool {
    get().is_some_and(|region| region.master_pid == HAS_LEFT)
}

/// In the master, before a fork: keeps what the child is; `None` if it has no
/// messages.
pub fn set_next(next: Option<Own>) {
    *NEXT.lock() = next;
}

/// In the master: whether it has started a process that has messages.
pub fn has_started() -> bool {
    NEXT.lock().is_some()
}

impl Region {
    /// What this process is; `None` if the master has not started this process, or if
    /// the region has no room for it.
    pub fn own(&self) -> Option<Own> {
        if self.is_mine() {
            return *MASTER.lock();
        }

        let is_child = ngx_parent.load(Relaxed) == self.master_pid;

        NEXT.lock().filter(|_| is_child)
    }

    /// The process in the region.
    pub fn member(&self, own: &Own) -> Member<&'static Mapped> {
        Member {
            memory: self.memory,
            layout: self.layout,
            slot: own.slot,
            incarnation: own.lineage.incarnation,
            line: own.lineage.line,
            identity: own.identity,
        }
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
