//! What happens to the zones of a cycle: they get their memory, the next cycle takes it
//! over, it is freed, and locks of dead processes are released.

use std::ptr::NonNull;

use super::cycle::Cycle;
use super::hooks::UNLOCK;
use super::keep_zones::Keep;
use super::typed_zones;
use crate::config::ngx_pid_t;
use crate::host::shm_zone::Zone;
use crate::host::{lock_owner, slab, zone_type};
use crate::log::{Level, Log};
use crate::status::Result;
use crate::sys::directory::absolute;
use crate::sys::path::CPath;
use crate::sys::words::Words;

/// Gives all zones of `cycle` their memory: that of a zone of `old`, or new memory.
///
/// Returns an error, with an emergency in `log`, if that fails for a zone or its module
/// refuses it. Then the caller destroys the cycle. The zones of `old` have not changed,
/// unless a module has changed them.
pub fn init_all(cycle: Cycle, old: Option<Cycle>, log: Log) -> Result {
    let conf = cycle.conf();
    let directory = conf.zones_directory().map(absolute).transpose();
    let directory = directory.map_err(|err| {
        let text = format_args!("zones_directory cannot be used");

        log.fail(Level::Emerg, err, text)
    })?;
    let keep = Keep {
        over_upgrade: conf.copy().keep_zones != 0,
        directory: directory.as_ref().map(CPath::as_path),
    };

    if cycle.zones().next().is_some() {
        // The function that unlocks runs in a signal handler, where the number of this
        // process must be known.
        lock_owner::prepare();
        UNLOCK.set(&(unlock as fn(ngx_pid_t)));
    }

    cycle.zones().try_for_each(|zone| {
        if let Some(declared) = zone_type::type_of(zone) {
            return typed_zones::init(zone, &declared, old, keep, log);
        }

        let continued = old.and_then(|old| old.zones().find(|&old| zone.continues(old)));

        zone.init(continued, keep, log)
    })
}

/// Makes `new` the owner of the memory that its zones have in common with those of `old`.
pub fn take_over(new: Cycle, old: Cycle) {
    for zone in new.zones().filter(|zone| !zone.is_owner()) {
        let address = zone.get().shm.addr;

        for old in old.zones().filter(|old| old.get().shm.addr == address) {
            old.set_owner(false);
        }

        zone.set_owner(true);
    }
}

/// Before `cycle` is destroyed: gives the memory that it has in common with one of `others`,
/// which are still in use, to that cycle.
pub fn leave(cycle: Cycle, others: impl Iterator<Item = Cycle> + Clone) {
    for zone in cycle.zones().filter(|zone| zone.is_owner()) {
        let addr = zone.get().shm.addr;
        let heir = others
            .clone()
            .flat_map(Cycle::zones)
            .find(|other| !other.is_owner() && other.get().shm.addr == addr);

        if let Some(heir) = heir {
            heir.set_owner(true);
            zone.set_owner(false);
        }
    }
}

/// Frees the memory of the zones that belongs to `cycle`.
pub fn free_all(cycle: Cycle) {
    cycle.zones().for_each(Zone::free);
}

/// Calls `show` with the name and the memory of each zone of `ngx_cycle`.
pub fn each(show: &mut dyn FnMut(&[u8], Words)) {
    for zone in Cycle::current().into_iter().flat_map(Cycle::zones) {
        let shm = &zone.get().shm;
        let (addr, size) = (shm.addr.cast(), shm.size);

        // SAFETY: the memory of a zone has this size and stays mapped while the cycle is in use, so
        // also while `show` runs. Rust code accesses its bytes through `Words` only.
        let words = NonNull::new(addr).and_then(|start| unsafe { Words::new(start, size) });

        if let Some(words) = words {
            show(zone.name(), words);
        }
    }
}

/// Releases the locks of the zones of `ngx_cycle` that the process `pid` has held, if it has
/// exited. A process that waits for such a lock takes it over after some time anyway.
fn unlock(pid: ngx_pid_t) {
    for zone in Cycle::current().into_iter().flat_map(Cycle::zones) {
        let Some(addr) = NonNull::new(zone.memory()) else {
            continue;
        };

        // SAFETY: the memory of a zone begins with a pool, has this size, and stays mapped while the
        // cycle is `ngx_cycle`.
        if unsafe { slab::release_of_dead(addr, zone.get().shm.size, pid) } {
            zone.log().refuse(format_args!(
                "shmtx lock: process {pid} has exited and held the lock"
            ));
        }
    }
}
