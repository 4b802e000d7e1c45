//! The processes of an unmodified nginx that has loaded the library. nginx's master keeps no
//! list of them that others can read, so these are the processes that have a slot for
//! messages.

use std::ffi::c_int;
use std::ptr;

use crate::config::{NGX_INVALID_PID, ngx_int_t, ngx_uint_t};
use crate::host::introspect::ngx_ipc_process_t;
use crate::host::messages::shared::{self, Region};
use crate::host::messages::statistics::totals;
use crate::message::peers::{self, Peer, State as PeerState};
use crate::table::slot::{NGX_MAX_PROCESSES, Slot};
use crate::table::state::State;

/// A number that is not known.
const UNKNOWN: ngx_int_t = -1;

/// Calls `found` for each process that nginx's master has started and that has messages, in
/// the order of the slots of `ngx_processes`.
pub fn each(found: &mut dyn FnMut(ngx_ipc_process_t)) {
    let Some(region) = shared::get() else { return };
    // The slot for messages plus 1; 0: there is no process.
    let mut slots = [0; NGX_MAX_PROCESSES];
    let mut newest = 0;

    for slot in 0..region.layout.sizes.slots {
        if let Some(peer) = peer(&region, slot)
            && let Some(entry) = peer.identity.place.and_then(|n| slots.get_mut(n as usize))
        {
            *entry = slot + 1;
            newest = newest.max(peer.identity.generation);
        }
    }

    for (place, slot) in slots.iter().enumerate() {
        if let Some(slot) = slot.checked_sub(1)
            && let Some(peer) = peer(&region, slot)
        {
            found(describe(&region, Slot::new(place), &peer, newest));
        }
    }
}

/// The process in a slot of the region; `None` if there is none, or if it is of another
/// nginx.
fn peer(region: &Region, slot: u32) -> Option<Peer> {
    let is_used = |state: PeerState| state.is_alive() || state == PeerState::Awaited;

    if !is_used(peers::state(&region.memory, &region.layout, slot).0) {
        return None;
    }

    peers::peer(&region.memory, &region.layout, slot)
        .filter(|peer| is_used(peer.state) && peer.identity.master == region.master)
}

/// Describes a process. What only the master could count is 0.
fn describe(region: &Region, place: Slot, peer: &Peer, newest: u64) -> ngx_ipc_process_t {
    let pid = peers::pid(&region.memory, &region.layout, peer.slot);
    let messages = totals(place).unwrap_or_default();
    let state = match peer.state {
        PeerState::Awaited => State::Waiting,
        _ if pid.is_none() => State::Waiting,
        PeerState::Leaving => State::Exiting,
        // nginx has told the processes of earlier generations to exit.
        _ if peer.identity.generation < newest => State::Exiting,
        _ => State::Running,
    };

    ngx_ipc_process_t {
        slot: place.to_c(),
        pid: match state {
            State::Waiting => NGX_INVALID_PID,
            _ => pid.unwrap_or(NGX_INVALID_PID),
        },
        state: state as c_int,
        worker: peer.identity.worker.map_or(UNKNOWN, |n| n as ngx_int_t),
        generation: peer.identity.generation as ngx_uint_t,
        role: peer.identity.role as ngx_uint_t,
        name: ptr::null(),
        started: 0,
        respawns: 0,
        sent: 0,
        queued: 0,
        queued_max: 0,
        dropped: 0,
        messages_sent: messages.sent,
        messages_refused: messages.refused,
        messages_received: messages.received,
        messages_waiting: messages.waiting,
        messages_deepest: messages.deepest,
        messages_lost: messages.lost,
        messages_unknown: messages.unknown,
        cpu_user: UNKNOWN,
        cpu_system: UNKNOWN,
        rss: UNKNOWN,
    }
}
