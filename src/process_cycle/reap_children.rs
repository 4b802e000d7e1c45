//! What a master does with the slots of processes that have exited,
//! `ngx_reap_children`.

use std::sync::atomic::Ordering::Relaxed;

use super::announce::{announce, announce_exit};
use super::log_child::log_child;
use super::start_workers::Start;
use crate::channel::{close, queue};
use crate::config::NGX_INVALID_PID;
use crate::log::{Level, Log};
use crate::process::mode::Respawn;
use crate::process::respawn;
use crate::process::spawn::{self, Spawn};
use crate::table::globals::Globals;
use crate::table::info::{self, State};
use crate::table::restart;
use crate::table::slots::{Flag, ngx_process_t};

/// Clears the slots of those that have exited, tells the others, and starts
/// again what is to be respawned. Returns whether anybody is left alive.
pub fn reap_children(g: &Globals, log: Log, start: Start<'_>) -> bool {
    let mut live = false;

    queue::flush(g, log);

    for (i, slot) in g.table.iter() {
        log_child(log, i, slot);

        if slot.is(Flag::Lost) && !g.leaving() {
            live = true;
            start_again(g, log, i, slot, start);
            continue;
        }

        if !slot.is(Flag::Exited) || slot.pid() == NGX_INVALID_PID {
            live |= slot.occupied() && (slot.is(Flag::Exiting) || !slot.is(Flag::Detached));
            continue;
        }

        if !slot.is(Flag::Detached) {
            close_slot(g, log, i, slot);
        }

        if slot.is(Flag::Respawn) && !slot.is(Flag::Exiting) && !g.leaving() {
            live = true;
            wait_for_restart(g, log, i, slot);
            start_again(g, log, i, slot, start);
        } else {
            new_binary_exited(g, slot);
            g.table.release(i);
            info::of_child(g, i).is_without(State::Empty);
        }
    }

    live
}

/// Closes the channel of a process that has exited, and has the others close
/// their copies of it.
fn close_slot(g: &Globals, log: Log, i: usize, slot: &ngx_process_t) {
    for end in 0..2 {
        if let Some(fd) = slot.take_channel(end) {
            close::close_end(g, log, fd);
        }
    }

    announce_exit(g, log, i, slot);
}

/// Empties the slot of a process that is to be started again, and reserves it:
/// at once, or later if its processes exit too often (`D4`).
fn wait_for_restart(g: &Globals, log: Log, i: usize, slot: &ngx_process_t) {
    slot.vacate();
    slot.set(Flag::Lost, true);
    info::of_child(g, i).is_without(State::Waiting);
    let _ = respawn::delay_after_exit(g, log, i);
}

/// Starts the process of a reserved slot again, if it is time; should that
/// fail the slot stays reserved, and it is tried again (`D2`).
fn start_again(g: &Globals, log: Log, i: usize, slot: &ngx_process_t, start: Start<'_>) {
    let now = restart::now();
    let restart = &info::of_child(g, i).restart;

    if !restart.may_start(now) {
        return;
    }

    let work = slot.work();
    let spawn = Spawn {
        work,
        start: &mut || start(work),
    };

    if spawn::spawn(g, log, spawn, Respawn::Slot(i)).is_ok() {
        announce(g, log);
        return;
    }

    log.error(
        Level::Alert,
        None,
        format_args!("could not respawn {}", work.name),
    );
    restart.after_failure(now);
}

fn new_binary_exited(g: &Globals, slot: &ngx_process_t) {
    if slot.pid() != g.new_binary.load(Relaxed) {
        return;
    }

    g.new_binary.store(0, Relaxed);

    if g.noaccepting.swap(0, Relaxed) != 0 {
        g.restart.store(1, Relaxed);
    }
}
