//! Starts, signals and reaps processes, and starts them again; nginx's
//! `ngx_process.c`.
//!
//! - `mode`: the modes in which a process is started;
//! - `spawn`, `socketpair`: start a process with its channel;
//! - `execute`: start another program;
//! - `signals`: handle signals and send signals;
//! - `foreign`: children of a worker that a module has forked;
//! - `reap`: reap the children that have exited;
//! - `missed`: reap the children that the handler of SIGCHLD does not find;
//! - `exit_fd`: a descriptor that is readable when a child has exited;
//! - `respawn`: start a process again, at once or after a delay;
//! - `wanted`: processes that could not be started for the first time.

pub mod execute;
#[cfg(feature = "standalone")]
pub mod exit_fd;
pub mod foreign;
#[cfg(feature = "standalone")]
pub mod missed;
pub mod mode;
pub mod reap;
pub mod respawn;
pub mod signals;
pub mod socketpair;
pub mod spawn;
pub mod wanted;
