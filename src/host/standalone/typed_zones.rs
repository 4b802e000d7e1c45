//! Typed zones of this host: the structure in a zone has a name and a version,
//! `ngx_ipc_zone_add()`.
//!
//! Both are in the zone. So a reload, and a new binary, do not take a structure for another
//! one: they keep the zone if name, size, type and version agree, or else migrate it.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::ptr::{self, NonNull};

use super::cycle::Cycle;
use super::keep_zones::{self, Keep};
use super::shared_memory_add;
use super::socket_names::put_text;
use super::types::ngx_cycle_t;
use crate::config::ngx_str_t;
use crate::host::shm_zone::{Zone, refuse};
use crate::host::zone_root::{Old, Use, decide_use, fill, not_used, set_root, settled};
use crate::host::zone_type::{self, Declared, Private, ngx_ipc_zone_type_t, type_of};
use crate::log::Log;
use crate::status::{Result, Status};
use crate::sys::words::Words;
use crate::zone::slab::pool::Pool;

/// Declares a typed zone of `cycle`, or finds the zone of this name. `size` is that of the
/// zone. Returns `None`, with an emergency in the log of the cycle, if the zone cannot be
/// declared.
///
/// # Safety
///
/// `cycle` is NULL or valid. `given` has `given_size` bytes, and its name and `name` are valid.
pub unsafe fn add(
    cycle: *mut ngx_cycle_t,
    given: NonNull<ngx_ipc_zone_type_t>,
    given_size: usize,
    name: &ngx_str_t,
    size: usize,
) -> Option<Zone> {
    /// The tag of all typed zones.
    static TAG: u8 = 0;

    // SAFETY: the caller passes NULL or a valid cycle, and a type with this size.
    let (cycle, declared) = unsafe {
        let cycle = Cycle::from_ptr(cycle)?;

        (cycle, zone_type::checked(given, given_size, cycle.log())?)
    };
    let tag = ptr::from_ref(&TAG).cast_mut().cast();

    // SAFETY: the caller passes a valid name.
    let zone = unsafe { shared_memory_add::add(cycle, *name, size, tag) }?;

    match type_of(zone) {
        Some(present) if present.id() == declared.id() => Some(zone),
        Some(_) => {
            refuse(
                cycle.log(),
                format_args!(
                    "the shared memory zone \"{}\" is already declared for a different use",
                    OsStr::from_bytes(zone.name()).display()
                ),
            );
            None
        }
        None => remember(cycle, zone, &declared).ok(),
    }
}

/// Copies the type of a zone to the memory of its cycle.
fn remember(cycle: Cycle, zone: Zone, declared: &Declared) -> Result<Zone> {
    let pool = cycle.pool().ok_or(Status::Error)?;
    let name = put_text(pool, declared.id().name)?;
    let copy = pool.put(Private::new(declared, name))?;

    zone.update(|zone| zone.sync = copy.as_ptr().cast());

    Ok(zone)
}

/// Gives a typed zone its memory, and calls the functions of its type.
pub fn init(
    zone: Zone,
    declared: &Declared,
    old: Option<Cycle>,
    keep: Keep<'_>,
    log: Log,
) -> Result {
    zone.check_size(log)?;

    let named = old
        .filter(|_| zone.get().noreuse == 0)
        .and_then(|old| old.zones().find(|old| old.name() == zone.name()));

    match named {
        Some(old) => after_reload(zone, declared, old, keep, log),
        None => after_start(zone, declared, keep, log),
    }
}

/// Uses the memory of the zone with the same name in the old cycle.
fn after_reload(zone: Zone, declared: &Declared, named: Zone, keep: Keep<'_>, log: Log) -> Result {
    let shm = &named.get().shm;
    let (Some(pool), Some(addr)) = (named.slab_pool(), NonNull::new(shm.addr.cast())) else {
        return make(zone, declared, None, keep, log);
    };
    let old = Old {
        pool: &pool,
        addr,
        size: shm.size,
    };

    match decide_use(zone, declared, &old) {
        Ok(Use::Keep) => {
            zone.use_memory(addr.as_ptr().cast());
            set_root(zone, log)?;
            zone.start(Some(named), log)
        }
        Ok(Use::Migrate) => make(zone, declared, Some(&old), keep, log),
        Ok(Use::Drop) => make(zone, declared, None, keep, log),
        Err(why) => Err(not_used(zone, why, log)),
    }
}

/// Uses the memory that the binary had which has executed this one, or that an earlier server has
/// left, or else makes the zone.
fn after_start(zone: Zone, declared: &Declared, mut keep: Keep<'_>, log: Log) -> Result {
    let size = declared.0.migrate.is_none().then_some(zone.get().shm.size);
    let Some(taken) = zone.take_earlier(size, &mut keep, log) else {
        return make(zone, declared, None, keep, log);
    };
    let (addr, size) = (taken.addr, taken.size);

    // SAFETY: the memory has just been mapped with this size, and was checked.
    let Some(pool) = unsafe { Words::new(addr, size) }.map(Pool::new) else {
        return Err(Status::Error);
    };
    let old = Old {
        pool: &pool,
        addr,
        size,
    };

    let decided = match decide_use(zone, declared, &old) {
        Ok(Use::Keep) => settled(zone, &old, log, |_| Ok(Use::Keep)),
        decided => decided,
    };

    if let Ok(Use::Keep) = decided {
        keep.note_used(&taken, zone.name(), log);
        zone.use_memory(addr.as_ptr().cast());
        set_root(zone, log)?;
        return zone.start(None, log);
    }

    let result = match decided {
        Ok(Use::Migrate) => {
            keep.note_used(&taken, zone.name(), log);
            make(zone, declared, Some(&old), keep, log)
        }
        decided => {
            let why = decided.err().unwrap_or("it has no type");

            keep.warn_unused(&taken, zone.name(), why, log);
            make(zone, declared, None, keep, log)
        }
    };

    keep_zones::free(addr.addr().get(), log);
    result
}

/// Makes the zone of new memory, and migrates the content of `old`.
fn make(
    zone: Zone,
    declared: &Declared,
    old: Option<&Old<'_>>,
    keep: Keep<'_>,
    log: Log,
) -> Result {
    zone.allocate(keep, log)?;
    fill(zone, declared, old, log)?;
    zone.start(None, log)
}
