//! Tests of the library's host: real masters and workers get real signals.
//!
//! A test waits until it observes a fact, such as an exited process, and fails
//! after a time limit. No test waits for a fixed time; only the test in `idle`
//! measures time.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    missing_docs
)]

#[path = "runtime/activation.rs"]
mod activation;
#[path = "runtime/conf.rs"]
mod conf;
#[path = "runtime/conf_values.rs"]
mod conf_values;
#[path = "runtime/container.rs"]
mod container;
#[path = "runtime/descriptors.rs"]
mod descriptors;
#[path = "runtime/events_examples.rs"]
mod events_examples;
#[path = "runtime/fork_fails.rs"]
mod fork_fails;
#[path = "runtime/idle.rs"]
mod idle;
#[path = "runtime/listening.rs"]
mod listening;
#[path = "runtime/listening_datagrams.rs"]
mod listening_datagrams;
#[path = "runtime/listening_datagrams_kept.rs"]
mod listening_datagrams_kept;
#[path = "runtime/listening_examples.rs"]
mod listening_examples;
#[path = "runtime/listening_faults.rs"]
mod listening_faults;
#[path = "runtime/listening_reuseport.rs"]
mod listening_reuseport;
#[path = "runtime/logs.rs"]
mod logs;
#[path = "runtime/logs_lines.rs"]
mod logs_lines;
#[path = "runtime/lost_master.rs"]
mod lost_master;
#[path = "runtime/many_reloads.rs"]
mod many_reloads;
#[path = "runtime/messages.rs"]
mod messages;
#[path = "runtime/messages_upgrade.rs"]
mod messages_upgrade;
#[path = "runtime/messages_upgrade_ledger.rs"]
mod messages_upgrade_ledger;
#[path = "runtime/own_messages.rs"]
mod own_messages;
#[path = "runtime/pid_1.rs"]
mod pid_1;
#[path = "runtime/pidfile.rs"]
mod pidfile;
#[path = "runtime/privilege.rs"]
mod privilege;
#[path = "runtime/process_limit.rs"]
mod process_limit;
#[path = "runtime/reload_files.rs"]
mod reload_files;
#[path = "runtime/respawn.rs"]
mod respawn;
#[path = "runtime/seen.rs"]
mod seen;
#[path = "runtime/seen_status.rs"]
mod seen_status;
#[path = "runtime/service_manager.rs"]
mod service_manager;
#[path = "runtime/shutdown_timeout.rs"]
mod shutdown_timeout;
#[path = "runtime/signals.rs"]
mod signals;
#[path = "runtime/single.rs"]
mod single;
#[path = "runtime/soak.rs"]
mod soak;
#[path = "runtime/start_environment.rs"]
mod start_environment;
#[path = "runtime/start_fails.rs"]
mod start_fails;
#[path = "runtime/storm/mod.rs"]
mod storm;
mod support;
#[path = "runtime/systemd.rs"]
mod systemd;
#[path = "runtime/table.rs"]
mod table;
#[path = "runtime/unchanged.rs"]
mod unchanged;
#[path = "runtime/unix_files.rs"]
mod unix_files;
#[path = "runtime/upgrade.rs"]
mod upgrade;
#[path = "runtime/worker_spawns.rs"]
mod worker_spawns;
#[path = "runtime/zone_files.rs"]
mod zone_files;
#[path = "runtime/zone_view.rs"]
mod zone_view;
