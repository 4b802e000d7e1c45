//! The generation of the processes that nginx starts.

use std::sync::atomic::AtomicPtr;
use std::sync::atomic::Ordering::Relaxed;

use super::types::ngx_cycle_t;
use crate::host::messages::{register, watchers};
use crate::table::generation;

/// Notes that a process is started for `cycle`. If the process before it was
/// started for another cycle, the next generation begins, and what the modules of
/// the other cycle have registered is forgotten.
///
/// nginx frees a cycle only when the next cycle exists, so two cycles that
/// follow each other have different addresses.
pub fn note(cycle: *mut ngx_cycle_t) {
    static LAST: AtomicPtr<ngx_cycle_t> = AtomicPtr::new(std::ptr::null_mut());

    if LAST.swap(cycle, Relaxed) != cycle {
        generation::begin_next();
        register::forget_older();
        watchers::forget_older();
    }
}
