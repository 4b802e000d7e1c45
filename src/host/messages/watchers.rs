//! The functions of the program that are called for other events than messages.

use std::mem;
use std::ptr::NonNull;

use nix::errno::Errno;

#[cfg(not(feature = "standalone"))]
use super::epoch;
use super::types::{
    first_size_of_watch, ngx_ipc_gap_pt, ngx_ipc_gap_t, ngx_ipc_message_watch_t, ngx_ipc_peer_pt,
    ngx_ipc_peer_t,
};
use crate::host::sized;
use crate::message::peers::Peer;
use crate::messaging::address::Address;
use crate::sys::heap;
use crate::sys::lock::Lock;

/// A structure of the program.
///
/// Invariant: the functions can be called with `ctx`, as long as the program
/// runs, or, in nginx, until the program has another configuration and
/// `forget_older` was called.
#[derive(Clone, Copy)]
struct Watcher {
    /// The address of the program's structure.
    address: usize,
    /// The configuration for which it was added.
    #[cfg(not(feature = "standalone"))]
    epoch: usize,
    watch: ngx_ipc_message_watch_t,
}

// SAFETY: the static below needs a `Send` type. The program has one thread,
// which alone passes `ctx` to the functions.
unsafe impl Send for Watcher {}

static WATCHERS: Lock<Vec<Watcher>> = Lock::new(Vec::new());

/// The reason for which a function is called.
#[derive(Clone, Copy)]
pub enum Told {
    /// A process runs.
    Up,
    /// A process is dead.
    Down,
    /// A process has room.
    Room,
}

/// Makes C's structure of a process.
pub fn peer(peer: &Peer) -> ngx_ipc_peer_t {
    ngx_ipc_peer_t {
        to: Address::of_process(peer.slot, peer.incarnation),
        slot: peer.identity.place.map_or(-1, |place| place as isize),
        worker: peer.identity.worker.map_or(-1, |worker| worker as isize),
        generation: peer.identity.generation as usize,
        incarnation: peer.incarnation as usize,
        role: peer.identity.role as usize,
    }
}

/// Adds a structure of the program, which has `size` bytes. Returns EINVAL if
/// the size is less than in version 0.1, and ENOMEM if there is no memory.
///
/// # Safety
///
/// `address` has `size` readable bytes. Its functions can be called with its data
/// as long as the program runs.
pub unsafe fn add(address: NonNull<ngx_ipc_message_watch_t>, size: usize) -> Result<(), Errno> {
    if !sized::is_valid(size, first_size_of_watch()) {
        return Err(Errno::EINVAL);
    }

    // SAFETY: all fields can be zero: they are pointers and `Option`s of
    // function pointers.
    let defaults = unsafe { mem::zeroed() };
    // SAFETY: the caller passes a structure with `size` bytes, and in each
    // version it ends with a field.
    let watch = unsafe { sized::read(address.as_ptr(), size, defaults) };

    let watcher = Watcher {
        address: address.as_ptr().addr(),
        #[cfg(not(feature = "standalone"))]
        epoch: epoch::current(),
        watch,
    };
    let mut watchers = WATCHERS.lock();
    let known = watchers
        .iter_mut()
        .find(|known| known.address == watcher.address);

    // A module adds its structure again at each reload.
    match known {
        Some(known) => {
            *known = watcher;
            Ok(())
        }
        None => heap::push(&mut watchers, watcher),
    }
}

/// Forgets the functions that were added for an older configuration, whose modules
/// can be gone.
#[cfg(not(feature = "standalone"))]
pub fn forget_older() {
    let epoch = epoch::current();

    WATCHERS.lock().retain(|known| known.epoch == epoch);
}

/// Whether a function is told of processes that start and die.
pub fn want_changes() -> bool {
    WATCHERS
        .lock()
        .iter()
        .any(|Watcher { watch, .. }| watch.peer_up.is_some() || watch.peer_down.is_some())
}

/// The watchers one after the other. The list is not locked while the caller
/// uses one, because a function can add one.
fn all() -> impl Iterator<Item = Watcher> {
    (0..).map_while(|index| WATCHERS.lock().get(index).copied())
}

/// Calls the functions of the program that are told of a process.
pub fn tell(what: Told, peer: &ngx_ipc_peer_t) {
    for Watcher { watch, .. } in all() {
        let function: ngx_ipc_peer_pt = match what {
            Told::Up => watch.peer_up,
            Told::Down => watch.peer_down,
            Told::Room => watch.room,
        };

        if let Some(function) = function {
            // SAFETY: the function can be called with `ctx` (the invariant of
            // `Watcher`) and with a valid peer.
            unsafe { function(watch.ctx, peer) };
        }
    }
}

/// Calls the functions of the program that are told of lost messages. Returns
/// whether there is one.
pub fn tell_gap(gap: &ngx_ipc_gap_t) -> bool {
    let mut is_any = false;

    for Watcher { watch, .. } in all() {
        let function: ngx_ipc_gap_pt = watch.gap;

        if let Some(function) = function {
            is_any = true;
            // SAFETY: the function can be called with `ctx` (the invariant of
            // `Watcher`) and with a valid gap.
            unsafe { function(watch.ctx, gap) };
        }
    }

    is_any
}
