//! The role of a process, and the number of a worker. The C headers get the
//! NGX_PROCESS_ constants from this file.

use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;

use super::globals::Globals;
use super::slot::{NGX_MAX_PROCESSES, Slot};
use crate::config::{ngx_int_t, ngx_uint_t};

/// A single process that is both master and worker.
pub const NGX_PROCESS_SINGLE: usize = 0;
/// The master: starts, signals and reaps the other processes.
pub const NGX_PROCESS_MASTER: usize = 1;
/// A process that sends a signal to a running master, as "nginx -s" does.
pub const NGX_PROCESS_SIGNALLER: usize = 2;
/// A worker: serves clients.
pub const NGX_PROCESS_WORKER: usize = 3;
/// A helper: runs beside the workers, such as nginx's cache manager.
pub const NGX_PROCESS_HELPER: usize = 4;

/// The role of a process in the process table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Role {
    /// The process is neither a worker nor a helper, or its role is not known.
    #[default]
    Other,
    /// A worker.
    Worker,
    /// A helper.
    Helper,
}

impl Role {
    /// Converts `role`, a NGX_PROCESS_ constant or 0. `None` if a process in
    /// the table cannot have this role.
    pub fn from_c(role: ngx_uint_t) -> Option<Self> {
        match role {
            0 => Some(Self::Other),
            NGX_PROCESS_WORKER => Some(Self::Worker),
            NGX_PROCESS_HELPER => Some(Self::Helper),
            _ => None,
        }
    }

    /// Converts the role to NGX_PROCESS_WORKER, to NGX_PROCESS_HELPER, or to 0
    /// for `Other`.
    pub fn to_c(self) -> ngx_uint_t {
        match self {
            Self::Other => 0,
            Self::Worker => NGX_PROCESS_WORKER,
            Self::Helper => NGX_PROCESS_HELPER,
        }
    }
}

/// The roles of this process's children, in private memory: a worker must not be
/// able to choose which signals the master sends (`D38`).
static OF_CHILDREN: [AtomicUsize; NGX_MAX_PROCESSES] =
    [const { AtomicUsize::new(0) }; NGX_MAX_PROCESSES];

/// The role of the child in a slot.
#[cfg(feature = "standalone")]
pub fn of_child(slot: Slot) -> Role {
    OF_CHILDREN
        .get(slot.index())
        .and_then(|role| Role::from_c(role.load(Relaxed)))
        .unwrap_or_default()
}

/// Sets the role of the child in a slot, before it is started for the first
/// time.
pub fn set_of_child(slot: Slot, role: Role) {
    if let Some(of_child) = OF_CHILDREN.get(slot.index()) {
        // A process usually has the role of the process that had the slot before.
        // A store would make the kernel copy the page for each child.
        if of_child.load(Relaxed) != role.to_c() {
            of_child.store(role.to_c(), Relaxed);
        }
    }
}

/// The number of a worker, `ngx_worker`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorkerNumber(usize);

impl WorkerNumber {
    /// Makes the number of a worker. The first worker has the number 0.
    pub fn new(number: usize) -> Self {
        Self(number)
    }

    /// Converts a number that C passes; `None` if the number is negative.
    pub fn from_c(number: ngx_int_t) -> Option<Self> {
        usize::try_from(number).ok().map(Self)
    }

    /// Converts a number for C; `None` becomes -1.
    pub fn to_c(number: Option<Self>) -> ngx_int_t {
        number.map_or(-1, |Self(number)| number.cast_signed())
    }
}

/// Whether this process is a master.
pub fn is_master(g: &Globals) -> bool {
    g.process.load(Relaxed) == NGX_PROCESS_MASTER
}

/// Whether this process is a master, or a single process that is both master
/// and worker.
pub fn acts_as_master(g: &Globals) -> bool {
    matches!(
        g.process.load(Relaxed),
        NGX_PROCESS_MASTER | NGX_PROCESS_SINGLE
    )
}

/// Whether this process handles signals as a master does.
pub fn handles_signals_as_master(g: &Globals) -> bool {
    acts_as_master(g) || has_role(g, *g.relative.pipe_role)
}

/// Whether this process is a worker, a helper, or has Tengine's role for other
/// processes of the table.
pub fn acts_as_worker(g: &Globals) -> bool {
    has_role(g, NGX_PROCESS_WORKER)
        || has_role(g, NGX_PROCESS_HELPER)
        || has_role(g, *g.relative.proc_role)
}

/// Whether this process has the role `role`; false if `role` is 0.
fn has_role(g: &Globals, role: ngx_uint_t) -> bool {
    role != 0 && g.process.load(Relaxed) == role
}

/// Whether this process is master and worker in one, and exits at SIGHUP.
pub fn exits_at_reconfigure(g: &Globals) -> bool {
    *g.relative.single_exits != 0 && g.process.load(Relaxed) == NGX_PROCESS_SINGLE
}
