//! Starts, signals and reaps processes, and starts them again; nginx's
//! `ngx_process.c`.
//!
//! - `mode`: the modes in which a process is started;
//! - `spawn`, `socketpair`: start a process with its channel;
//! - `execute`: start another program;
//! - `signals`: handle signals and send signals;
//! - `foreign`: children of a worker that the library has not started;
//! - `reap`: reap the children that have exited;
//! - `respawn`: start a process again, at once or after a delay;
//! - `wanted`: processes that could not be started for the first time.

pub mod execute;
pub mod foreign;
pub mod mode;
pub mod reap;
pub mod respawn;
pub mod signals;
pub mod socketpair;
pub mod spawn;
pub mod wanted;
