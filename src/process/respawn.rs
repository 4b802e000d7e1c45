//! Starting a process again after it has exited: at once, or after a delay if
//! the process keeps failing right after its start (`D4`). A start that fails
//! is retried (`D2`).
//!
//! Until the process is started again, its slot is reserved: no other process
//! gets the slot. The slot's [`Restart`](crate::table::restart::Restart) has the
//! time at which the process is due.

#[cfg(feature = "standalone")]
use std::sync::atomic::AtomicBool;
#[cfg(feature = "standalone")]
use std::sync::atomic::Ordering::Relaxed;

use crate::config::ngx_msec_t;
use crate::log::{Level, Log};
use crate::sys::process::Ended;
use crate::table::globals::Globals;
use crate::table::restart::{self, now};
use crate::table::slot::Slot;
use crate::table::stats;

/// Calculates when the process of a slot, which has exited, may be started
/// again. Returns the delay in milliseconds. A delay that is not 0 is logged as
/// a warning.
pub fn delay_after_exit(g: &Globals, log: Log, slot: Slot) -> ngx_msec_t {
    let entry = g.table.get(slot);
    let failed = Ended::new(entry.status()) != Ended::Code(0);
    let delay = restart::of_child(slot).after_exit(now(), failed);

    if delay != 0 {
        log.error(
            Level::Warn,
            None,
            format_args!(
                "{} exits too often, respawning in {delay} ms",
                entry.work().name
            ),
        );
    }

    delay
}

/// Empties a slot and reserves the slot for the process that it had. The caller
/// has closed the descriptors of the slot before.
pub fn reserve(g: &Globals, slot: Slot) {
    g.table.get(slot).reserve();
    stats::of_child(g, slot).set_waiting();
}

/// Handles a failed start of the process of a slot: reserves the slot, and
/// makes the process due after a delay.
pub fn start_failed(g: &Globals, slot: Slot) {
    restart::of_child(slot).after_failure(now());
    reserve(g, slot);
}

/// Whether the process of a reserved slot may be started now. A process that
/// could not be started may be retried before it is due; a process that keeps
/// failing right after its start has to wait.
pub fn may_start(slot: Slot) -> bool {
    restart::of_child(slot).may_start(now())
}

/// True while this process cannot fork, because it has several threads.
#[cfg(feature = "standalone")]
static HELD: AtomicBool = AtomicBool::new(false);

/// Sets whether `ngx_reap_children` keeps slots reserved and starts no process, because
/// this process has several threads.
#[cfg(feature = "standalone")]
pub fn hold(on: bool) {
    HELD.store(on, Relaxed);
}

/// Whether no process is started now.
#[cfg(feature = "standalone")]
pub fn is_held() -> bool {
    HELD.load(Relaxed)
}

/// Makes the process of a reserved slot due again after a delay, if it is due now.
/// Returns true if it was.
#[cfg(feature = "standalone")]
pub fn postpone(slot: Slot) -> bool {
    let now = now();
    let restart = restart::of_child(slot);
    let is_due = restart.due_in(now) == 0;

    if is_due {
        restart.after_failure(now);
    }

    is_due
}

/// Makes the processes of all reserved slots due now.
#[cfg(not(feature = "standalone"))]
pub fn end_delays(g: &Globals) {
    let now = now();

    for slot in reserved(g) {
        restart::of_child(slot).end_delay(now);
    }
}

/// Empties a reserved slot, whose process is not wanted any more. A slot whose
/// process has exited keeps its channel, which `ngx_reap_children` closes.
pub fn give_up(g: &Globals, slot: Slot) {
    let entry = g.table.get(slot);

    if entry.is_reserved() {
        entry.vacate();
    }

    (g.gone)(slot, false);
    stats::of_child(g, slot).clear();
}

/// Milliseconds until the process of a reserved slot is due; `None` if no slot
/// is reserved.
#[inline]
pub fn next_due(g: &Globals) -> Option<ngx_msec_t> {
    // Each round of an event loop calls this function, and mostly no slot is reserved.
    if is_any_reserved(g) {
        next_due_of_reserved(g)
    } else {
        None
    }
}

#[cold]
fn next_due_of_reserved(g: &Globals) -> Option<ngx_msec_t> {
    let now = now();

    reserved(g)
        .map(|slot| restart::of_child(slot).due_in(now))
        .min()
}

/// Whether a slot is reserved.
#[inline]
pub fn is_any_reserved(g: &Globals) -> bool {
    g.table.iter().any(|(_, entry)| entry.is_reserved())
}

/// The reserved slots whose processes are due now.
pub fn due(g: &Globals) -> impl Iterator<Item = Slot> {
    let now = now();

    reserved(g).filter(move |&slot| restart::of_child(slot).due_in(now) == 0)
}

fn reserved(g: &Globals) -> impl Iterator<Item = Slot> + use<> {
    g.table
        .iter()
        .filter(|(_, entry)| entry.is_reserved())
        .map(|(slot, _)| slot)
}
