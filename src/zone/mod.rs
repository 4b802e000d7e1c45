//! Shared memory that several processes change: nginx's locks and zones.
//!
//! Each lock knows the process that holds it. When this process dies, a process that
//! waits for the lock takes the lock over. The next operation on a zone then undoes the
//! one in which the process has died.

pub mod counters;
pub mod mixed;
pub mod owner;
pub mod rwlock;
pub mod shmtx;
pub mod slab;
pub mod wait;
