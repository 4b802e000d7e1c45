//! Typed zones of nginx's modules: the structure in a zone has a name and a version,
//! `ngx_ipc_zone_add()`.
//!
//! nginx gives a zone its memory: that of the zone before if name, size and tag agree, or else new
//! memory. The tag stands for the type, see [`zone_tag`]. So nginx frees the right memory, whether
//! a reload succeeds or fails. nginx then calls `init` of the zone, which is [`init`].

use std::ffi::c_void;
use std::ptr::NonNull;

use super::types::ngx_cycle_t;
use super::{shm_zone, zone_tag};
use crate::config::ngx_str_t;
use crate::host::logs::cycle_log;
use crate::host::shm_zone::Zone;
use crate::host::slab::DAMAGED;
use crate::host::zone_root::{Old, Use, decide_use, fill, not_used, set_root};
use crate::host::zone_type::{self, Declared, Private, ngx_ipc_zone_type_t, type_of};
use crate::status::{Result, Status};

unsafe extern "C" {
    /// nginx's function.
    fn ngx_palloc(pool: *mut c_void, size: usize) -> *mut c_void;
}

/// Declares a typed zone of `cycle`, or finds the zone of this name. `size` is that of the
/// zone. Returns `None`, with a line in the log, if the zone cannot be declared.
///
/// # Safety
///
/// `cycle` is NULL, or a cycle whose configuration nginx reads now. `given` has `given_size` bytes, and
/// its name is valid. `name` is valid as long as the cycle.
pub unsafe fn add(
    cycle: *mut ngx_cycle_t,
    given: NonNull<ngx_ipc_zone_type_t>,
    given_size: usize,
    name: &ngx_str_t,
    size: usize,
) -> Option<Zone> {
    // SAFETY: the caller passes NULL or a cycle, which has a pool and a log, and a type with this
    // size.
    let (pool, declared) = unsafe {
        let pool = cycle.as_ref()?.pool;

        (
            pool,
            zone_type::checked(given, given_size, cycle_log(cycle))?,
        )
    };
    let tag = zone_tag::tag_of(declared.id(), declared.0.root_size).ok()?;

    // SAFETY: the caller passes a cycle and a name as this function needs them.
    let zone = unsafe { shm_zone::add(cycle, name, size, tag) }?;

    // A zone with the same tag has the same type.
    if type_of(zone).is_none() {
        // SAFETY: the pool is that of the cycle.
        unsafe { remember(pool, zone, &declared) }?;
    }

    Some(zone)
}

/// Copies the type of a zone to the memory of its cycle.
///
/// # Safety
///
/// `pool` is the pool of the zone's cycle.
unsafe fn remember(pool: *mut c_void, zone: Zone, declared: &Declared) -> Option<()> {
    let name = declared.id().name;

    // SAFETY: the pool is that of a cycle. Its memory is aligned for any type, and has the size
    // that is written to it.
    unsafe {
        let text = NonNull::new(ngx_palloc(pool, name.len()).cast::<u8>())?;
        let copy = NonNull::new(ngx_palloc(pool, size_of::<Private>()).cast::<Private>())?;

        text.copy_from_nonoverlapping(NonNull::from(name).cast(), name.len());
        copy.write(Private::new(
            declared,
            ngx_str_t {
                len: name.len(),
                data: text.as_ptr(),
            },
        ));
        zone.set_private_data(copy.as_ptr().cast());
    }

    Some(())
}

/// Fills the memory that nginx has given to a typed zone, or keeps its content. Fails, with an
/// emergency in the log of the zone, if the content does not fit. The zone before stays as it is
/// then, and a reload fails.
pub fn init(zone: Zone) -> Result {
    let (declared, log) = (type_of(zone).ok_or(Status::Error)?, zone.log());
    let before = zone.before();
    let pool = before.and_then(|before| before.slab_pool());
    let addr = before.and_then(|before| NonNull::new(before.memory()));
    let (Some(before), Some(pool), Some(addr)) = (before, pool, addr) else {
        return fill(zone, &declared, None, log);
    };
    let old = Old {
        pool: &pool,
        addr,
        size: before.get().shm.size,
    };
    let is_kept = before.memory() == zone.memory();

    match decide_use(zone, &declared, &old) {
        Ok(Use::Keep) if is_kept => set_root(zone, log),
        Ok(Use::Migrate) if !is_kept => fill(zone, &declared, Some(&old), log),
        Ok(Use::Drop) if !is_kept => fill(zone, &declared, None, log),
        Err(why) => Err(not_used(zone, why, log)),
        // The header does not say what nginx knows of the zone: a process has overwritten it.
        Ok(_) => Err(not_used(zone, DAMAGED, log)),
    }
}
