//! Tests of `src/zone/`: a process is killed after each instruction of an operation of a
//! lock.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    missing_docs
)]

#[path = "locks/rwlock.rs"]
mod rwlock;
#[path = "locks/shmtx.rs"]
mod shmtx;
#[path = "locks/steps.rs"]
mod steps;
#[path = "messages/tracee.rs"]
mod tracee;
