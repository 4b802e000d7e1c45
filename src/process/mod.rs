//! Processes: start them, signal them, reap them, start them again; nginx's
//! `ngx_process.c`.
//!
//! - `mode`: how a process is started, and what happens when it exits;
//! - `spawn`, `socketpair`: start a process with its channel;
//! - `execute`: start another program;
//! - `signals`: what each signal means to a process;
//! - `reap`: which child has exited, and how;
//! - `respawn`: start a process again, now or later;
//! - `wanted`: processes that could not be started for the first time.

pub mod execute;
pub mod mode;
pub mod reap;
pub mod respawn;
pub mod signals;
pub mod socketpair;
pub mod spawn;
pub mod wanted;
