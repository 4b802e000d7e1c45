//! The shared memory, and which process is in which slot.
//!
//! The process that starts the others, the master, makes the memory before its
//! first fork, or takes over the memory of the binary that has executed it. It
//! claims a slot of the region for itself and for each process that it starts.

use std::sync::OnceLock;
use std::sync::atomic::Ordering::Relaxed;

use nix::errno::Errno;

use super::settings::MASTERS;
use super::shared::{self, Own, Region};
use super::table::{self, Held};
use super::variables::ngx_pid;
use super::{claim, deliver, descriptors, inherited, local, orphans, program, register, settings};
#[cfg(not(feature = "standalone"))]
use crate::host::nginx::doorbell;
use crate::log::{Level, Log};
use crate::message::identity::Identity;
use crate::message::layout::Layout;
use crate::message::lineage::Lineage;
use crate::message::mapped::Mapped;
use crate::message::peers::{self, Heritage, State};
use crate::message::recover::{recover, show_records};
use crate::messaging::{keys, rows};
use crate::table::globals::{Globals, own_pid};
use crate::table::role::WorkerNumber;
use crate::table::slot::Slot;
use crate::table::{generation, role, stats};

static MEMORY: OnceLock<Mapped> = OnceLock::new();
static BOARD: OnceLock<Mapped> = OnceLock::new();

/// Makes the shared memory, or takes over that of the old binary, if messages are
/// wanted and there is none yet. Logs why if it cannot be made; the program then has
/// no messages.
///
/// `worker` is 0 in a single process, which is master and worker in one, else
/// `None`.
pub fn prepare(log: Log, worker: Option<u32>) {
    let settings = settings::get();

    if shared::get().is_some() {
        return;
    }

    if !register::has_messages() {
        inherited::close();
        return;
    }

    let inherited = inherited::take(log, settings.sizes());
    let is_inherited = inherited.is_some();
    let Some(region) = inherited
        .map(take_over)
        .or_else(|| create(log, worker.is_none()))
    else {
        return;
    };
    let identity = Identity {
        worker,
        generation: 0,
        role: program::role() as u64,
        master: region.master,
        place: None,
    };

    let (memory, layout) = (&region.memory, &region.layout);
    let (slot, incarnation) = region.master;
    let lineage = Lineage::stranger(incarnation);

    region.source().hand_over(slot, &identity);
    peers::appoint(memory, layout, slot, identity, lineage);
    peers::set_pid(memory, layout, slot, region.master_pid);
    use_bell_of_master(slot);
    shared::set(
        region,
        Some(Own {
            slot,
            lineage,
            identity,
        }),
    );

    if is_inherited {
        orphans::follow_parent();
    }

    register::number_all(log);
}

/// The memory of the old binary.
fn take_over(inherited: inherited::Memory) -> Region {
    let inherited::Memory {
        region,
        board,
        layout,
        master,
    } = inherited;

    Region {
        memory: MEMORY.get_or_init(|| region),
        board: BOARD.get_or_init(|| board),
        layout,
        master_pid: own_pid(&ngx_pid),
        master,
    }
}

/// Makes the memory, with what wakes up a master that receives messages, if `has_bell`.
/// Logs why if it cannot be made.
pub fn create(log: Log, has_bell: bool) -> Option<Region> {
    let Ok(layout) = Layout::new(settings::get().sizes()) else {
        log.refuse(format_args!("invalid sizes of messages"));
        return None;
    };
    let slots = layout.sizes.slots as usize;
    let made = Mapped::new(layout.size(), slots)
        .and_then(|memory| with_bell_of_master(memory, has_bell))
        .and_then(|memory| Ok((memory, Mapped::new(rows::size(layout.sizes.slots), 0)?)))
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
            #[cfg(not(feature = "standalone"))]
            doorbell::close();
            return None;
        }
    };

    layout.create(&memory);
    keys::create(&board);

    Some(Region {
        memory,
        board,
        layout,
        master_pid: own_pid(&ngx_pid),
        master: peers::claim(&memory, &layout, 0, |slot| (slot < MASTERS).then_some(0))?,
    })
}

/// Adds what wakes up nginx's masters, which have no event loops.
#[cfg(not(feature = "standalone"))]
fn with_bell_of_master(mut memory: Mapped, has_bell: bool) -> Result<Mapped, Errno> {
    if has_bell {
        for (slot, bell) in doorbell::make()?.into_iter().enumerate() {
            memory.set_bell(slot, bell);
        }
    }

    Ok(memory)
}

/// Does nothing: a master has an event loop, as the others have.
#[cfg(feature = "standalone")]
fn with_bell_of_master(memory: Mapped, _: bool) -> Result<Mapped, Errno> {
    Ok(memory)
}

/// Makes nginx's master of a slot get signals when it is woken up.
#[cfg(not(feature = "standalone"))]
fn use_bell_of_master(slot: u32) {
    doorbell::begin(slot as usize);
}

/// Does nothing: a master has an event loop, as the others have.
#[cfg(feature = "standalone")]
fn use_bell_of_master(_: u32) {}

/// Whether this process makes the memory before it starts its first process. In
/// nginx a module can start a process in `init_module`, when nginx is not a daemon
/// yet and so has another pid.
fn makes_memory(g: &Globals) -> bool {
    if cfg!(feature = "standalone") {
        role::acts_as_master(g)
    } else {
        role::is_master(g)
    }
}

/// Logs that the process in a slot of the table has no messages.
pub fn report_no_room(log: Log, slot: Slot) {
    let setting = if cfg!(feature = "standalone") {
        "message_processes"
    } else {
        "processes=\" of \"ipc_messages"
    };

    log.error(
        Level::Alert,
        None,
        format_args!("no room for the messages of the process in slot {slot}, see \"{setting}\""),
    );
}

/// Gives a slot of the region to a process that the parent forks next. From now on
/// others can send to the process. `again` says whether it replaces the previous
/// process of `slot`.
pub fn starting(g: &Globals, log: Log, slot: Slot, again: bool) {
    if makes_memory(g) {
        prepare(log, None);
    }

    let Some(region) = shared::get().filter(Region::is_mine) else {
        return;
    };

    let stats = stats::of_child(g, slot);
    let worker = WorkerNumber::to_c(stats.worker());
    let identity = Identity {
        worker: u32::try_from(worker).ok(),
        generation: stats.generation.load(Relaxed) as u64,
        role: stats.role().to_c() as u64,
        master: region.master,
        place: u32::try_from(slot.index()).ok(),
    };
    let held = appoint(&region, slot, identity, again);

    shared::set_next(held.map(|held| Own {
        slot: held.slot,
        lineage: held.lineage,
        identity,
    }));
    table::set(slot, held);

    if held.is_none() {
        report_no_room(log, slot);
    }
}

/// Gives a slot of the region to the process in the slot `place` of the table,
/// unless it has got one together with others, before the first of them was
/// forked.
pub fn appoint(region: &Region, place: Slot, identity: Identity, again: bool) -> Option<Held> {
    let before = table::get(place);
    let has_identity = |held: &Held| {
        peers::peer(&region.memory, &region.layout, held.slot)
            .is_some_and(|peer| peer.identity == identity)
    };

    if let Some(held) = before.filter(|held| held.is_new && !again && has_identity(held)) {
        return Some(Held {
            is_new: false,
            ..held
        });
    }

    let (slot, lineage) = match before {
        Some(held) if again => (held.slot, held.lineage.replacement()),
        _ => {
            // The process that had this place is not started again, or `reserve` has
            // given a slot to another process of this place.
            if let Some(held) = before {
                give_back(region, held, Heritage::Stranger);
            }

            let (slot, incarnation) = claim::for_process(region)?;

            region.source().hand_over(slot, &identity);
            (slot, Lineage::stranger(incarnation))
        }
    };

    peers::appoint(&region.memory, &region.layout, slot, identity, lineage);

    Some(Held {
        slot,
        lineage,
        is_new: !again,
        is_new_binary: false,
    })
}

/// Recovers the messages of a process that is dead, or that the parent could not
/// fork. `awaited` says whether the parent starts a replacement.
pub fn gone(slot: Slot, awaited: bool) {
    let Some(region) = shared::get().filter(Region::is_mine) else {
        return;
    };
    let Some(held) = table::get(slot) else {
        return;
    };

    if held.is_new_binary {
        new_binary_gone(&region, slot, held);
        return;
    }

    let heritage = if awaited {
        Heritage::Successor
    } else {
        Heritage::Stranger
    };

    give_back(&region, held, heritage);
    table::set(
        slot,
        awaited.then_some(Held {
            is_new: false,
            ..held
        }),
    );
    local::announce_change();
}

/// Records that the master of the new binary is dead. Its workers can still run, and
/// their slots name its slot.
fn new_binary_gone(region: &Region, place: Slot, held: Held) {
    table::set(place, None);
    show_records(&region.memory, &region.layout, held.slot);
    // The pid is that of a zombie, or of another process.
    peers::put_state(
        &region.memory,
        &region.layout,
        held.slot,
        held.lineage.incarnation,
        State::Dead,
    );
    orphans::recover();
}

/// Before a master exits: handles the messages that have arrived, and tells the program
/// of those that wait for dead processes.
pub fn finish(log: Log) {
    if shared::get().is_some_and(|region| region.is_mine()) {
        deliver::finish(log, true);
    }
}

/// Gives back the slot of a master that exits, because another binary can continue to
/// use the region. From now on this process sends and receives nothing.
pub fn leave() {
    let Some(region) = shared::get().filter(Region::is_mine) else {
        return;
    };
    let (slot, incarnation) = region.master;
    let held = Held {
        slot,
        lineage: Lineage::stranger(incarnation),
        is_new: false,
        is_new_binary: false,
    };

    local::prepare_to_leave();
    give_back(&region, held, Heritage::Stranger);
    local::with(|own| own.leave_vacant());
    local::announce_change();
    local::leave();
}

/// Gives back what a dead process of this master had claimed.
pub fn give_back(region: &Region, held: Held, heritage: Heritage) {
    recover(
        &region.memory,
        &region.layout,
        held.slot,
        held.lineage.incarnation,
        heritage,
    );

    if heritage == Heritage::Stranger {
        local::with(|own| own.add_vacant(held.slot));
    }
}

/// The generation of the workers that a set of this process has.
pub fn generation() -> u64 {
    generation::current() as u64
}
