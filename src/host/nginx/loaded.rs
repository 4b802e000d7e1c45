//! Messages in an unmodified nginx that has loaded the library as a dynamic module.
//!
//! nginx's own code starts and reaps the processes there. Its master calls the library
//! only in `init_module`, before it starts the processes of a configuration:
//!
//! - The master makes the memory, and gives a slot to each worker and helper that it
//!   starts next. The table of these slots is in private memory, of which each process has
//!   a copy. The master has no slot, because it has no event loop: it sends and receives
//!   nothing.
//! - A process finds its slot in its copy, in `init_process`. If the slot had a process
//!   before, nginx has started this one in its place. So it recovers what that process had
//!   claimed, and takes over its messages.
//! - If a fork fails, nginx starts the next process in the place of the one that is
//!   missing. So a process looks for its slot in the shared memory, too.
//! - A process that exits and gets no replacement gives its slot back. If it was killed
//!   before, a process of a newer configuration recovers the slot, or the master at the
//!   next reload.
//!
//! A process that changes the slots of others holds a lock. The lock is in shared memory.
//! Another process takes it over if its owner is dead.

mod slot;

use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;

use super::variables::ngx_exiting;
use crate::host::globals::GLOBALS;
use crate::host::lock_owner;
use crate::host::messages::shared::{self, NOT_A_MEMBER, Region};
use crate::host::messages::table;
use crate::host::messages::variables::has_member_as_master;
use crate::host::messages::{
    deliver, local, orphans, region, register, reserve, slot_lock, watchers,
};
use crate::log::{Level, Log};
use crate::message::peers::Heritage;
use crate::sys::lock::Lock;
use crate::sys::process;
use crate::table::generation;
use crate::table::role::{NGX_PROCESS_HELPER, NGX_PROCESS_WORKER};

/// The processes that nginx starts for a configuration.
#[derive(Clone, Copy)]
struct Plan {
    workers: usize,
    helpers: usize,
}

/// In the master: the processes of the newest configuration, which have no slots yet.
static PLAN: Lock<Option<Plan>> = Lock::new(None);
/// Whether the event loop of this process has handled messages.
static HAS_RUN: AtomicBool = AtomicBool::new(false);
/// Whether [`leave`] is called when this process exits. Children inherit both.
static HAS_EXIT_HANDLER: AtomicBool = AtomicBool::new(false);
/// Whether this process has tried to take a slot.
static HAS_TRIED: AtomicBool = AtomicBool::new(false);

/// In the master, in `init_module`: nginx starts so many processes next. They get slots
/// when the configuration of messages is known.
pub fn begin(workers: usize, helpers: usize) {
    generation::begin_next();
    register::forget_older();
    watchers::forget_older();
    *PLAN.lock() = Some(Plan { workers, helpers });
}

/// In the master, in `init_module`: a configuration of messages is known, or a module has
/// registered a type. Gives slots to the processes that nginx starts next, if they have
/// not got them already and the program has messages.
pub fn configured(log: Log) {
    // The master does not have its role yet in the first `init_module`.
    let role = GLOBALS.process.load(Relaxed);

    if !has_member_as_master() && role != NGX_PROCESS_WORKER && role != NGX_PROCESS_HELPER {
        give_slots(log);
    }
}

fn give_slots(log: Log) {
    if shared::get().is_none() && !register::has_messages() {
        return;
    }

    let Some(plan) = PLAN.lock().take() else {
        return;
    };
    let Some(region) = shared::get().or_else(|| make(log)) else {
        return;
    };

    slot_lock::with(|| {
        orphans::recover_in_master(&region, &|slot| slot::is_awaited(&region, slot));
        table::clear();
        reserve::in_region(&GLOBALS, &region, plan.workers, plan.helpers);
    });
}

/// Makes the memory. Logs why if it cannot be made.
fn make(log: Log) -> Option<Region> {
    if let Err(err) = slot_lock::make() {
        log.error(
            Level::Alert,
            Some(err),
            format_args!("no shared memory for messages"),
        );
        return None;
    }

    let region = Region {
        master_pid: NOT_A_MEMBER,
        ..region::create(log, false)?
    };

    shared::set(region, None);
    register::number_all(log);

    Some(region)
}

/// In a worker or helper, in `init_process`: takes the slot that the master has given to
/// this process, or to the one before it. Returns false if this process gets no slot. The
/// first call waits for the lock, and logs an alert if there is no slot; later calls do
/// neither.
pub fn join(log: Log) -> bool {
    let place = GLOBALS.process_slot();
    let Some(region) = shared::get() else {
        return true;
    };

    if region.own().is_some() {
        return true;
    }

    let is_first = !HAS_TRIED.swap(true, Relaxed);
    let take = || slot::take(&region, place);
    let taken = if is_first {
        slot_lock::with(take)
    } else {
        slot_lock::try_with(take)
    };

    // If the lock could not be taken, the log says so already.
    if is_first && matches!(taken, Some(None)) {
        region::report_no_room(log, place);
    }

    let Some(own) = taken.flatten() else {
        return false;
    };

    shared::join(GLOBALS.parent.load(Relaxed), own);

    if !HAS_EXIT_HANDLER.load(Relaxed) {
        HAS_EXIT_HANDLER.store(process::at_exit(leave).is_ok(), Relaxed);
    }

    if !is_first {
        log.error(
            Level::Notice,
            None,
            format_args!("the process in slot {place} has got room for its messages"),
        );
    }

    true
}

/// Whether this process was told to exit, so that nginx starts no other one in its place.
pub fn is_told_to_exit() -> bool {
    ngx_exiting.load(Relaxed) != 0 || GLOBALS.leaving()
}

/// The event loop of this process handles messages.
pub fn note_run() {
    HAS_RUN.store(true, Relaxed);
}

/// Whether nginx starts another process in place of this one, which exits. It starts none
/// in place of a cache loader, nor of a worker that exits with 2, because its
/// initialization has failed.
fn gets_replacement(region: &Region) -> bool {
    GLOBALS.process.load(Relaxed) == NGX_PROCESS_WORKER
        && HAS_RUN.load(Relaxed)
        && !is_told_to_exit()
        && process::getppid() == region.master_pid
}

/// When this process exits: gives back its slot, if it gets no replacement. A helper
/// handles the messages that have arrived, as a worker has in `exit_process`. An exit
/// handler, because modules can send until then, and nginx's helpers exit without a hook.
extern "C" fn leave() {
    let Some((region, own)) = shared::get().and_then(|region| Some((region, region.own()?))) else {
        return;
    };

    // A child that a module has forked itself has a copy of `ngx_pid` too. A module can
    // call exit() in a signal handler, while this process uses its slot.
    if GLOBALS.own_pid() != process::getpid() || local::is_in_use() {
        return;
    }

    if GLOBALS.process.load(Relaxed) == NGX_PROCESS_HELPER {
        deliver::finish(lock_owner::log(), true);
    }

    if !gets_replacement(&region) {
        let held = slot::held(own.slot, own.lineage);

        local::prepare_to_leave();
        // While the slot is being given back, it looks as if this process was dead.
        slot_lock::with(|| region::give_back(&region, held, Heritage::Stranger));
        local::with(local::Own::pass_on_own_slot);
        local::announce_change();
        local::leave();
    }
}
