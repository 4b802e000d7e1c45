//! nginx's process and inter-process layer as a library.
//!
//! Layers, each knowing only those below it:
//!
//! - `abi`: the exported C symbols. Turns C arguments into safe ones and
//!   results into return codes; decides nothing.
//! - [`process`], [`channel`], [`process_cycle`], [`shmem`]: the process
//!   table, the channels, shared memory. Decide everything, see no raw
//!   pointer.
//! - `host`: the program that the library lives in. Either `standalone`, which
//!   the library brings along (line format of the log, times, timers), or
//!   `nginx`, which [`process_cycle`] and most of `abi` are not for: it has
//!   them itself.
//! - `sys`: the kernel.

// A stale slot number, a short message or a full table must not end a master:
// the core neither indexes nor unwraps.
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
