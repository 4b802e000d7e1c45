//! The variables and functions of nginx and of `ngx_ipc_host.c` that the library
//! uses.

#![allow(unsafe_code)]
#![allow(missing_docs)]

use std::sync::atomic::AtomicPtr;

use super::types::ngx_cycle_t;
use crate::config::{AtomicPid, AtomicSig, AtomicUint, ngx_int_t, ngx_pid_t, ngx_uint_t};

// SAFETY: nginx's headers declare the variables with these types, whose sizes
// `ngx_ipc_host.c` asserts; nginx accesses them from one thread. The functions
// have no preconditions, and those that signal handlers call are
// async-signal-safe.
unsafe extern "C" {
    pub safe static ngx_cycle: AtomicPtr<ngx_cycle_t>;

    pub safe static ngx_process: AtomicUint;
    pub safe static ngx_worker: AtomicUint;
    pub safe static ngx_pid: AtomicPid;
    pub safe static ngx_parent: AtomicPid;
    pub safe static ngx_new_binary: AtomicPid;
    pub safe static ngx_daemonized: AtomicUint;
    pub safe static ngx_noaccepting: AtomicUint;
    pub safe static ngx_restart: AtomicUint;

    pub safe static ngx_reap: AtomicSig;
    pub safe static ngx_sigio: AtomicSig;
    pub safe static ngx_sigalrm: AtomicSig;
    pub safe static ngx_quit: AtomicSig;
    pub safe static ngx_debug_quit: AtomicSig;
    pub safe static ngx_terminate: AtomicSig;
    pub safe static ngx_noaccept: AtomicSig;
    pub safe static ngx_reconfigure: AtomicSig;
    pub safe static ngx_reopen: AtomicSig;
    pub safe static ngx_change_binary: AtomicSig;

    pub safe fn ngx_time_sigsafe_update();

    pub safe static ngx_exiting: AtomicUint;

    pub safe static ngx_ipc_loaded: ngx_uint_t;
    pub safe static ngx_ipc_single_exits: ngx_uint_t;
    pub safe static ngx_ipc_proc_role: ngx_uint_t;
    pub safe static ngx_ipc_pipe_role: ngx_uint_t;

    /// Stops or aborts the process for a debugger, as the directive `debug_points` says.
    pub safe fn ngx_debug_point();

    /// Unlocks the mutexes in shared memory that the process `pid` held, and
    /// does what a relative of nginx does when a child has exited.
    pub safe fn ngx_ipc_process_exited(pid: ngx_pid_t);

    /// Makes nginx's event loop handle messages after so many milliseconds; -1:
    /// only when the wake-up descriptor is readable. Not async-signal-safe.
    pub safe fn ngx_ipc_messages_set_timer(milliseconds: ngx_int_t);

    /// The numbers of workers and of helpers that nginx starts for `cycle`.
    ///
    /// # Safety
    ///
    /// `cycle` is a complete cycle.
    fn ngx_ipc_processes_of(
        cycle: *mut ngx_cycle_t,
        workers: *mut ngx_uint_t,
        helpers: *mut ngx_uint_t,
    );
}

/// The numbers of workers and of helpers that nginx starts for `cycle`.
///
/// # Safety
///
/// `cycle` is a complete cycle.
pub unsafe fn processes_of(cycle: *mut ngx_cycle_t) -> [ngx_uint_t; 2] {
    let (mut workers, mut helpers) = (0, 0);

    // SAFETY: the caller passes a complete cycle, and the other arguments are
    // local variables.
    unsafe { ngx_ipc_processes_of(cycle, &raw mut workers, &raw mut helpers) };

    [workers, helpers]
}
