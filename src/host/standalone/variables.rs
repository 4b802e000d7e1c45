//! `ngx_process_cycle.h`: commands, roles, and the flags that signals set.

pub use super::types::{ngx_cache_manager_ctx_s, ngx_cache_manager_ctx_t};
use crate::table::role;
use std::ffi::c_int;

use crate::channel;
use crate::config::{AtomicPid, AtomicSig, AtomicUint};

/// A process has been spawned, here is its channel.
pub const NGX_CMD_OPEN_CHANNEL: c_int = 1;
/// A process has exited.
pub const NGX_CMD_CLOSE_CHANNEL: c_int = 2;
/// Shut down gracefully.
pub const NGX_CMD_QUIT: c_int = 3;
/// Exit.
pub const NGX_CMD_TERMINATE: c_int = 4;
/// Reopen the logs.
pub const NGX_CMD_REOPEN: c_int = 5;

/// Master and worker in one.
pub const NGX_PROCESS_SINGLE: c_int = 0;
/// Spawns, signals and reaps the others.
pub const NGX_PROCESS_MASTER: c_int = 1;
/// Sends a signal to a running master.
pub const NGX_PROCESS_SIGNALLER: c_int = 2;
/// Does the work.
pub const NGX_PROCESS_WORKER: c_int = 3;
/// Does other work.
pub const NGX_PROCESS_HELPER: c_int = 4;

const _: () = {
    assert!(channel::CMD_OPEN_CHANNEL == NGX_CMD_OPEN_CHANNEL as usize);
    assert!(channel::CMD_CLOSE_CHANNEL == NGX_CMD_CLOSE_CHANNEL as usize);
    assert!(channel::CMD_QUIT == NGX_CMD_QUIT as usize);
    assert!(channel::CMD_TERMINATE == NGX_CMD_TERMINATE as usize);
    assert!(channel::CMD_REOPEN == NGX_CMD_REOPEN as usize);
    assert!(role::PROCESS_SINGLE == NGX_PROCESS_SINGLE as usize);
    assert!(role::PROCESS_MASTER == NGX_PROCESS_MASTER as usize);
    assert!(role::PROCESS_WORKER == NGX_PROCESS_WORKER as usize);
    assert!(role::PROCESS_HELPER == NGX_PROCESS_HELPER as usize);
};

macro_rules! variables {
    ($($(#[$doc:meta])* $name:ident: $type:ty;)*) => {
        $($(#[$doc])* #[unsafe(no_mangle)] pub static $name: $type = <$type>::new(0);)*
    };
}

variables! {
    /// The role of this process.
    ngx_process: AtomicUint;
    /// The number of this worker.
    ngx_worker: AtomicUint;
    /// The id of this process.
    ngx_pid: AtomicPid;
    /// The id of its parent.
    ngx_parent: AtomicPid;
    /// The id of the new binary's master while both run.
    ngx_new_binary: AtomicPid;
    /// Whether listening sockets were inherited.
    ngx_inherited: AtomicUint;
    /// Whether the master runs in the background.
    ngx_daemonized: AtomicUint;
    /// Whether this worker finishes what it has begun.
    ngx_exiting: AtomicUint;
    /// Whether the workers have been told to stop accepting.
    ngx_noaccepting: AtomicUint;
    /// Whether the workers are to be started again.
    ngx_restart: AtomicUint;

    /// A child has exited.
    ngx_reap: AtomicSig;
    /// A channel has something to say.
    ngx_sigio: AtomicSig;
    /// An alarm has gone off.
    ngx_sigalrm: AtomicSig;
    /// Shut down gracefully.
    ngx_quit: AtomicSig;
    /// Stop or abort at the end of a graceful shutdown.
    ngx_debug_quit: AtomicSig;
    /// Exit.
    ngx_terminate: AtomicSig;
    /// Stop accepting connections.
    ngx_noaccept: AtomicSig;
    /// Reconfigure.
    ngx_reconfigure: AtomicSig;
    /// Reopen the logs.
    ngx_reopen: AtomicSig;
    /// Start the new binary.
    ngx_change_binary: AtomicSig;
}
