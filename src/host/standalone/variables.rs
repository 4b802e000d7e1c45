//! `ngx_process_cycle.h`: commands, roles, and the flags that signals set.

use super::date::ERR_LOG_LEN;
use super::types::{CachedText, CachedTime};
pub use super::types::{ngx_cache_manager_ctx_s, ngx_cache_manager_ctx_t};
use std::ptr;
use std::sync::atomic::AtomicPtr;

use crate::config::{AtomicPid, AtomicSig, AtomicUint};

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

/// Whether warnings and worse go to stderr as well.
#[unsafe(no_mangle)]
pub static ngx_use_stderr: AtomicUint = AtomicUint::new(1);

/// The time of day, as of the last update.
#[unsafe(no_mangle)]
pub static ngx_cached_time: AtomicPtr<CachedTime> = AtomicPtr::new(ptr::null_mut());
/// The time of day as log lines show it, as of the last update.
#[unsafe(no_mangle)]
pub static ngx_cached_err_log_time: CachedText = CachedText {
    len: AtomicUint::new(ERR_LOG_LEN),
    data: AtomicPtr::new(ptr::null_mut()),
};
/// Milliseconds since some point in the past, as of the last update: the clock
/// of the timers.
#[unsafe(no_mangle)]
pub static ngx_current_msec: AtomicUint = AtomicUint::new(0);
