//! What `nginx/ngx_ipc_zones.c` does with the zones of nginx's cycles.

use std::ffi::c_void;
use std::ptr;

use super::types::ngx_cycle_t;
use crate::config::{ngx_int_t, ngx_str_t};
use crate::host::shm_zone::{Zone, ngx_shm_zone_t};

unsafe extern "C" {
    /// nginx's `ngx_shared_memory_add()` for a cycle.
    fn ngx_ipc_shared_memory_add(
        cycle: *mut ngx_cycle_t,
        name: *const ngx_str_t,
        size: usize,
        tag: *mut c_void,
    ) -> *mut ngx_shm_zone_t;

    /// The zone of ngx_cycle with the name of `zone`, or NULL.
    fn ngx_ipc_zone_before(zone: *mut ngx_shm_zone_t) -> *mut ngx_shm_zone_t;

    /// The library's function `init` of typed zones.
    fn ngx_ipc_zone_init(zone: *mut ngx_shm_zone_t, data: *mut c_void) -> ngx_int_t;
}

/// Declares a zone of `cycle`, or finds the zone with this name. Returns `None`, with a line in the
/// log, if nginx refuses it.
///
/// # Safety
///
/// `cycle` is a cycle whose configuration nginx reads now. `name` is valid as long as the cycle.
pub unsafe fn add(
    cycle: *mut ngx_cycle_t,
    name: &ngx_str_t,
    size: usize,
    tag: *mut c_void,
) -> Option<Zone> {
    // SAFETY: the arguments are as the function of `ngx_ipc_zones.c` needs them. It returns NULL or
    // a zone of the cycle.
    unsafe { Zone::from_ptr(ngx_ipc_shared_memory_add(cycle, name, size, tag)) }
}

impl Zone {
    /// The zone whose content this zone can have: that with the same name in the cycle before.
    pub(in crate::host) fn before(self) -> Option<Self> {
        // SAFETY: nginx makes a cycle, and keeps the cycle before until the new one is complete.
        unsafe { Self::from_ptr(ngx_ipc_zone_before(self.as_ptr())) }
    }

    /// Makes this zone a typed zone. `data` is what the library knows of it.
    pub(in crate::host) fn set_private_data(self, data: *mut c_void) {
        self.update(|zone| {
            zone.sync = data;
            zone.init = Some(ngx_ipc_zone_init);
        });
    }

    /// What the library knows of a typed zone; NULL if the zone is not a typed zone. nginx does not
    /// set the field `sync` of other zones.
    pub(in crate::host) fn private_data(self) -> *mut c_void {
        let zone = self.get();
        let is_typed = zone
            .init
            .is_some_and(|init| init as usize == ngx_ipc_zone_init as *const () as usize);

        if is_typed { zone.sync } else { ptr::null_mut() }
    }
}
