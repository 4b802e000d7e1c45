//! The shared memory, and which process is in which slot.
//!
//! The process that starts the others, the master, makes the memory before its
//! first fork. It has slot 0 of the region; the process in slot N of
//! `ngx_processes` has slot N + 1.

use std::sync::OnceLock;
use std::sync::atomic::Ordering::Relaxed;

use super::shared::{self, MASTER, Region};
use super::variables::{ngx_pid, ngx_process};
use super::{descriptors, local, register, settings};
use crate::log::{Level, Log};
use crate::message::layout::Layout;
use crate::message::mapped::Mapped;
use crate::message::peers::{self, Heritage, Identity, State};
use crate::message::recover::recover;
use crate::messaging::{board, keys};
use crate::table::globals::{Globals, own_pid};
use crate::table::role::WorkerNumber;
use crate::table::slot::Slot;
use crate::table::{generation, role, stats};

static MEMORY: OnceLock<Mapped> = OnceLock::new();
static BOARD: OnceLock<Mapped> = OnceLock::new();

/// Makes the shared memory, if messages are wanted and there is none yet. Logs
/// why if it cannot be made; the program then has no messages.
///
/// `worker` is 0 in a single process, which is master and worker in one, else
/// `None`.
pub fn prepare(log: Log, worker: Option<u32>) {
    let settings = settings::get();

    if shared::get().is_some() || !(settings.always || register::is_any()) {
        return;
    }

    let Ok(layout) = Layout::new(settings.sizes()) else {
        log.refuse(format_args!("invalid sizes of messages"));
        return;
    };
    let slots = layout.sizes.slots as usize;
    let made = Mapped::new(layout.size(), slots)
        .and_then(|memory| Ok((memory, Mapped::new(board::SIZE, 0)?)))
        .and_then(|made| {
            if register::is_any_with_descriptors() {
                descriptors::prepare(slots)?;
            }

            Ok(made)
        });
    let (memory, board) = match made {
        Ok((memory, board)) => (MEMORY.get_or_init(|| memory), BOARD.get_or_init(|| board)),
        Err(err) => {
            log.error(
                Level::Alert,
                Some(err),
                format_args!("no shared memory for messages"),
            );
            return;
        }
    };

    layout.create(&memory);
    keys::create(&board);

    let identity = Identity {
        worker,
        generation: 0,
        role: ngx_process.load(Relaxed) as u64,
    };

    peers::appoint(&memory, &layout, MASTER, identity, Heritage::Stranger);

    shared::set(Region {
        memory,
        board,
        layout,
        master: own_pid(&ngx_pid),
    });

    register::number_all(log);
}

/// In the parent, before the process of a slot is forked: others can send to the
/// process from now on. `again` says whether it replaces the previous process of
/// the slot.
pub fn starting(g: &Globals, log: Log, slot: Slot, again: bool) {
    if role::acts_as_master(g) {
        prepare(log, None);
    }

    let Some(region) = shared::get().filter(Region::is_mine) else {
        return;
    };

    shared::set_next(region.slot_of(slot));

    let Some(number) = region.slot_of(slot) else {
        log.error(
            Level::Alert,
            None,
            format_args!("no room for the messages of the process in slot {slot}"),
        );
        return;
    };

    let (state, _) = peers::state(&region.memory, &region.layout, number);

    if state == State::Starting && !again {
        // The process has got its slot together with others, before the first of
        // them was forked.
        return;
    }

    let stats = stats::of_child(g, slot);
    let worker = WorkerNumber::to_c(stats.worker());
    let identity = Identity {
        worker: u32::try_from(worker).ok(),
        generation: stats.generation.load(Relaxed) as u64,
        role: stats.role().to_c() as u64,
    };
    let heritage = if again {
        Heritage::Successor
    } else {
        Heritage::Stranger
    };

    peers::appoint(&region.memory, &region.layout, number, identity, heritage);
}

/// In the parent, when the process of a slot is known to be dead, or could not
/// be forked. `awaited` says whether a replacement will be started.
pub fn gone(slot: Slot, awaited: bool) {
    let Some(region) = shared::get().filter(Region::is_mine) else {
        return;
    };
    let Some(number) = region.slot_of(slot) else {
        return;
    };
    let (_, incarnation) = peers::state(&region.memory, &region.layout, number);

    if incarnation == 0 {
        // The slot has never had a process.
        return;
    }

    let heritage = if awaited {
        Heritage::Successor
    } else {
        Heritage::Stranger
    };

    recover(
        &region.memory,
        &region.layout,
        number,
        incarnation,
        heritage,
    );
    local::announce_change();
}

/// The generation of the workers that a set of this process has.
pub fn generation() -> u64 {
    generation::current() as u64
}
