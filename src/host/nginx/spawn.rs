//! `ngx_spawn_process` in nginx: starts a process, and makes the master start it
//! again later if that fails (`D2`) or if it exits too often (`D4`).
//!
//! nginx's `ngx_process_cycle.c` knows nothing of this. Meanwhile the slot is
//! reserved. When its process is due, the slot is made to look like
//! that of a process that has just exited, and nginx's `ngx_reap_children()`
//! starts the process again.

use std::sync::atomic::AtomicPtr;
use std::sync::atomic::Ordering::Relaxed;

use super::alarm::{allow_delays, set_for_next_duty};
use super::types::ngx_cycle_t;
use super::{generation, variables};
use crate::config::ngx_pid_t;
use crate::log::Log;
use crate::process::mode::Mode;
use crate::process::respawn;
use crate::process::spawn::{self, Spawn};
use crate::process::wanted::{self, Wanted};
use crate::status::Result;
use crate::table::globals::Globals;
use crate::table::role::is_master;
use crate::table::slot::{NGX_MAX_PROCESSES, Slot};
use crate::table::slots::Flag;
use crate::table::{restart, stats};

/// What `ngx_spawn_process` returns for a process that is started later.
/// `ngx_reap_children()` goes on as if it had been started.
const LATER: ngx_pid_t = 0;

/// The cycle for which each reserved slot's process is wanted.
static CYCLES: [AtomicPtr<ngx_cycle_t>; NGX_MAX_PROCESSES] =
    [const { AtomicPtr::new(std::ptr::null_mut()) }; NGX_MAX_PROCESSES];

/// The cycle for which the processes of the waiting list are wanted.
static WANTED_FOR: AtomicPtr<ngx_cycle_t> = AtomicPtr::new(std::ptr::null_mut());

/// Starts a process for `ngx_spawn_process`. If that fails, the master retries
/// a process that is to be respawned.
pub fn spawn(
    g: &Globals,
    log: Log,
    cycle: *mut ngx_cycle_t,
    spawn: Spawn<'_>,
    mode: Mode,
) -> Result<ngx_pid_t> {
    stats::share();
    generation::note(cycle);

    let wanted = spawn.wanted;

    if let Mode::Again(slot) = mode
        && exits_too_often(g, log, slot)
    {
        respawn::reserve(g, slot);
        set_reserved_for(g, slot, cycle);
        set_for_next_duty(g);
        return Ok(LATER);
    }

    let result = spawn::spawn(g, log, spawn, mode);

    if result.is_err() && is_master(g) {
        allow_delays(log);
        start_failed(g, cycle, &wanted, mode);
        set_for_next_duty(g);
    }

    result
}

/// Whether the process of a slot, which has exited, must be started later.
fn exits_too_often(g: &Globals, log: Log, slot: Slot) -> bool {
    let entry = g.table.get(slot);

    if !is_master(g) || entry.is_due() || !entry.is(Flag::Exited) {
        return false;
    }

    allow_delays(log);

    respawn::delay_after_exit(g, log, slot) != 0
}

/// In a master: a process could not be started.
fn start_failed(g: &Globals, cycle: *mut ngx_cycle_t, wanted: &Wanted, mode: Mode) {
    let slot = g.process_slot();

    match mode {
        // Refused: there is no such slot, or it has a process.
        Mode::Again(again) if again != slot => {}

        Mode::Again(_) => {
            respawn::start_failed(g, slot);
            set_reserved_for(g, slot, cycle);
        }

        // While nginx makes a cycle, a module that starts a process gets the
        // error and decides. nginx starts the workers when the cycle is the
        // current one.
        _ if !mode.is_respawned() || cycle != current_cycle() => {}

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

fn current_cycle() -> *mut ngx_cycle_t {
    variables::ngx_cycle.load(Relaxed)
}

/// Enters a process that has not been started yet, as if it had been. The next
/// signal to all workers does not leave it out: that will be over when it runs.
fn enter(g: &Globals, slot: Slot, wanted: &Wanted) {
    let entry = g.table.get(slot);

    Mode::Respawn.set_flags(entry);
    entry.set_work(wanted.work);
    g.table.cover(slot);
    spawn::describe(g, slot, wanted, Mode::Respawn);
}

/// A slot has been reserved for a process of `cycle`.
fn set_reserved_for(g: &Globals, slot: Slot, cycle: *mut ngx_cycle_t) {
    // nginx announces the process that it believes to have started; an empty
    // slot is not announced.
    g.set_process_slot(slot);

    if let Some(reserved_for) = CYCLES.get(slot.index()) {
        reserved_for.store(cycle, Relaxed);
    }
}

/// Gives slots to the processes of the waiting list, if they are due and the
/// table has room: when a reload asks for more than half of what the table
/// takes, the new processes wait until the old ones exit (`D2`).
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
        stats::of_child(g, slot).restart.set_due(restart::now());
        set_reserved_for(g, slot, cycle);

        true
    });
}

/// Gives up the slots whose processes are not wanted any more: those of an old
/// cycle, and all of them when all processes are told to exit.
///
/// `ngx_reap_children()` has counted these processes as alive. It must count
/// again, since perhaps no process is left whose exit makes it do so.
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
