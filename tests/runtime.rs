//! Tests of the runtime: real masters and workers, real signals.
//!
//! Nothing here waits for time to pass: each wait is for a fact that can be
//! seen, with a deadline. The one exception measures time.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    missing_docs
)]

#[path = "runtime/conf.rs"]
mod conf;
#[path = "runtime/fork_fails.rs"]
mod fork_fails;
#[path = "runtime/idle.rs"]
mod idle;
#[path = "runtime/lost_master.rs"]
mod lost_master;
#[path = "runtime/many_reloads.rs"]
mod many_reloads;
#[path = "runtime/process_limit.rs"]
mod process_limit;
#[path = "runtime/respawn.rs"]
mod respawn;
#[path = "runtime/signals.rs"]
mod signals;
#[path = "runtime/soak.rs"]
mod soak;
mod support;
#[path = "runtime/table.rs"]
mod table;
#[path = "runtime/upgrade.rs"]
mod upgrade;
