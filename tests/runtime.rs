//! Tests of the standalone host: real masters and workers, real signals.
//!
//! The tests wait for facts that can be observed, with a time limit, and not
//! for time to pass. Only the test in `idle` measures time.

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
#[path = "runtime/privilege.rs"]
mod privilege;
#[path = "runtime/process_limit.rs"]
mod process_limit;
#[path = "runtime/reload_files.rs"]
mod reload_files;
#[path = "runtime/respawn.rs"]
mod respawn;
#[path = "runtime/signals.rs"]
mod signals;
#[path = "runtime/single.rs"]
mod single;
#[path = "runtime/soak.rs"]
mod soak;
#[path = "runtime/start_fails.rs"]
mod start_fails;
mod support;
#[path = "runtime/table.rs"]
mod table;
#[path = "runtime/upgrade.rs"]
mod upgrade;
