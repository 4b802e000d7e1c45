//! The parts of nginx's `ngx_process_cycle.c` that use both the process table
//! and the channels.
//!
//! A master uses `start_workers`, `announce`, `signal_workers` and
//! `reap_children`. A worker uses `init_channel`, `handle_command` and `admit`.
//! Both use `duties`, the work that the library does when a time has come.
//!
//! If nginx is the host, nginx's own `ngx_process_cycle.c` does most of this
//! work, and the library uses only `admit` and `duties`.

pub mod admit;
pub mod duties;

#[cfg(feature = "standalone")]
pub mod announce;
#[cfg(feature = "standalone")]
pub mod handle_command;
#[cfg(feature = "standalone")]
pub mod init_channel;
#[cfg(feature = "standalone")]
mod log_child;
#[cfg(feature = "standalone")]
pub mod reap_children;
#[cfg(feature = "standalone")]
pub mod signal_workers;
#[cfg(feature = "standalone")]
pub mod start_workers;
