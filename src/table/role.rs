//! What a process is: its role, and its number among the workers. The headers
//! get the numbers of the roles from here.

use std::sync::atomic::Ordering::Relaxed;

use super::globals::Globals;
use crate::config::{ngx_int_t, ngx_uint_t};

/// Master and worker in one process.
pub const NGX_PROCESS_SINGLE: usize = 0;
/// Starts, signals and reaps the others.
pub const NGX_PROCESS_MASTER: usize = 1;
/// Sends a signal to a running master.
pub const NGX_PROCESS_SIGNALLER: usize = 2;
/// Serves clients.
pub const NGX_PROCESS_WORKER: usize = 3;
/// A process beside the workers, such as nginx's cache manager.
pub const NGX_PROCESS_HELPER: usize = 4;

/// The role of a process of the table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Role {
    /// Neither worker nor helper, or not known.
    #[default]
    Other,
    /// A worker.
    Worker,
    /// A helper.
    Helper,
}

impl Role {
    /// The role that C calls `role`; `None` if no process of the table has it.
    pub fn from_c(role: ngx_uint_t) -> Option<Self> {
        match role {
            0 => Some(Self::Other),
            NGX_PROCESS_WORKER => Some(Self::Worker),
            NGX_PROCESS_HELPER => Some(Self::Helper),
            _ => None,
        }
    }

    /// NGX_PROCESS_WORKER, NGX_PROCESS_HELPER, or 0.
    pub fn to_c(self) -> ngx_uint_t {
        match self {
            Self::Other => 0,
            Self::Worker => NGX_PROCESS_WORKER,
            Self::Helper => NGX_PROCESS_HELPER,
        }
    }
}

/// The number of a process among the workers, `ngx_worker`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorkerNumber(usize);

impl WorkerNumber {
    /// The `number`th worker; the first one is 0.
    pub fn new(number: usize) -> Self {
        Self(number)
    }

    /// The number that C passes; `None` if it is negative.
    pub fn from_c(number: ngx_int_t) -> Option<Self> {
        usize::try_from(number).ok().map(Self)
    }

    /// The number as C has it; -1 for a process that has none.
    pub fn to_c(number: Option<Self>) -> ngx_int_t {
        number.map_or(-1, |Self(number)| number.cast_signed())
    }
}

/// Whether this process is a master.
pub fn is_master(g: &Globals) -> bool {
    g.process.load(Relaxed) == NGX_PROCESS_MASTER
}

/// Whether this process is a master, or master and worker in one.
pub fn acts_as_master(g: &Globals) -> bool {
    matches!(
        g.process.load(Relaxed),
        NGX_PROCESS_MASTER | NGX_PROCESS_SINGLE
    )
}

/// Whether this process is a worker or a helper.
pub fn acts_as_worker(g: &Globals) -> bool {
    matches!(
        g.process.load(Relaxed),
        NGX_PROCESS_WORKER | NGX_PROCESS_HELPER
    )
}
