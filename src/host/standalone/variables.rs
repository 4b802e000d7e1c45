//! The variables that this host exports; most of them are variables of nginx's
//! `ngx_process_cycle.c`.

use std::ptr;
use std::sync::atomic::AtomicPtr;

use super::date::ERR_LOG_LEN;
use super::types::{CachedText, CachedTime, ngx_cycle_t};
use crate::config::{AtomicPid, AtomicSig, AtomicUint, ngx_uint_t};

/// The constants for `Relative`. All are 0, because this host is not a relative
/// of nginx.
pub static ngx_ipc_single_exits: ngx_uint_t = 0;
/// No role handles signals as a worker does.
pub static ngx_ipc_proc_role: ngx_uint_t = 0;
/// No role is that of children outside of the process table.
pub static ngx_ipc_pipe_role: ngx_uint_t = 0;

macro_rules! variables {
    ($($(#[$doc:meta])* $name:ident: $type:ty;)*) => {
        $($(#[$doc])* #[unsafe(no_mangle)] pub static $name: $type = <$type>::new(0);)*
    };
}

variables! {
    /// The role of this process, such as NGX_PROCESS_WORKER.
    ngx_process: AtomicUint;
    /// In a worker: the number of the worker, from 0.
    ngx_worker: AtomicUint;
    /// The pid of this process.
    ngx_pid: AtomicPid;
    /// The pid of the parent of this process.
    ngx_parent: AtomicPid;
    /// The pid of the new binary's master, while both binaries run; else 0.
    ngx_new_binary: AtomicPid;
    /// Whether this program has inherited its listening sockets from an old
    /// binary.
    ngx_inherited: AtomicUint;
    /// Whether the master runs in the background.
    ngx_daemonized: AtomicUint;
    /// Whether this worker shuts down gracefully.
    ngx_exiting: AtomicUint;
    /// Whether SIGWINCH has stopped the workers.
    ngx_noaccepting: AtomicUint;
    /// Whether the master must start the workers again after they have exited.
    ngx_restart: AtomicUint;

    /// Set when a child has exited.
    ngx_reap: AtomicSig;
    /// Set when a message has arrived on a channel, or a full channel has room
    /// again.
    ngx_sigio: AtomicSig;
    /// Set when a timer of the master has expired or SIGALRM has arrived.
    ngx_sigalrm: AtomicSig;
    /// Set to make the process shut down gracefully.
    ngx_quit: AtomicSig;
    /// Set to make the process call `ngx_debug_point()` at the end of a
    /// graceful shutdown.
    ngx_debug_quit: AtomicSig;
    /// Set to make the process exit at once.
    ngx_terminate: AtomicSig;
    /// Set to make the process stop accepting connections.
    ngx_noaccept: AtomicSig;
    /// Set to make the process load its configuration again.
    ngx_reconfigure: AtomicSig;
    /// Set to make the process open its log files again.
    ngx_reopen: AtomicSig;
    /// Set to make the master execute the new binary.
    ngx_change_binary: AtomicSig;
}

/// The cycle that is in use. Signal handlers write to the log of this cycle.
#[unsafe(no_mangle)]
pub static ngx_cycle: AtomicPtr<ngx_cycle_t> = AtomicPtr::new(ptr::null_mut());

/// The action of `ngx_debug_point()`: NGX_DEBUG_POINTS_STOP,
/// NGX_DEBUG_POINTS_ABORT, or 0 for no action.
#[unsafe(no_mangle)]
pub static ngx_ipc_debug_points: AtomicUint = AtomicUint::new(0);

/// Whether warnings and more severe lines are written to stderr as well.
#[unsafe(no_mangle)]
pub static ngx_use_stderr: AtomicUint = AtomicUint::new(1);

/// The time of day, as of the last update.
#[unsafe(no_mangle)]
pub static ngx_cached_time: AtomicPtr<CachedTime> = AtomicPtr::new(ptr::null_mut());
/// The time of day in the format of log lines, as of the last update.
#[unsafe(no_mangle)]
pub static ngx_cached_err_log_time: CachedText = CachedText {
    len: AtomicUint::new(ERR_LOG_LEN),
    data: AtomicPtr::new(ptr::null_mut()),
};
/// Milliseconds of the monotonic clock, as of the last update. Timers use this
/// clock.
#[unsafe(no_mangle)]
pub static ngx_current_msec: AtomicUint = AtomicUint::new(0);
