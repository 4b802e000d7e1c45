//! nginx's process and inter-process layer as a library.
//!
//! The directories are layers. Each one uses only those below it:
//!
//! - `abi`: the exported C functions. They check pointers and convert arguments
//!   and results.
//! - `host`: the program that the library is part of. `standalone` is the
//!   library's own host: cycle, configuration, event loop, master, worker, log.
//!   `nginx` is what an nginx needs around the core.
//! - [`process_cycle`]: what master and workers do with processes and channels
//!   together.
//! - [`process`], [`channel`], [`shmem`]: start, signal and reap processes; send
//!   and receive messages; shared memory.
//! - [`table`]: what this process knows of the others.
//! - [`config`], [`status`], [`log`]: C's basic types, results, log lines.
//! - [`sys`]: the kernel.
//!
//! `docs/architecture.md` explains how they work together.

// Data from outside, such as a stale slot number or a short message, must not
// end the process: the library neither indexes nor unwraps.
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic
    )
)]

pub mod abi;
pub mod channel;
pub mod config;
pub mod host;
pub mod log;
pub mod process;
pub mod process_cycle;
pub mod shmem;
pub mod status;
pub mod sys;
pub mod table;
