//! Processes: start, signal, reap, start again; nginx's `ngx_process.c`.
//!
//! - `mode`: what becomes of a process that exits;
//! - `spawn`, `socketpair`: start a process with its channel;
//! - `execute`: start another program;
//! - `signals`: what each signal means to a process;
//! - `reap`: which child has exited, and how;
//! - `respawn`: when a process that has exited is started again.

pub mod execute;
pub mod mode;
pub mod reap;
pub mod respawn;
pub mod signals;
pub mod socketpair;
pub mod spawn;
