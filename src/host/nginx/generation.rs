//! Which configuration a process is started for.

use std::sync::atomic::AtomicPtr;
use std::sync::atomic::Ordering::Relaxed;

use super::ngx_cycle_t;
use crate::host::generation;

/// The generation of the processes that are started for `cycle`. Another cycle
/// than before begins the next generation.
///
/// nginx frees a cycle only when the next one is complete, so two cycles that
/// follow each other have different addresses.
pub fn note(cycle: *mut ngx_cycle_t) -> usize {
    static LAST: AtomicPtr<ngx_cycle_t> = AtomicPtr::new(std::ptr::null_mut());

    if LAST.swap(cycle, Relaxed) != cycle {
        generation::begin_next();
    }

    generation::current()
}
