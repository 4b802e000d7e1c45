//! The receivers and the senders of messages.

use crate::host::messages::types::{self, ngx_ipc_peer_t, ngx_ipc_to_t};

/// The address of one process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct To(pub(super) ngx_ipc_to_t);

impl To {
    /// The master: the process that has spawned the others.
    pub const MASTER: Self = Self(types::NGX_IPC_TO_MASTER);

    /// The worker with this number of a [`Server`](super::Server), or its replacement.
    #[must_use]
    pub fn worker(number: u32) -> Self {
        Self(types::NGX_IPC_TO_WORKER_0 + u64::from(number))
    }

    /// The process in this slot of the process table, or its replacement.
    #[must_use]
    pub fn slot(slot: usize) -> Self {
        // The table has far fewer slots. No process has the slot u32::MAX - 1.
        let slot = u32::try_from(slot).unwrap_or(u32::MAX - 1);

        Self(types::NGX_IPC_TO_SLOT_0 + u64::from(slot))
    }

    /// The process of the set that has the fewest messages to handle.
    #[must_use]
    pub fn one_of(set: Set) -> Self {
        Self(types::NGX_IPC_TO_ONE_OF_0 + set.0 as u64)
    }
}

/// A set of processes. `|` joins two sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Set(pub(super) usize);

impl Set {
    /// The workers of a [`Server`](super::Server), without the sender.
    pub const WORKERS: Self = Self(types::NGX_IPC_WORKERS);
    /// The master.
    pub const MASTER: Self = Self(types::NGX_IPC_MASTER);
    /// The processes of [`Program::spawn`](super::Program::spawn) and
    /// [`Program::keep`](super::Program::keep), without the sender.
    pub const SPAWNED: Self = Self(types::NGX_IPC_OTHERS);
    /// Added to a set: the sender too, if the set has its role.
    pub const SELF: Self = Self(types::NGX_IPC_SELF);
    /// Added to a set: after a reload, the old workers too.
    pub const ALL_GENERATIONS: Self = Self(types::NGX_IPC_ALL_GENERATIONS);
}

impl std::ops::BitOr for Set {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// The sender of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    to: To,
    slot: Option<usize>,
    worker: Option<u32>,
}

impl Peer {
    pub(super) fn new(peer: &ngx_ipc_peer_t) -> Self {
        Self {
            to: To(peer.to),
            slot: usize::try_from(peer.slot).ok(),
            worker: u32::try_from(peer.worker).ok(),
        }
    }

    /// Returns the address of this process and no other.
    #[must_use]
    pub fn to(&self) -> To {
        self.to
    }

    /// Returns the slot of the process; `None`: it is a master.
    #[must_use]
    pub fn slot(&self) -> Option<usize> {
        self.slot
    }

    /// Returns the number of the worker; `None`: the process is no worker of a
    /// [`Server`](super::Server).
    #[must_use]
    pub fn worker(&self) -> Option<u32> {
        self.worker
    }
}
