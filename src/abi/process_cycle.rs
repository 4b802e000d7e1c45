//! `ngx_process_cycle.h`: what masters and single processes run.

use crate::host::standalone::cycle::Cycle;
use crate::host::standalone::types::ngx_cycle_t;
use crate::host::standalone::{master, single};

/// Runs a master: starts the workers and helpers that the configuration of
/// `cycle` asks for, starts those that die again, and obeys signals.
///
/// SIGHUP starts a new generation and shuts the old one down gracefully.
/// SIGQUIT shuts down gracefully. SIGTERM and SIGINT stop; processes that are
/// still alive after 1.5 s get SIGKILL. SIGUSR1 opens the logs again. SIGUSR2
/// executes a new binary. SIGWINCH shuts down the workers of a daemon. Does
/// not return.
///
/// # Safety
///
/// `cycle` comes from ngx_init_cycle() or is the program's own.
///
/// # References
///
/// nginx's `src/os/unix/ngx_process_cycle.c`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_master_process_cycle(cycle: *mut ngx_cycle_t) {
    // SAFETY: the contract of this function: a valid cycle; NULL is tolerated.
    let cycle = unsafe { Cycle::from_ptr(cycle) };

    master::run(cycle.unwrap_or_else(Cycle::empty));
}

/// Runs a process that is master and worker in one: the modules' hooks and
/// the event loop. Does not return.
///
/// # Safety
///
/// `cycle` comes from ngx_init_cycle() or is the program's own.
///
/// # References
///
/// nginx's `src/os/unix/ngx_process_cycle.c`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_single_process_cycle(cycle: *mut ngx_cycle_t) {
    // SAFETY: the contract of this function: a valid cycle; NULL is tolerated.
    let cycle = unsafe { Cycle::from_ptr(cycle) };

    single::run(cycle.unwrap_or_else(Cycle::empty));
}
