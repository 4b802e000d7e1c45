//! Starting processes for C, and starting again those that have exited.

use std::ffi::c_void;
use std::ptr;

use super::cycle::Cycle;
use super::types::ngx_cycle_t;
use crate::config::{ngx_int_t, ngx_pid_t, ngx_uint_t};
use crate::host::call::{Proc, call, ngx_spawn_proc_pt};
use crate::host::generation;
use crate::host::globals::GLOBALS;
use crate::log::{Level, Log};
use crate::process::mode::Respawn;
use crate::process::spawn::{self, Spawn};
use crate::process_cycle::reap_children as core;
use crate::process_cycle::start_workers;
use crate::status::Result;
use crate::sys::text::Text;
use crate::table::globals::Globals;
use crate::table::info;
use crate::table::role::NGX_PROCESS_WORKER;
use crate::table::slots::{MAX_PROCESSES, Work};

/// Starts a process for `ngx_spawn_process()`.
pub fn spawn(
    g: &Globals,
    log: Log,
    _cycle: *mut ngx_cycle_t,
    spawn: Spawn<'_>,
    respawn: Respawn,
) -> Result<ngx_pid_t> {
    if !matches!(respawn, Respawn::Slot(_)) {
        // Before the process exists: it may read this.
        info::of_child(g, g.table.first_free()).reset(0, -1, generation::current());
    }

    spawn::spawn(g, log, spawn, respawn)
}

/// Starts `n` workers that run `worker`.
///
/// # Safety
///
/// `worker` may be called with `cycle` and a number in a forked copy of this
/// process. The cycle lives as long as the workers' slots are in use.
pub unsafe fn start_workers(cycle: Option<Cycle>, worker: Proc, n: ngx_int_t, respawn: ngx_int_t) {
    Cycle::log_of(cycle).error(Level::Notice, None, format_args!("start worker processes"));

    let name = Text::new(c"worker process");

    // SAFETY: as this function demands. A failure is in the log, and nginx's
    // function returns nothing.
    let _ = unsafe { spawn_numbered(cycle, worker, n, name, respawn, NGX_PROCESS_WORKER) };
}

/// Starts `n` processes together that run `proc`. Returns how many were
/// started, or an error, with an alert in the log, if an argument is refused.
///
/// # Safety
///
/// `proc` is NULL or may be called with `cycle` and a number in a forked copy
/// of this process. The cycle and `name` live as long as the processes' slots
/// are in use.
pub unsafe fn spawn_processes(
    cycle: Option<Cycle>,
    proc: ngx_spawn_proc_pt,
    n: ngx_int_t,
    name: Text,
    respawn: ngx_int_t,
) -> Result<ngx_int_t> {
    match proc {
        // SAFETY: as this function demands.
        Some(proc) if n >= 0 => unsafe { spawn_numbered(cycle, proc, n, name, respawn, 0) },
        _ => {
            let why = format_args!("no {n} processes without a function");

            Err(Cycle::log_of(cycle).refuse(why))
        }
    }
}

/// Starts processes whose `data` are the numbers from 0 to `n` - 1.
///
/// # Safety
///
/// As of [`spawn_processes`], with a function.
unsafe fn spawn_numbered(
    cycle: Option<Cycle>,
    proc: Proc,
    n: ngx_int_t,
    name: Text,
    respawn: ngx_int_t,
    role: ngx_uint_t,
) -> Result<ngx_int_t> {
    let log = Cycle::log_of(cycle);

    let mode = match Respawn::new(respawn) {
        Some(mode) if !matches!(mode, Respawn::Slot(_) | Respawn::Detached) => mode,
        _ => {
            let why = format_args!("invalid mode {respawn} while spawning \"{name}\"");

            return Err(spawn::refuse(&GLOBALS, log, why));
        }
    };

    // The table has no room for more. The one that does not fit makes the log
    // say so.
    let works: Vec<Work> = (0..n.min(MAX_PROCESSES as ngx_int_t + 1))
        .map(|number| Work {
            proc: proc as *mut c_void,
            data: ptr::without_provenance_mut(number.unsigned_abs()),
            name,
        })
        .collect();

    // SAFETY: `work` has `proc` and a number, which this function may call.
    let start = |work| unsafe { call(Cycle::optional_ptr(cycle), work) };
    let mut prepare = |number: usize, slot: usize| {
        info::of_child(&GLOBALS, slot).reset(role, number.cast_signed(), generation::current());
    };

    let failed = start_workers::spawn_processes(&GLOBALS, log, &works, mode, &start, &mut prepare);

    Ok(works.len().cast_signed() - failed.len().cast_signed())
}

/// Clears the slots of processes that have exited, and starts those again that
/// are to be respawned. Returns whether any process is left.
pub fn reap_children(cycle: Option<Cycle>) -> bool {
    // SAFETY: the slots' functions come from `ngx_spawn_process()` and the
    // like, whose callers allow this call with a cycle that lives as long as
    // the slots are in use.
    let start = |work| unsafe { call(Cycle::optional_ptr(cycle), work) };

    core::reap_children(&GLOBALS, Cycle::log_of(cycle), &start)
}
