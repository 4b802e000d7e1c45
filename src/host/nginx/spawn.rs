//! `ngx_spawn_process` in nginx: starts a process. If the start fails (`D2`),
//! or if the process keeps failing right after its start (`D4`), the master
//! starts the process again later.
//!
//! nginx's `ngx_process_cycle.c` does not know of this delay. Until the process
//! is due, its slot is reserved. When the process is due, the library makes the
//! slot look like the slot of a process that has just exited, and nginx's
//! `ngx_reap_children()` starts the process again.

use std::sync::atomic::AtomicPtr;
use std::sync::atomic::Ordering::Relaxed;

use super::alarm::{allow_delays, set_for_foreign, set_for_next_duty};
use super::types::ngx_cycle_t;
use super::variables::processes_of;
use super::{generation, hooks, variables};
use crate::channel::close;
use crate::config::ngx_pid_t;
use crate::host::lock_owner;
use crate::host::messages::reserve;
use crate::log::Log;
use crate::process::mode::Mode;
use crate::process::respawn;
use crate::process::spawn::{self, Spawn};
use crate::process::wanted::{self, Wanted};
use crate::status::Result;
use crate::table::globals::Globals;
use crate::table::role::{Role, WorkerNumber, acts_as_worker, is_master};
use crate::table::slot::{NGX_MAX_PROCESSES, Slot};
use crate::table::slots::Flag;
use crate::table::{own_slot, restart, stats};

/// The result of `ngx_spawn_process` for a process that is started later.
/// nginx's `ngx_reap_children()` continues as if the process had been started.
const LATER: ngx_pid_t = 0;

/// For each reserved slot: the cycle for which the process of the slot is
/// wanted.
static CYCLES: [AtomicPtr<ngx_cycle_t>; NGX_MAX_PROCESSES] =
    [const { AtomicPtr::new(std::ptr::null_mut()) }; NGX_MAX_PROCESSES];

/// The cycle for which the processes of the waiting list are wanted.
static WANTED_FOR: AtomicPtr<ngx_cycle_t> = AtomicPtr::new(std::ptr::null_mut());

/// Starts a process for `ngx_spawn_process`. If the start fails, the master
/// retries later, if the process is one that is started again when it exits.
pub fn spawn(
    g: &Globals,
    log: Log,
    cycle: *mut ngx_cycle_t,
    spawn: Spawn<'_>,
    mode: Mode,
) -> Result<ngx_pid_t> {
    stats::share(g);
    generation::note(cycle);
    // When the process has exited, a signal handler releases its locks.
    lock_owner::prepare();

    let wanted = spawn.wanted;

    if acts_as_worker(g) {
        hide_own_channel(g, log);
    }

    if let Mode::Again(slot) = mode
        && exits_too_often(g, log, slot)
    {
        respawn::reserve(g, slot);
        set_reserved_for(g, slot, cycle);
        set_for_next_duty(g);
        return Ok(LATER);
    }

    reserve_for_others(g, log, cycle, &wanted, mode);

    hooks::set_retried(is_master(g) && is_retried(cycle, mode));

    let result = spawn::spawn(g, log, spawn, mode);

    if result.is_err() {
        hooks::gone(g.process_slot(), false);
    }

    hooks::set_retried(false);

    if result.is_err() && is_master(g) {
        allow_delays(g, log);
        start_failed(g, cycle, &wanted, mode);
        set_for_next_duty(g);
    }

    if acts_as_worker(g) {
        // While the process was started, the handler of SIGCHLD recorded no child.
        // If a child of a module has exited meanwhile, the library has recorded it
        // just now, and the timer is not set for it yet.
        set_for_foreign(g);
    }

    result
}

/// In a master that starts the first worker of a cycle: makes sure that this worker
/// can send messages to the others, which nginx starts after it.
fn reserve_for_others(g: &Globals, log: Log, cycle: *mut ngx_cycle_t, wanted: &Wanted, mode: Mode) {
    let is_first_worker = mode.is_respawned()
        && wanted.role == Role::Worker
        && WorkerNumber::to_c(wanted.worker) == 0;

    if is_first_worker && is_master(g) && cycle == current_cycle() {
        // SAFETY: the current cycle is valid.
        let [workers, helpers] = unsafe { processes_of(cycle) };

        reserve::by_master(g, log, workers, helpers);
    }
}

/// In a worker that starts a process: removes the worker's own channel from the
/// table.
///
/// After `init_process`, nginx closes the channels of all slots except
/// `ngx_process_slot`. If a module has started a process in `init_process`, this
/// variable contains the slot of that process. nginx would then close the
/// worker's own channel, and the worker would exit.
fn hide_own_channel(g: &Globals, log: Log) {
    let own = g.table.get(own_slot::get(g));

    if own.channel(1) != g.channel.load(Relaxed) {
        return;
    }

    // The descriptor stays open: `ngx_channel` also contains it.
    let _ = own.take_channel(1);

    if let Some(parents) = own.take_channel(0) {
        close::close_end(g, log, parents);
    }
}

/// Whether the process of a slot, which has exited, keeps failing right after
/// its start and must be started after a delay.
fn exits_too_often(g: &Globals, log: Log, slot: Slot) -> bool {
    let entry = g.table.get(slot);

    if !is_master(g) || entry.is_due() || !entry.is(Flag::Exited) {
        return false;
    }

    allow_delays(g, log);

    respawn::delay_after_exit(g, log, slot) != 0
}

/// In a master: makes the master retry a process that could not be started.
fn start_failed(g: &Globals, cycle: *mut ngx_cycle_t, wanted: &Wanted, mode: Mode) {
    let slot = g.process_slot();

    match mode {
        // The start was refused, because there is no such slot or because the
        // slot has a process. Such a start is not retried.
        Mode::Again(again) if again != slot => {}

        Mode::Again(_) => {
            respawn::start_failed(g, slot);
            set_reserved_for(g, slot, cycle);
        }

        // A process that is not started again when it exits is not retried. If
        // a module starts a process while nginx makes a new cycle, the module
        // gets the error and decides; nginx itself starts workers only for the
        // current cycle.
        _ if !is_retried(cycle, mode) => {}

        _ if slot == Slot::NONE => {
            if WANTED_FOR.swap(cycle, Relaxed) != cycle {
                wanted::clear();
            }

            wanted::add(wanted);
        }

        _ => {
            enter(g, slot, wanted);
            respawn::start_failed(g, slot);
            set_reserved_for(g, slot, cycle);
        }
    }
}

/// Whether [`start_failed`] makes the master retry.
fn is_retried(cycle: *mut ngx_cycle_t, mode: Mode) -> bool {
    !mode.is_first_start() || mode.is_respawned() && cycle == current_cycle()
}

fn current_cycle() -> *mut ngx_cycle_t {
    variables::ngx_cycle.load(Relaxed)
}

/// Enters a process that has not been started yet into its slot, as if it had
/// been started. The flag `just_spawn` is not set: it protects a new worker
/// from the signal that tells the old workers to exit, and this signal has been
/// sent long before the process runs.
fn enter(g: &Globals, slot: Slot, wanted: &Wanted) {
    let entry = g.table.get(slot);

    Mode::Respawn.set_flags(entry);
    entry.set_work(wanted.work);
    g.table.cover(slot);
    spawn::describe(g, slot, wanted, Mode::Respawn);
}

/// Records that a slot is reserved for a process of `cycle`.
fn set_reserved_for(g: &Globals, slot: Slot, cycle: *mut ngx_cycle_t) {
    // nginx announces the process of `ngx_process_slot` as if it had been
    // started, and the library does not announce an empty slot.
    g.set_process_slot(slot);

    if let Some(reserved_for) = CYCLES.get(slot.index()) {
        reserved_for.store(cycle, Relaxed);
    }
}

/// Gives slots to the processes of the waiting list, if these are due and the
/// table has empty slots. The waiting list is needed if a reload starts more
/// processes than the table has empty slots: the new processes wait until the
/// old ones exit (`D2`).
pub fn enter_wanted(g: &Globals) {
    let cycle = current_cycle();

    if WANTED_FOR.load(Relaxed) != cycle {
        wanted::clear();
    }

    if wanted::due_in(g) != Some(0) {
        return;
    }

    generation::note(cycle);

    wanted::hand_over(|wanted| {
        let slot = g.table.first_free();

        if slot == Slot::NONE {
            return false;
        }

        enter(g, slot, &wanted);
        respawn::reserve(g, slot);
        restart::of_child(slot).set_due(restart::now());
        set_reserved_for(g, slot, cycle);

        true
    });
}

/// Frees the reserved slots whose processes are not wanted any more: the slots
/// of an old cycle, or all reserved slots if all processes are told to exit.
///
/// `ngx_reap_children()` has counted these processes as alive. Perhaps no
/// process is left whose exit makes nginx call `ngx_reap_children()` again, so
/// this function sets `ngx_reap`.
pub fn give_up_old(g: &Globals) {
    let all = g.leaving() || g.noaccepting.load(Relaxed) != 0;

    if all {
        wanted::clear();
    }

    for ((slot, entry), cycle) in g.table.iter().zip(&CYCLES) {
        if entry.is_reserved() && (all || cycle.load(Relaxed) != current_cycle()) {
            respawn::give_up(g, slot);
            g.table.release(slot);
            g.reap.store(1, Relaxed);
        }
    }
}
