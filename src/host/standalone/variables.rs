//! The variables that this host exports, most of them those of nginx's
//! `ngx_process_cycle.c`.

use std::ptr;
use std::sync::atomic::AtomicPtr;

use super::date::ERR_LOG_LEN;
use super::types::{CachedText, CachedTime, ngx_cycle_t};
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
    /// The pid of this process.
    ngx_pid: AtomicPid;
    /// The pid of its parent.
    ngx_parent: AtomicPid;
    /// The pid of the new binary's master, while both binaries run; else 0.
    ngx_new_binary: AtomicPid;
    /// Whether listening sockets were inherited.
    ngx_inherited: AtomicUint;
    /// Whether the master runs in the background.
    ngx_daemonized: AtomicUint;
    /// Whether this worker shuts down gracefully.
    ngx_exiting: AtomicUint;
    /// Whether SIGWINCH has stopped the workers.
    ngx_noaccepting: AtomicUint;
    /// Start the workers again.
    ngx_restart: AtomicUint;

    /// A child has exited.
    ngx_reap: AtomicSig;
    /// A channel has a message, or room for one.
    ngx_sigio: AtomicSig;
    /// A timer of the master has expired, or SIGALRM has arrived.
    ngx_sigalrm: AtomicSig;
    /// Shut down gracefully.
    ngx_quit: AtomicSig;
    /// Call `ngx_debug_point()` at the end of a graceful shutdown.
    ngx_debug_quit: AtomicSig;
    /// Exit at once.
    ngx_terminate: AtomicSig;
    /// Stop accepting connections.
    ngx_noaccept: AtomicSig;
    /// Reconfigure.
    ngx_reconfigure: AtomicSig;
    /// Open the logs again.
    ngx_reopen: AtomicSig;
    /// Execute the new binary.
    ngx_change_binary: AtomicSig;
}

/// The cycle that is in use. Signal handlers log to it.
#[unsafe(no_mangle)]
pub static ngx_cycle: AtomicPtr<ngx_cycle_t> = AtomicPtr::new(ptr::null_mut());

/// What `ngx_debug_point()` does: NGX_DEBUG_POINTS_STOP, NGX_DEBUG_POINTS_ABORT,
/// or nothing.
#[unsafe(no_mangle)]
pub static ngx_ipc_debug_points: AtomicUint = AtomicUint::new(0);

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
