//! Starting again what could not be started (`D2`), and later what exits too
//! often (`D4`), although `ngx_process_cycle.c` knows nothing of it.
//!
//! Meanwhile the slot is empty and reserved. When its time has come it is
//! made to look like that of a process that has just exited, and
//! `ngx_reap_children()` does the rest.

use std::sync::atomic::AtomicPtr;
use std::sync::atomic::Ordering::Relaxed;

use super::{alarm, generation, missing, ngx_cycle_t};
use crate::config::{NGX_INVALID_PID, ngx_int_t, ngx_msec_t, ngx_pid_t, ngx_uint_t};
use crate::log::Log;
use crate::process::mode::Respawn;
use crate::process::respawn;
use crate::process::spawn::{self, Spawn};
use crate::status::Result;
use crate::table::globals::Globals;
use crate::table::info::{self, State};
use crate::table::restart::{self, Restart};
use crate::table::role::NGX_PROCESS_MASTER;
use crate::table::slots::{Flag, MAX_PROCESSES, Work, ngx_process_t};

/// The pid in the slot of a process that is to be started again now: more
/// than any process may have (`PID_MAX_LIMIT`), so no signal finds it.
const NOBODY: ngx_pid_t = ngx_pid_t::MAX;

/// What `ngx_spawn_process` returns for a process that is started later:
/// `ngx_reap_children()` goes on as if it had been started.
const LATER: ngx_pid_t = 0;

/// For which cycle each reserved slot is.
static CYCLES: [AtomicPtr<ngx_cycle_t>; MAX_PROCESSES] =
    [const { AtomicPtr::new(std::ptr::null_mut()) }; MAX_PROCESSES];

/// Whether a slot only looks like that of a process that has exited.
pub fn is_made_up(slot: &ngx_process_t) -> bool {
    slot.pid() == NOBODY
}

/// Starts a process for `ngx_spawn_process`; the master tries again what
/// fails, if it is to be respawned.
pub fn spawn(
    g: &Globals,
    log: Log,
    cycle: *mut ngx_cycle_t,
    process: Spawn<'_>,
    mode: Respawn,
) -> Result<ngx_pid_t> {
    info::share();

    let generation = generation::note(cycle);
    let work = process.work;

    if let Respawn::Slot(i) = mode
        && exits_too_often(g, log, i)
    {
        reserve(g, i, cycle);
        return Ok(LATER);
    }

    // Before there is a process, which then says what it is.
    if !matches!(mode, Respawn::Slot(_)) {
        info::of_child(g, g.table.first_free()).reset(0, -1, generation);
    }

    let result = spawn::spawn(g, log, process, mode);
    let i = g.own_slot();

    match (result, mode) {
        (Ok(_), _) => {}

        // Refused: there is no such slot, or it has a process.
        (Err(_), Respawn::Slot(s)) if s != i => {}

        (Err(_), Respawn::Slot(_)) => after_failure(g, i, cycle),

        // While a cycle is made a module that asks for a process is told
        // that there is none, and decides. Workers are started afterwards.
        (Err(_), Respawn::Always | Respawn::JustRespawn)
            if cycle == super::cycle() && is_master(g) =>
        {
            if i == MAX_PROCESSES {
                missing::add(cycle, work);
            } else {
                enter(g, i, work, generation);
                after_failure(g, i, cycle);
            }

            alarm::set_for_what_waits(g, log);
        }

        (Err(_), _) => {}
    }

    result
}

/// Only `ngx_master_process_cycle()` reaps and respawns.
fn is_master(g: &Globals) -> bool {
    g.process.load(Relaxed) == NGX_PROCESS_MASTER
}

fn restart(g: &Globals, i: usize) -> &'static Restart {
    &info::of_child(g, i).restart
}

/// Whether the process that has exited in slot `i` is to be started again
/// only later; one line says so.
fn exits_too_often(g: &Globals, log: Log, i: usize) -> bool {
    let slot = g.table.get(i);

    if !is_master(g) || is_made_up(slot) || !slot.is(Flag::Exited) {
        return false;
    }

    respawn::delay_after_exit(g, log, i) != 0
}

/// A process that was never started is entered as if it had been. The signal
/// that leaves out those just spawned will be over when it is.
fn enter(g: &Globals, i: usize, work: Work, generation: ngx_uint_t) {
    let slot = g.table.get(i);

    Respawn::Always.mark(slot);
    slot.set_work(work);
    g.table.cover(i);
    info::of_child(g, i).reset(0, -1, generation);
}

fn after_failure(g: &Globals, i: usize, cycle: *mut ngx_cycle_t) {
    if !is_master(g) {
        return;
    }

    restart(g, i).after_failure(restart::now());

    reserve(g, i, cycle);
}

fn reserve(g: &Globals, i: usize, cycle: *mut ngx_cycle_t) {
    let slot = g.table.get(i);

    slot.vacate();
    slot.set(Flag::Lost, true);
    info::of_child(g, i).is_without(State::Waiting);

    // What is announced next is nothing.
    g.process_slot.store(i as ngx_int_t, Relaxed);

    if let Some(of) = CYCLES.get(i) {
        of.store(cycle, Relaxed);
    }

    if let Some(msec) = due_in(g) {
        alarm::wake_in(msec);
    }
}

/// Milliseconds until something is due; `None` if nothing waits, and in others
/// than the master, which have its memory of what does.
pub fn due_in(g: &Globals) -> Option<ngx_msec_t> {
    if !is_master(g) {
        return None;
    }

    let reserved = respawn::next_due(g, restart::now());

    [reserved, missing::due_in()].into_iter().flatten().min()
}

/// Has `ngx_reap_children()` start what is due.
pub fn due(g: &Globals) {
    let now = restart::now();

    give_up_old(g);
    missing::enter(g, |i, work| {
        let cycle = super::cycle();

        enter(g, i, work, generation::note(cycle));
        reserve(g, i, cycle);

        restart(g, i).is_due(now);
    });

    for (i, slot) in g.table.iter() {
        if slot.is(Flag::Lost) && restart(g, i).due_in(now) == 0 {
            slot.set(Flag::Lost, false);
            slot.set_pid(NOBODY);
            slot.set_exited(0);
            g.reap.store(1, Relaxed);
        }
    }
}

/// Gives up the slots whose processes are not wanted any more: those of an old
/// cycle, and all of them when everybody is told to go.
///
/// `ngx_reap_children()` has counted them among the living, and is to count
/// again: nobody may be left whose exit would have it do so.
pub fn give_up_old(g: &Globals) {
    let all = g.leaving() || g.noaccepting.load(Relaxed) != 0;

    if all {
        missing::forget();
    }

    for ((i, slot), of) in g.table.iter().zip(&CYCLES) {
        if slot.is(Flag::Lost) && (all || of.load(Relaxed) != super::cycle()) {
            slot.set(Flag::Lost, false);
            slot.set_pid(NGX_INVALID_PID);
            g.table.release(i);
            info::of_child(g, i).is_without(State::Empty);
            g.reap.store(1, Relaxed);
        }
    }
}
