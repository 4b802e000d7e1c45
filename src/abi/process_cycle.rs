//! `ngx_process_cycle.h`: the functions that run a master or a single process.

use crate::host::standalone::cycle::Cycle;
use crate::host::standalone::types::ngx_cycle_t;
use crate::host::standalone::{master, single};

/// Runs a master: starts the workers and helpers of the configuration of
/// `cycle`, starts them again when they die, and does what signals ask for.
/// Does not return.
///
/// At SIGHUP the master starts a new generation of processes and shuts the old
/// generation down gracefully. At SIGQUIT it shuts down gracefully. At SIGTERM
/// or SIGINT it stops all processes; processes that are still alive after 1.5 s
/// get SIGKILL. At SIGUSR1 it opens the logs again. At SIGUSR2 it executes a
/// new binary. At SIGWINCH the master of a daemon shuts down its workers.
///
/// # Safety
///
/// `cycle` is a cycle that ngx_init_cycle() has returned, or the
/// program's own cycle.
///
/// # References
///
/// nginx's `src/os/unix/ngx_process_cycle.c`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_master_process_cycle(cycle: *mut ngx_cycle_t) {
    // SAFETY: C passes NULL or a valid cycle.
    let cycle = unsafe { Cycle::from_ptr(cycle) };

    master::run(cycle.unwrap_or_else(Cycle::empty));
}

/// Runs a single process, which is master and worker in one: calls the modules'
/// hooks and runs the event loop. Does not return.
///
/// # Safety
///
/// `cycle` is a cycle that ngx_init_cycle() has returned, or the
/// program's own cycle.
///
/// # References
///
/// nginx's `src/os/unix/ngx_process_cycle.c`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_single_process_cycle(cycle: *mut ngx_cycle_t) {
    // SAFETY: C passes NULL or a valid cycle.
    let cycle = unsafe { Cycle::from_ptr(cycle) };

    single::run(cycle.unwrap_or_else(Cycle::empty));
}
