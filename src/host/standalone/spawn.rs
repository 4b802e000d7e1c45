//! Starts processes for the functions that C calls, and starts processes again
//! that have exited.

use std::ffi::c_void;
use std::ptr;

use super::cycle::Cycle;
use super::types::ngx_cycle_t;
use crate::config::{ngx_int_t, ngx_pid_t};
use crate::host::call::{Proc, call, ngx_spawn_proc_pt};
use crate::host::globals::GLOBALS;
use crate::log::{Level, Log};
use crate::process::mode::Mode;
use crate::process::spawn::{self, Spawn};
use crate::process::wanted::Wanted;
use crate::process_cycle::reap_children as core;
use crate::process_cycle::start_workers::{self, Batch};
use crate::status::Result;
use crate::sys::text::Text;
use crate::table::globals::Globals;
use crate::table::role::{Role, WorkerNumber};
use crate::table::slot::NGX_MAX_PROCESSES;
use crate::table::slots::Work;
use crate::table::stats;

/// Starts a process: the part of `ngx_spawn_process()` that only this host has.
pub fn spawn(
    g: &Globals,
    log: Log,
    _cycle: *mut ngx_cycle_t,
    spawn: Spawn<'_>,
    mode: Mode,
) -> Result<ngx_pid_t> {
    stats::keep_shared(g);

    spawn::spawn(g, log, spawn, mode)
}

/// Starts `n` workers that run the function `worker` with their number.
///
/// # Safety
///
/// `worker` can be called with `cycle` and a number in a forked copy of this
/// process. The cycle lives as long as the workers' slots are in use.
pub unsafe fn start_workers(cycle: Option<Cycle>, worker: Proc, n: ngx_int_t, respawn: ngx_int_t) {
    Cycle::log_of(cycle).error(Level::Notice, None, format_args!("start worker processes"));

    let name = Text::new(c"worker process");

    // SAFETY: the caller passes a `worker` that can be called with `cycle` and
    // a number in a child. The result is ignored, because nginx's function
    // returns nothing and a failure is in the log.
    let _ = unsafe { spawn_numbered(cycle, worker, n, name, respawn, Role::Worker) };
}

/// Starts `n` processes together that run `proc`. Returns the number of
/// processes that were started, or an error, with an alert in the log, if an
/// argument is refused.
///
/// # Safety
///
/// `proc` is NULL or can be called with `cycle` and a number in a forked copy
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
        // SAFETY: the caller passes a `proc` that can be called with `cycle`
        // and a number in a child, and a cycle and a name that live as long as
        // the slots are in use.
        Some(proc) if n >= 0 => unsafe {
            spawn_numbered(cycle, proc, n, name, respawn, Role::Other)
        },
        _ => {
            let why = format_args!("no {n} processes without a function");

            Err(Cycle::log_of(cycle).refuse(why))
        }
    }
}

/// Starts `n` processes that run `proc` with a number as `data`, from 0 to `n`
/// - 1.
///
/// # Safety
///
/// The requirements of [`spawn_processes`], and `proc` is not NULL.
unsafe fn spawn_numbered(
    cycle: Option<Cycle>,
    proc: Proc,
    n: ngx_int_t,
    name: Text,
    respawn: ngx_int_t,
    role: Role,
) -> Result<ngx_int_t> {
    let log = Cycle::log_of(cycle);

    let mode = match Mode::from_c(respawn) {
        Some(mode) if mode.is_first_start() && mode != Mode::Detached => mode,
        _ => {
            let why = format_args!("invalid mode {respawn} while spawning \"{name}\"");

            return Err(spawn::refuse(&GLOBALS, log, why));
        }
    };

    // The process table has no room for more processes. One more than fit is
    // requested, so that the log says that a process could not be started.
    let n = usize::try_from(n).unwrap_or(0).min(NGX_MAX_PROCESSES + 1);
    let get = |number| {
        Some(Wanted {
            work: Work {
                proc: proc as *mut c_void,
                data: ptr::without_provenance_mut(number),
                name,
            },
            role,
            worker: Some(WorkerNumber::new(number)),
        })
    };
    let mut failed = 0;
    let batch = Batch {
        n,
        get: &get,
        failed: &mut |_| failed += 1,
    };

    // SAFETY: `work` has `proc` and a number, and the caller passes a `proc`
    // that can be called with `cycle` and a number in a child.
    let start = |work| unsafe { call(Cycle::optional_ptr(cycle), work) };

    start_workers::spawn_processes(&GLOBALS, log, batch, mode, &start);

    Ok(n.cast_signed() - failed)
}

/// Clears the slots of processes that have exited, and starts processes again
/// that are to be respawned. Returns whether any process is left.
pub fn reap_children(cycle: Option<Cycle>) -> bool {
    // SAFETY: `ngx_spawn_process()` and similar functions have stored the
    // functions in the slots. The callers of these functions promise that a
    // function can be called with this cycle, which lives as long as the slots
    // are in use.
    let start = |work| unsafe { call(Cycle::optional_ptr(cycle), work) };

    core::reap_children(&GLOBALS, Cycle::log_of(cycle), &start)
}
