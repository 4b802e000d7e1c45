//! Frees the slots of processes that have exited, or starts these processes
//! again, `ngx_reap_children`.

use std::sync::atomic::Ordering::Relaxed;

use super::announce::{announce, announce_exit};
use super::log_child::log_child;
use super::start_workers::Start;
use crate::channel::{close, queue};
use crate::config::NGX_INVALID_PID;
use crate::log::{Level, Log};
use crate::process::exit_fd;
use crate::process::missed;
use crate::process::mode::Mode;
use crate::process::respawn;
use crate::process::spawn::{self, Spawn};
use crate::process::wanted::Wanted;
#[cfg(feature = "standalone")]
use crate::sys::text::Text;
use crate::table::globals::Globals;
use crate::table::slot::Slot;
use crate::table::slots::{Flag, ngx_process_t};
use crate::table::stats;

/// Reaps the children that the handler of SIGCHLD has not found. Clears the slots
/// of the processes that have exited, tells the other processes, and respawns the
/// processes whose mode demands it.
///
/// Returns true if the master has to wait for a process, which runs or will be
/// started.
pub fn reap_children(g: &Globals, log: Log, start: Start<'_>) -> bool {
    let mut live = false;

    queue::flush(g, log);
    missed::reap_missed(g, log);

    for (slot, entry) in g.table.iter() {
        log_child(log, slot, entry);
        live |= reap_child(g, log, slot, entry, start);
    }

    exit_fd::update(g);

    live
}

/// Handles one slot. Returns true if the master has to wait for the process of
/// the slot: the process runs, or it will be started.
fn reap_child(g: &Globals, log: Log, slot: Slot, entry: &ngx_process_t, start: Start<'_>) -> bool {
    if entry.is_reserved() {
        return wait_or_start(g, log, slot, start);
    }

    if !entry.is(Flag::Exited) || entry.pid() == NGX_INVALID_PID {
        return entry.occupied() && (entry.is(Flag::Exiting) || !entry.is(Flag::Detached));
    }

    if !entry.is(Flag::Detached) {
        close_channel(g, log, entry);
        announce_exit(g, log, slot);
    }

    if entry.is(Flag::Respawn) && !entry.is(Flag::Exiting) && !g.leaving() {
        respawn::reserve(g, slot);
        (g.gone)(slot, true);
        respawn::delay_after_exit(g, log, slot);
        start_again(g, log, slot, start);
        return true;
    }

    new_binary_exited(g, entry);
    g.table.release(slot);
    (g.gone)(slot, false);
    stats::of_child(g, slot).clear();

    false
}

/// Handles a reserved slot: starts its process, or waits until the process is due.
/// A program that is about to exit starts no process.
fn wait_or_start(g: &Globals, log: Log, slot: Slot, start: Start<'_>) -> bool {
    if g.leaving() {
        return false;
    }

    start_again(g, log, slot, start);
    true
}

fn close_channel(g: &Globals, log: Log, entry: &ngx_process_t) {
    for end in 0..2 {
        if let Some(fd) = entry.take_channel(end) {
            close::close_end(g, log, fd);
        }
    }
}

/// Starts the process of a reserved slot again, unless the process has to wait
/// because it keeps failing right after its start. If the start fails, the slot
/// stays reserved, and the master retries later (`D2`).
fn start_again(g: &Globals, log: Log, slot: Slot, start: Start<'_>) {
    if !respawn::may_start(slot) {
        return;
    }

    let work = g.table.get(slot).work();

    #[cfg(feature = "standalone")]
    if respawn::is_held() {
        postpone(log, slot, work.name);
        return;
    }

    let spawn = Spawn {
        wanted: Wanted::new(work),
        start: &mut || start(work),
    };

    if spawn::spawn(g, log, spawn, Mode::Again(slot)).is_ok() {
        announce(g, log);
        return;
    }

    log.error(
        Level::Alert,
        None,
        format_args!("could not respawn {}", work.name),
    );
    respawn::start_failed(g, slot);
}

/// Makes the start of a reserved slot's process due again later, because this process
/// cannot fork now.
#[cfg(feature = "standalone")]
fn postpone(log: Log, slot: Slot, name: Text) {
    if respawn::postpone(slot) {
        log.error(
            Level::Alert,
            None,
            format_args!("could not respawn {name}: this process has several threads"),
        );
    }
}

/// Clears `ngx_new_binary` if the process that has exited is the new binary. If
/// the master has shut down its workers for the new binary, makes the master
/// start them again.
fn new_binary_exited(g: &Globals, entry: &ngx_process_t) {
    if entry.pid() != g.new_binary.load(Relaxed) {
        return;
    }

    g.new_binary.store(0, Relaxed);

    if g.noaccepting.swap(0, Relaxed) != 0 {
        g.restart.store(1, Relaxed);
    }
}
