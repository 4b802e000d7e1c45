//! The numbers of messages: of each process, of each type, and from each process to
//! each other.

use std::ffi::c_char;
use std::ptr::NonNull;

use super::counts::{
    first_size_of_counts, first_size_of_pair, ngx_ipc_message_counts_t, ngx_ipc_message_pair_t,
};
use super::shared::{self, Region};
use crate::config::{ngx_int_t, ngx_uint_t};
use crate::host::sized;
use crate::host::traffic::Traffic;
use crate::message::layout::{CHUNK, Class, Lane};
use crate::message::statistics::{Statistics, statistics};
use crate::message::{peers, pool};
use crate::messaging::address::Set;
use crate::messaging::rows::{BUCKETS, Holder};
use crate::messaging::statistics::{Counts, REPLIES};
use crate::messaging::{board, names};
use crate::status::{Result, Status};
use crate::table::slot::Slot;

/// The name of the type of replies.
const REPLIES_NAME: &[u8] = b"(replies)";

/// Reads the counters of the process in a slot. All are 0 if the slot has no
/// messages. Returns `None` if the program has none.
pub fn totals(slot: Slot) -> Option<Traffic> {
    let mut totals = Traffic::default();
    let region = shared::get()?;
    let Some(own) = region.slot_of(slot) else {
        return Some(totals);
    };

    let (mut out, mut into) = (Statistics::default(), Statistics::default());

    for other in 0..region.layout.sizes.slots {
        out = out.with(pair(&region, own, other));
        into = into.with(pair(&region, other, own));
    }

    totals.sent = out.sent as usize;
    totals.refused = out.refused as usize;
    totals.received = into.received as usize;
    totals.waiting = into.waiting as usize;
    totals.deepest = into.deepest as usize;
    totals.lost = into.gaps as usize;
    totals.unknown = board::unknown(&region.board, own) as usize;

    Some(totals)
}

/// The memory in which the messages for a process lie.
#[derive(Clone, Copy, Debug, Default)]
pub struct Room {
    /// The size, in bytes.
    pub messages_size: usize,
    /// The part that messages use, in bytes.
    pub messages_used: usize,
}

/// Reads how full the memory is in which the messages for the process in a slot lie.
/// `None` if the process has no messages.
pub fn room(slot: Slot) -> Option<Room> {
    let region = shared::get()?;
    let own = region.slot_of(slot)?;
    let Region { memory, layout, .. } = region;
    let bytes = |chunks: u32| chunks as usize * CHUNK as usize;

    Some(Room {
        messages_size: bytes(layout.sizes.chunks),
        messages_used: bytes(pool::used(&memory, &layout, own)),
    })
}

/// The counters of both lanes from one slot of the region to another.
fn pair(region: &Region, sender: u32, receiver: u32) -> Statistics {
    let [control, data] = Class::ALL.map(|class| {
        let lane = Lane {
            class,
            receiver,
            sender,
        };

        statistics(&region.memory, &region.layout, lane)
    });

    control.with(data)
}

/// Whether the set and the worker of a `ngx_ipc_message_counts_t` have a process.
fn is_meant(set: ngx_uint_t, worker: ngx_int_t, holder: Holder) -> bool {
    let role = match holder {
        Holder::Master => Set::MASTER,
        Holder::Helpers => Set::HELPERS,
        Holder::Others => Set::OTHERS,
        Holder::Worker(_) => Set::WORKERS,
    };
    let is_of_set = set == 0 || set & role as usize != 0;

    is_of_set && (worker == -1 || holder == Holder::Worker(worker as u32))
}

/// Fills `counts`, which has `size` bytes, with the numbers of the type after
/// `counts->number`.
///
/// Returns whether there is such a type. If there is none, nothing is written.
/// Returns an error if `size` is less than in the first version.
///
/// # Safety
///
/// `counts` has `size` bytes, and the program has set the first three fields.
pub unsafe fn fill_next_type(
    counts: NonNull<ngx_ipc_message_counts_t>,
    size: usize,
) -> Result<bool> {
    if size < first_size_of_counts() {
        return Err(Status::Error);
    }

    let counts = counts.as_ptr();

    // SAFETY: the structure has these fields, because its first version has them,
    // and the program has set them.
    let (number, set, worker) = unsafe {
        (
            (&raw const (*counts).number).read(),
            (&raw const (*counts).set).read(),
            (&raw const (*counts).worker).read(),
        )
    };
    let next = next_type(number, set, worker);

    if let Some(next) = &next {
        // SAFETY: the caller passes a structure with `size` bytes.
        unsafe { sized::write(counts, size, next) };
    }

    Ok(next.is_some())
}

fn next_type(
    after: ngx_int_t,
    set: ngx_uint_t,
    worker: ngx_int_t,
) -> Option<ngx_ipc_message_counts_t> {
    let region = shared::get()?;
    let source = region.source();
    let first = usize::try_from(after.saturating_add(1)).unwrap_or_default();
    let types = usize::from(names::count(&region.board));
    let is_meant = |holder| is_meant(set, worker, holder);
    let is_for_all = set == 0 && worker == -1;

    if !is_for_all && !source.has_any(is_meant) {
        return None;
    }

    (first..types)
        .chain((first <= REPLIES).then_some(REPLIES))
        .map(|index| (index, source.counts(index, is_meant)))
        .find(|(index, counts)| (is_for_all && *index != REPLIES) || *counts != Counts::default())
        .map(|(index, counts)| {
            let all = source.counts(index, |_| true);

            ngx_ipc_message_counts_t {
                number: index as ngx_int_t,
                set,
                worker,
                name: name(&region, index),
                sent: counts.sent as usize,
                refused: counts.refused as usize,
                received: counts.received as usize,
                unknown: counts.unknown as usize,
                lost: counts.lost as usize,
                waiting: all.waiting() as usize,
                deepest: source.deepest(index) as usize,
                timed: counts.timed() as usize,
                time: counts.time as usize,
                times: counts.times.map(|n| n as usize),
            }
        })
}

const _: () = assert!(BUCKETS == 40);

/// The name of a type, which ends with a zero byte.
fn name(region: &Region, index: usize) -> [c_char; 56] {
    let mut text = [0; 56];
    let found = names::name(&region.board, index as u16);
    let bytes = match &found {
        _ if index == REPLIES => REPLIES_NAME,
        Some(name) => name.bytes(),
        None => b"",
    };

    for (to, from) in text.iter_mut().zip(bytes) {
        *to = *from as c_char;
    }

    text
}

/// Fills `pair`, which has `size` bytes, with the numbers of the pair after the one
/// that it names.
///
/// Returns whether there is such a pair. If there is none, nothing is written.
/// Returns an error if `size` is less than in the first version.
///
/// # Safety
///
/// `pair` has `size` bytes, and the program has set the first field.
pub unsafe fn fill_next_pair(pair: NonNull<ngx_ipc_message_pair_t>, size: usize) -> Result<bool> {
    if size < first_size_of_pair() {
        return Err(Status::Error);
    }

    let pair = pair.as_ptr();

    // SAFETY: the structure has this field, because its first version has it, and
    // the program has set it.
    let number = unsafe { (&raw const (*pair).number).read() };
    let next = next_pair(number);

    if let Some(next) = &next {
        // SAFETY: the caller passes a structure with `size` bytes.
        unsafe { sized::write(pair, size, next) };
    }

    Ok(next.is_some())
}

fn next_pair(after: ngx_int_t) -> Option<ngx_ipc_message_pair_t> {
    let region = shared::get()?;
    let slots = region.layout.sizes.slots;
    let first = u32::try_from(after.saturating_add(1).max(0)).ok()?;

    (first..slots * slots)
        .map(|number| (number, pair(&region, number % slots, number / slots)))
        .find(|(_, counts)| *counts != Statistics::default())
        .map(|(number, counts)| describe(&region, number, counts))
}

/// The number of a pair is the slot of the receiver in the region, times the number of
/// slots, plus the slot of the sender.
fn describe(region: &Region, number: u32, counts: Statistics) -> ngx_ipc_message_pair_t {
    let slots = region.layout.sizes.slots;
    let identity = |slot| {
        peers::peer(&region.memory, &region.layout, slot)
            .map(|peer| peer.identity)
            .unwrap_or_default()
    };
    let (sender, receiver) = (identity(number % slots), identity(number / slots));
    let to_c = |number: Option<u32>| number.map_or(-1, |number| number as ngx_int_t);

    ngx_ipc_message_pair_t {
        number: number as ngx_int_t,
        sender: to_c(sender.place),
        receiver: to_c(receiver.place),
        sender_worker: to_c(sender.worker),
        receiver_worker: to_c(receiver.worker),
        sent: counts.sent as usize,
        refused: counts.refused as usize,
        received: counts.received as usize,
        waiting: counts.waiting as usize,
        deepest: counts.deepest as usize,
        lost: counts.gaps as usize,
    }
}

/// Whether the program has messages.
pub fn is_any() -> bool {
    shared::get().is_some()
}

/// The numbers of all types, over all processes.
pub fn types() -> impl Iterator<Item = ngx_ipc_message_counts_t> {
    types_of(0, -1)
}

/// The numbers of the types that the processes of a set, or one worker of it, have
/// counted.
pub fn types_of(
    set: ngx_uint_t,
    worker: ngx_int_t,
) -> impl Iterator<Item = ngx_ipc_message_counts_t> {
    let mut last = -1;

    std::iter::from_fn(move || {
        let next = next_type(last, set, worker)?;

        last = next.number;
        Some(next)
    })
}

/// The numbers of all pairs.
pub fn pairs() -> impl Iterator<Item = ngx_ipc_message_pair_t> {
    let mut last = -1;

    std::iter::from_fn(move || {
        let next = next_pair(last)?;

        last = next.number;
        Some(next)
    })
}
