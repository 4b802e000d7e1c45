//! Finds messages that are kept and of which this process got no record, and
//! descriptors that no record mentions. A sender that was killed between two steps can
//! leave both.
//!
//! When all messages were received, the caller calls [`begin`], receives all messages
//! once more, and then calls [`end`]. What is left then has no record.

use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;

use super::register::asking;
use super::{descriptors, local, register};
use crate::message::peers::Peer;
use crate::messaging::retained::Kept;

/// Whether [`begin`] has found descriptors, and [`end`] was not called since: a round of
/// the event loop can end in between.
static HAS_COLLECTED: AtomicBool = AtomicBool::new(false);

/// Looks for kept messages and for descriptors. Returns false if there are none; then
/// the caller need not call [`end`].
pub fn begin() -> bool {
    // Both are looked for: `|` does not skip the second call.
    see_kept() | collect()
}

fn see_kept() -> bool {
    let mut is_any = false;

    for number in register::kept_types() {
        is_any |= local::with(|own| own.see_kept(number)) == Some(true);
    }

    is_any
}

/// Reads all datagrams, if a process has died since the last call, or if the datagrams
/// of the last call are still there.
fn collect() -> bool {
    if !descriptors::is_on() {
        return false;
    }

    let has_changed = local::with(|own| own.take_changed()) == Some(true);

    if !has_changed && !HAS_COLLECTED.load(Relaxed) {
        return false;
    }

    let has_collected = local::with(|own| {
        descriptors::collect(own.slot(), |label| {
            own.is_alive(label.slot, |incarnation| label.is_by(incarnation))
        })
    });

    HAS_COLLECTED.store(has_collected == Some(true), Relaxed);
    has_collected == Some(true)
}

/// Closes the descriptors that no record mentions. Calls `handle` with each message
/// that is kept and of which this process got no record, with the number of its type
/// and with its sender. The caller has received all messages since [`begin`].
pub fn end(handle: impl Fn(u16, Kept, &Peer)) {
    for number in register::kept_types() {
        if let Some((kept, sender)) = local::with(|own| own.take_seen(number)).flatten() {
            handle(number, kept, &sender);
        }
    }

    if HAS_COLLECTED.swap(false, Relaxed) {
        descriptors::drop_stale();
        local::tell_waiters();
    }
}

/// Prepares to sleep, see [`local::prepare_sleep`]. A message that is kept and that this
/// process has not handled is something to do, and so are collected descriptors.
pub fn prepare_sleep() -> Option<Option<u64>> {
    let wait = local::prepare_sleep();

    // A process that has kept a message looks afterwards whether this one sleeps.
    if has_kept() || HAS_COLLECTED.load(Relaxed) {
        local::wake_up();
        return Some(Some(0));
    }

    wait
}

/// Whether there are messages that are kept and that this process has not handled.
fn has_kept() -> bool {
    // A process that has no messages must not wait for one.
    if !local::has_slot() {
        return false;
    }

    asking::has_unasked()
        || register::kept_types()
            .any(|number| local::with(|own| own.has_kept(number)) == Some(true))
}
