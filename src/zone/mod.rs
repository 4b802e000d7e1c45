//! Shared memory that several processes change: nginx's locks.
//!
//! Each lock knows the process that holds it. When this process dies, a process that
//! waits for the lock takes the lock over.

pub mod owner;
pub mod rwlock;
pub mod shmtx;
pub mod wait;
