//! Tests of a real nginx: a stock nginx is compared with one that is built with
//! the library.
//!
//! A test waits until it observes a fact, such as an exited process, and fails
//! after a time limit; it does not wait for a fixed time. `dead_code` is
//! allowed, because `support` has functions that only other tests use.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    dead_code,
    missing_docs
)]

#[path = "nginx/backends.rs"]
mod backends;
#[path = "nginx/balance.rs"]
mod balance;
#[path = "nginx/basics.rs"]
mod basics;
#[path = "nginx/bridge.rs"]
mod bridge;
#[path = "nginx/browser.rs"]
mod browser;
#[path = "nginx/cache.rs"]
mod cache;
#[path = "nginx/debug_lines.rs"]
mod debug_lines;
#[path = "nginx/defects/mod.rs"]
mod defects;
#[path = "nginx/held.rs"]
mod held;
#[path = "nginx/killed.rs"]
mod killed;
#[path = "nginx/lines.rs"]
mod lines;
#[path = "nginx/listening.rs"]
mod listening;
#[path = "nginx/load.rs"]
mod load;
#[path = "nginx/logs.rs"]
mod logs;
#[path = "nginx/lua/mod.rs"]
mod lua;
#[path = "nginx/messages.rs"]
mod messages;
#[path = "nginx/messages_conf.rs"]
mod messages_conf;
#[path = "nginx/messages_counts.rs"]
mod messages_counts;
#[path = "nginx/messages_examples.rs"]
mod messages_examples;
#[path = "nginx/messages_http.rs"]
mod messages_http;
#[path = "nginx/messages_http_clients.rs"]
mod messages_http_clients;
#[path = "nginx/messages_ledger.rs"]
mod messages_ledger;
#[path = "nginx/messages_loaded.rs"]
mod messages_loaded;
#[path = "nginx/messages_loaded_conf.rs"]
mod messages_loaded_conf;
#[cfg(target_arch = "x86_64")]
#[path = "nginx/messages_loaded_scene.rs"]
mod messages_loaded_scene;
#[cfg(target_arch = "x86_64")]
#[path = "nginx/messages_loaded_steps.rs"]
mod messages_loaded_steps;
#[path = "nginx/messages_master.rs"]
mod messages_master;
#[path = "nginx/messages_start.rs"]
mod messages_start;
#[path = "nginx/messages_upgrade.rs"]
mod messages_upgrade;
#[path = "nginx/nchan.rs"]
mod nchan;
#[path = "nginx/nginx.rs"]
mod nginx;
#[path = "nginx/programs.rs"]
mod programs;
#[path = "nginx/quit.rs"]
mod quit;
#[path = "nginx/reload.rs"]
mod reload;
#[path = "nginx/single.rs"]
mod single;
#[path = "nginx/status/mod.rs"]
mod status;
mod support;
#[cfg(target_arch = "x86_64")]
#[path = "nginx/traced.rs"]
mod traced;
#[cfg(target_arch = "x86_64")]
#[path = "messages/tracee.rs"]
mod tracee;
#[path = "nginx/typed_zones.rs"]
mod typed_zones;
#[path = "nginx/upgrade.rs"]
mod upgrade;
#[path = "nginx/user.rs"]
mod user;
#[path = "nginx/valgrind.rs"]
mod valgrind;
#[path = "nginx/workers.rs"]
mod workers;
#[path = "nginx/zone_view.rs"]
mod zone_view;
#[path = "nginx/zones.rs"]
mod zones;
#[path = "nginx/zones_kept.rs"]
mod zones_kept;
#[path = "nginx/zones_kept_refused.rs"]
mod zones_kept_refused;
#[path = "nginx/zones_killed.rs"]
mod zones_killed;
#[path = "nginx/zones_load.rs"]
mod zones_load;
