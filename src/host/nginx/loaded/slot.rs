//! Which slot a process takes when it joins. The caller has the lock.

use std::sync::atomic::Ordering::Relaxed;

use crate::host::globals::GLOBALS;
use crate::host::messages::shared::{Own, Region};
use crate::host::messages::table::{self, Held};
use crate::host::messages::{claim, region};
use crate::host::nginx::variables::ngx_worker;
use crate::message::identity::Identity;
use crate::message::lineage::{self, Lineage};
use crate::message::peers::{self, Heritage, Peer, State};
use crate::message::recover::recover;
use crate::sys::process;
use crate::table::role::NGX_PROCESS_WORKER;
use crate::table::slot::Slot;

/// Takes the slot. `None` if the region has no room.
pub(super) fn take(region: &Region, place: Slot) -> Option<Own> {
    let (memory, layout) = (&region.memory, &region.layout);
    let identity = Identity {
        worker: own_number(),
        generation: region::generation(),
        role: GLOBALS.process.load(Relaxed) as u64,
        master: region.master,
        place: u32::try_from(place.index()).ok(),
    };

    let (slot, lineage) = match given(region, place, identity) {
        Some((held, found)) if is_first(region, held, &found) => {
            if found.identity != identity {
                peers::appoint(memory, layout, held.slot, identity, held.lineage);
            }

            (held.slot, held.lineage)
        }
        Some((held, found)) => (
            held.slot,
            replace(region, held, found.incarnation, identity),
        ),
        None => claim(region, identity)?,
    };

    peers::set_pid(memory, layout, slot, GLOBALS.own_pid());

    Some(Own {
        slot,
        lineage,
        identity,
    })
}

/// The slot that the master has given to this process, or to the one before it: that of its
/// place, or another one if a fork has failed. `None` if it was recovered.
fn given(region: &Region, place: Slot, own: Identity) -> Option<(Held, Peer)> {
    let find = |slot| peers::dead_peer(&region.memory, &region.layout, slot);
    let of_place = table::get(place)
        .and_then(|held| Some((held, find(held.slot)?)))
        .filter(|(_, found)| found.identity.is_unknown() || found.identity == own);
    let others = (0..region.layout.sizes.slots)
        .filter_map(find)
        .filter(|found| {
            let expected = Identity {
                place: found.identity.place,
                ..own
            };

            found.identity == expected
        })
        .map(|found| (held(found.slot, found.lineage()), found));

    of_place
        .into_iter()
        .chain(others)
        // A process that looks at what waits in a vacant slot has claimed it.
        .filter(|(_, found)| !matches!(found.state, State::Vacant | State::Claimed))
        .find(|(held, _)| !runs(region, held.slot))
}

pub(super) fn held(slot: u32, lineage: Lineage) -> Held {
    Held {
        slot,
        lineage,
        is_new: false,
        is_new_binary: false,
    }
}

/// Whether no process has used a slot since the master has given it to this one.
fn is_first(region: &Region, held: Held, found: &Peer) -> bool {
    found.state == State::Starting
        && found.incarnation == held.lineage.incarnation
        && peers::pid(&region.memory, &region.layout, held.slot).is_none()
}

/// Claims a slot that has no process. `None` if there is none.
fn claim(region: &Region, identity: Identity) -> Option<(u32, Lineage)> {
    give_up_claims(region);

    let (slot, incarnation) = claim::for_process(region)?;
    let lineage = Lineage::stranger(incarnation);

    region.source().hand_over(slot, &identity);
    peers::appoint(&region.memory, &region.layout, slot, identity, lineage);

    Some((slot, lineage))
}

/// Makes the slots vacant whose claimants were killed. A process holds the lock while it has
/// a claim, and this process holds the lock now.
fn give_up_claims(region: &Region) {
    let (memory, layout) = (&region.memory, &region.layout);
    let (master, _) = region.master;
    let claimed = (0..layout.sizes.slots)
        .filter(|&slot| slot != master)
        .filter(|&slot| peers::claimed_by(memory, layout, slot) == Some(master));

    for slot in claimed {
        let (_, incarnation) = peers::state(memory, layout, slot);

        recover(memory, layout, slot, incarnation, Heritage::Stranger);
    }
}

/// Whether the process in a slot has joined, and runs.
fn runs(region: &Region, slot: u32) -> bool {
    let (memory, layout) = (&region.memory, &region.layout);
    let (state, _) = peers::state(memory, layout, slot);

    state.is_alive()
        && peers::pid(memory, layout, slot).is_some_and(|pid| !process::has_exited(pid))
}

/// In the master: whether a process that nginx has started takes a slot soon. The slot has
/// no process that runs, and the one that nginx has started last in this place runs, and
/// has no slot.
pub(super) fn is_awaited(region: &Region, slot: u32) -> bool {
    let (memory, layout) = (&region.memory, &region.layout);
    let has_slot =
        |pid| (0..layout.sizes.slots).any(|slot| peers::pid(memory, layout, slot) == Some(pid));
    let takes_slot = |place| {
        let pid = GLOBALS.table.get(place).pid();

        pid > 0 && !process::has_exited(pid) && !has_slot(pid)
    };
    let identity = peers::dead_peer(memory, layout, slot)
        .map(|peer| peer.identity)
        .unwrap_or_default();
    let is_awaited = match identity.place {
        Some(place) => takes_slot(Slot::new(place as usize)),
        // A process was killed while it wrote its identity, so its place is not known.
        None => identity.is_unknown() && GLOBALS.table.iter().any(|(place, _)| takes_slot(place)),
    };

    is_awaited && !runs(region, slot)
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
