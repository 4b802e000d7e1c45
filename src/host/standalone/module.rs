//! `ngx_module.h`: modules, whose hooks the host calls.

pub use super::types::{ngx_command_t, ngx_module_s, ngx_module_t};
use std::ptr;

use super::cycle::ngx_cycle_t;

/// The modules of a cycle.
///
/// # Safety
///
/// `cycle` is NULL or a valid cycle; its modules are NULL or NULL-terminated.
pub unsafe fn modules(cycle: *mut ngx_cycle_t) -> impl Iterator<Item = *mut ngx_module_t> {
    // SAFETY: promised by the caller.
    let mut next = unsafe { cycle.as_ref() }.map_or(ptr::null_mut(), |cycle| cycle.modules);

    std::iter::from_fn(move || {
        // SAFETY: the array ends with NULL, and no further than that is read.
        let module = unsafe { next.as_ref() }.copied().filter(|m| !m.is_null())?;

        // SAFETY: there is one more element behind one that is not NULL.
        next = unsafe { next.add(1) };

        Some(module)
    })
}
