//! What master and workers do with the table and the channels together,
//! nginx's `ngx_process_cycle.c`.
//!
//! In a master: `start_workers`, `announce`, `signal_workers`,
//! `reap_children`. In a worker: `init_channel`, `handle_command`, `admit`. In
//! both: `duties`, what the library does without being asked.
//!
//! nginx as the host has its own `ngx_process_cycle.c`. It uses `admit` and
//! `duties`.

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
