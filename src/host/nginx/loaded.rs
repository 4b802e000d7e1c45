//! Messages in an unmodified nginx that has loaded the library as a dynamic module.
//!
//! nginx's own code starts and reaps the processes there. Its master calls the library
//! only in `init_module`, before it starts the processes of a configuration:
//!
//! - The master makes the memory, and gives a slot to each worker and helper that it
//!   starts next. Which one is in private memory, of which each process has a copy. The
//!   master has no slot, because it has no event loop: it sends and receives nothing.
//! - A process finds its slot in its copy, in `init_process`. If the slot had a process
//!   before, nginx has started this one in its place. So it recovers what that process had
//!   claimed, and takes over its messages.
//! - A process that exits because it was told to gives its slot back. If it was killed
//!   before, a process of a newer configuration recovers the slot, or the master at the
//!   next reload.
//!
//! Whoever changes the slots of others holds a lock. It is in shared memory, and a process
//! takes it over if its owner is dead.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicU32};

use super::variables::{ngx_exiting, ngx_worker};
use crate::host::globals::GLOBALS;
use crate::host::lock_owner;
use crate::host::messages::shared::{self, NOT_A_MEMBER, Own, Region};
use crate::host::messages::table::{self, Held};
use crate::host::messages::variables::has_member_as_master;
use crate::host::messages::{
    deliver, local, orphans, region, register, reserve, settings, slot_lock, watchers,
};
use crate::log::{Level, Log};
use crate::message::lineage::{self, Lineage};
use crate::message::peers::{self, Heritage, Identity, State};
use crate::message::recover::recover;
use crate::sys::lock::Lock;
use crate::sys::process;
use crate::table::generation;
use crate::table::role::{NGX_PROCESS_HELPER, NGX_PROCESS_WORKER};
use crate::table::slot::{NGX_MAX_PROCESSES, Slot};

/// The processes that nginx starts for a configuration.
#[derive(Clone, Copy)]
struct Plan {
    workers: usize,
    helpers: usize,
}

/// In the master: the processes of the newest configuration, which have no slots yet.
static PLAN: Lock<Option<Plan>> = Lock::new(None);
/// The number of the worker that nginx starts in a slot of `ngx_processes`, plus 1; 0: it
/// starts no worker there.
static WORKERS: [AtomicU32; NGX_MAX_PROCESSES] = [const { AtomicU32::new(0) }; NGX_MAX_PROCESSES];
/// Whether [`leave`] is called when this process exits. Children inherit both.
static HAS_EXIT_HANDLER: AtomicBool = AtomicBool::new(false);

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
    if shared::get().is_none() && !settings::get().always && !register::is_any() {
        return;
    }

    let Some(plan) = PLAN.lock().take() else {
        return;
    };
    let Some(region) = shared::get().or_else(|| make(log)) else {
        return;
    };

    slot_lock::with(|| {
        orphans::recover_in_master(&region);
        table::clear();
        reserve::in_region(&GLOBALS, &region, plan.workers, plan.helpers);
    });

    for (place, worker) in WORKERS.iter().enumerate() {
        let held = table::get(Slot::new(place));
        let given = held.and_then(|held| peers::peer(&region.memory, &region.layout, held.slot));
        let number = given.and_then(|peer| peer.identity.worker);

        worker.store(number.map_or(0, |number| number + 1), Relaxed);
    }
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
/// this process, or to the one before it.
pub fn join(log: Log) {
    let place = GLOBALS.process_slot();
    let Some(region) = shared::get() else { return };

    match slot_lock::with(|| take_slot(&region, place)).flatten() {
        Some(own) => {
            shared::join(GLOBALS.parent.load(Relaxed), own);

            if !HAS_EXIT_HANDLER.load(Relaxed) {
                HAS_EXIT_HANDLER.store(process::at_exit(leave).is_ok(), Relaxed);
            }
        }
        None => log.error(
            Level::Alert,
            None,
            format_args!("no room for the messages of the process in slot {place}"),
        ),
    }
}

/// Takes the slot. `None` if the master has given none, or if a newer configuration has it.
fn take_slot(region: &Region, place: Slot) -> Option<Own> {
    let (memory, layout) = (&region.memory, &region.layout);
    let held = table::get(place)?;
    let found = peers::peer(memory, layout, held.slot)?;
    let identity = Identity {
        worker: own_number(),
        generation: region::generation(),
        role: GLOBALS.process.load(Relaxed) as u64,
        master: region.master,
        place: u32::try_from(place.index()).ok(),
    };
    let expected = WORKERS.get(place.index())?.load(Relaxed).checked_sub(1);
    let is_of_another = !found.identity.is_unknown() && found.identity != identity;

    if expected != identity.worker || is_of_another {
        return None;
    }

    let is_first = found.state == State::Starting
        && found.incarnation == held.lineage.incarnation
        && peers::pid(memory, layout, held.slot).is_none();
    let lineage = if is_first {
        held.lineage
    } else {
        replace(region, held, found.incarnation, identity)
    };

    peers::set_pid(memory, layout, held.slot, GLOBALS.own_pid());

    Some(Own {
        slot: held.slot,
        lineage,
        identity,
    })
}

/// The number of this worker; `None` in a helper.
fn own_number() -> Option<u32> {
    if GLOBALS.process.load(Relaxed) == NGX_PROCESS_WORKER {
        u32::try_from(ngx_worker.load(Relaxed)).ok()
    } else {
        None
    }
}

/// Recovers what the process before this one had claimed, and appoints this one. Whatever
/// the slot says, the new process gets another incarnation, and takes over the messages to
/// those before it.
fn replace(region: &Region, held: Held, before: u32, identity: Identity) -> Lineage {
    let (memory, layout) = (&region.memory, &region.layout);
    let lineage = Lineage {
        incarnation: lineage::next(before),
        line: held.lineage.line,
    };

    recover(memory, layout, held.slot, before, Heritage::Successor);
    peers::appoint(memory, layout, held.slot, identity, lineage);

    lineage
}

/// Whether this process was told to exit, so that nginx starts no other one in its place.
pub fn is_told_to_exit() -> bool {
    ngx_exiting.load(Relaxed) != 0 || GLOBALS.leaving()
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
        deliver::finish(lock_owner::log(), is_told_to_exit());
    }

    if is_told_to_exit() || process::getppid() != region.master_pid {
        let held = Held {
            slot: own.slot,
            lineage: own.lineage,
            is_new: false,
            is_new_binary: false,
        };

        local::prepare_to_leave();
        region::give_back(&region, held, Heritage::Stranger);
        local::announce_change();
        local::leave();
    }
}
