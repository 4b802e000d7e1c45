//! Shared memory that several processes change: nginx's locks and zones.
//!
//! Each lock knows the process that holds it. When this process dies, a process that
//! waits for the lock takes the lock over. The next operation on a zone then undoes the
//! one in which the process has died. The next [`transaction`] does the same for the
//! structures of a module.

pub mod counters;
pub mod hash;
pub mod mixed;
pub mod owner;
pub mod queue;
pub mod rwlock;
pub mod shmtx;
pub mod slab;
pub mod transaction;
pub mod tree;
pub mod tree_links;
pub mod typed;
pub mod undo_log;
pub mod wait;

/// The beginning of the name of the file in memory that a zone is. The name of the zone
/// follows.
pub const FILE_NAME: &[u8] = b"ngx_ipc zone ";
