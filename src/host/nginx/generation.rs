//! Which configuration a process has been started for.

use std::sync::atomic::AtomicPtr;
use std::sync::atomic::Ordering::Relaxed;

use super::ngx_cycle_t;
use crate::abi::introspect;

/// Notes the cycle that a process is started for; another one than before is
/// the next generation. A cycle's memory is not freed before the next cycle
/// is there, so no two that follow each other have the same address.
pub fn note(cycle: *mut ngx_cycle_t) -> usize {
    static LAST: AtomicPtr<ngx_cycle_t> = AtomicPtr::new(std::ptr::null_mut());

    let before = introspect::ngx_ipc_generation();

    if LAST.swap(cycle, Relaxed) == cycle {
        return before;
    }

    introspect::set_generation(before + 1);
    before + 1
}
