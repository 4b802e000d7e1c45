//! nginx's process and inter-process layer as a library.
//!
//! Rust programs use the module `api`, which starts processes that run a closure, and
//! has channels, messages, shared memory and servers. The other modules are the library
//! itself, and can change in each version.
//!
//! The directories are layers. Each layer uses only the layers below it in this
//! list:
//!
//! - `abi`: the exported C functions. These functions check pointers and
//!   convert arguments and results.
//! - `api`: the interface for Rust programs.
//! - `host`: the program that the library is part of. `standalone` is the
//!   library's own host: cycle, configuration, event loop, master, worker, log.
//!   `nginx` connects the core with an nginx's own cycle and event loop.
//! - [`process_cycle`]: the duties of master and workers that use both the
//!   process table and the channels.
//! - [`process`], [`channel`], [`shmem`], [`message`], [`zone`]: start, signal and
//!   reap processes; send and receive nginx's messages; allocate shared memory;
//!   messages between workers in shared memory; locks and zones.
//! - [`table`]: the process table, and other data about each process.
//! - [`config`], [`status`], [`log`]: C's basic types, results, log lines.
//! - [`sys`]: system calls.
//!
//! `docs/architecture.md` explains how the layers work together.

// A stale slot number, a short message or other data from outside must not make
// the process panic. So clippy forbids indexing and unwrap() in the library,
// and allows them only in tests.
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic
    )
)]
// The crate libc marks time_t of musl as deprecated, because its size changes on systems
// with addresses of 32 bits.
#![cfg_attr(target_env = "musl", allow(deprecated))]

pub mod abi;
#[cfg(feature = "standalone")]
pub mod api;
pub mod channel;
pub mod config;
pub mod host;
pub mod log;
pub mod message;
pub mod messaging;
pub mod process;
pub mod process_cycle;
pub mod shmem;
pub mod status;
pub mod sys;
pub mod table;
pub mod zone;
