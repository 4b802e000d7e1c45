//! Processes for which the table has no room, until it has some (`D2`): when
//! a reload asks for more than half of what the table takes, the new ones wait
//! for the old ones to leave.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicPtr, AtomicUsize};

use super::ngx_cycle_t;
use crate::config::ngx_msec_t;
use crate::table::globals::Globals;
use crate::table::restart::{self, Restart};
use crate::table::slots::{MAX_PROCESSES, Work, ngx_process_t};

/// What is to run in each, as a slot of the table would have it.
static MISSING: [ngx_process_t; MAX_PROCESSES] = [const { ngx_process_t::vacant() }; MAX_PROCESSES];
static COUNT: AtomicUsize = AtomicUsize::new(0);
/// For which cycle they are.
static OF: AtomicPtr<ngx_cycle_t> = AtomicPtr::new(std::ptr::null_mut());
/// When to look for room again.
static LOOK: Restart = Restart::unused();

/// Remembers a process for which there is no slot.
pub fn add(cycle: *mut ngx_cycle_t, work: Work) {
    let now = restart::now();

    if OF.swap(cycle, Relaxed) != cycle {
        forget();
    }

    let n = COUNT.load(Relaxed);

    if n == 0 {
        LOOK.first_start(now);
        LOOK.after_failure(now);
    }

    if let Some(slot) = MISSING.get(n) {
        slot.set_work(work);
        COUNT.store(n + 1, Relaxed);
    }
}

/// Nobody is wanted any more.
pub fn forget() {
    COUNT.store(0, Relaxed);
}

/// A child has exited: its slot is free once `ngx_reap_children()` has seen
/// to it.
pub fn child_exited() {
    LOOK.hasten(restart::now());
}

/// Milliseconds until room is to be looked for; `None` if nobody is missing.
pub fn due_in() -> Option<ngx_msec_t> {
    (COUNT.load(Relaxed) != 0).then(|| LOOK.due_in(restart::now()))
}

/// Hands a slot to each that is missing, as far as there are any.
pub fn enter(g: &Globals, mut enter: impl FnMut(usize, Work)) {
    if OF.load(Relaxed) != super::cycle() {
        forget();
    }

    if due_in() != Some(0) {
        return;
    }

    while let Some(last) = COUNT.load(Relaxed).checked_sub(1) {
        let i = g.table.first_free();

        let Some(missing) = MISSING.get(last).filter(|_| i != MAX_PROCESSES) else {
            LOOK.after_failure(restart::now());
            return;
        };

        COUNT.store(last, Relaxed);
        enter(i, missing.work());
    }
}
