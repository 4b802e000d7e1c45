//! The duties of the library. When a duty is due, the library sends queued
//! messages, or starts processes that could not be started or that keep failing
//! right after their start.

use std::sync::atomic::Ordering::Relaxed;

use crate::channel::{queue, waiting};
use crate::config::ngx_msec_t;
use crate::log::Log;
use crate::process::{foreign, reap, respawn, wanted};
use crate::table::globals::Globals;
use crate::table::slot::Slot;

/// Milliseconds until the next duty is due; `None` if there is no duty.
///
/// `with_restarts`: whether the processes that wait to be started again count
/// as duties. A host passes false if it has asked the program to start these
/// processes, or if this process is not a master and starts none.
pub fn next_duty(g: &Globals, with_restarts: bool) -> Option<ngx_msec_t> {
    let restart = with_restarts.then(|| respawn::next_due(g)).flatten();

    [
        waiting::retry_in(g),
        restart,
        wanted::due_in(g),
        foreign::due_in(),
    ]
    .map(|due| due.unwrap_or(NONE))
    .into_iter()
    .min()
    .filter(|&due| due != NONE)
}

/// Stands for "no duty" while the duties are compared.
const NONE: ngx_msec_t = ngx_msec_t::MAX;

/// Sends the queued messages. Calls `due` with each reserved slot whose process
/// is due, and sets `ngx_reap`, so that `ngx_reap_children()` starts these
/// processes.
pub fn do_duties(g: &Globals, log: Log, due: impl Fn(Slot)) {
    if waiting::any_waiting(g) {
        queue::flush(g, log);
    }

    if foreign::may_be_due() {
        reap::reap_foreign(g, log);
    }

    if respawn::is_any_reserved(g) {
        note_due(g, due);
    }
}

#[cold]
fn note_due(g: &Globals, due: impl Fn(Slot)) {
    for slot in respawn::due(g) {
        due(slot);
        g.reap.store(1, Relaxed);
    }
}
