//! Typed zones: the structure in a zone has a name and a version, `ngx_ipc_zone_add()`.
//!
//! Both are in the zone. So a reload, and a new binary, do not take a structure for another
//! one: they keep the zone if name, size, type and version agree, or else migrate it.

use std::ffi::{OsStr, c_void};
use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::ptr::{self, NonNull};
use std::sync::atomic::AtomicU64;

use super::cycle::Cycle;
use super::shared_memory::{Zone, bytes, refuse};
use super::socket_names::put_text;
use super::zone_transaction::report_found;
use super::zone_type::{
    Declared, FIRST_SIZE, NONE, Private, ngx_ipc_zone_old_t, ngx_ipc_zone_type_t, type_of,
};
use super::{kept_zones, shared_memory_add};
use crate::config::{NGX_OK, ngx_str_t};
use crate::host::lock_owner;
use crate::host::sized;
use crate::host::slab::{self, DAMAGED, LOCKED};
use crate::host::slab_log;
use crate::log::Log;
use crate::status::{Result, Status};
use crate::sys::words::Words;
use crate::zone::slab::pool::{self, Pool};
use crate::zone::transaction::Transaction;
use crate::zone::typed::{Header, NAME_MAX, Type};

/// Text for a type in log lines.
struct Name<'a>(Type<'a>);

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Type { name, version } = self.0;

        write!(
            f,
            "type \"{}\", version {version}",
            OsStr::from_bytes(name).display()
        )
    }
}

/// Declares a typed zone of `cycle`, or finds the zone of this name. `size` is that of the
/// zone. Returns `None`, with an emergency in the log of the cycle, if the zone cannot be
/// declared.
///
/// # Safety
///
/// `of` has `of_size` bytes, and its name and `name` are valid.
pub unsafe fn add(
    cycle: Cycle,
    of: NonNull<ngx_ipc_zone_type_t>,
    of_size: usize,
    name: ngx_str_t,
    size: usize,
) -> Option<Zone> {
    /// The tag of all typed zones.
    static TAG: u8 = 0;

    let log = cycle.log();

    if !sized::is_valid(of_size, FIRST_SIZE) {
        refuse(
            log,
            format_args!("the size {of_size} of ngx_ipc_zone_type_t is not valid"),
        );
        return None;
    }

    // SAFETY: the caller passes a structure with `of_size` bytes; its first fields are those of
    // version 0.1, and later ones are 0 by default.
    let of = unsafe { sized::read(of.as_ptr(), of_size, NONE) };
    let tag = ptr::from_ref(&TAG).cast_mut().cast();

    if !(1..=NAME_MAX).contains(&bytes(&of.name).len()) {
        refuse(
            log,
            format_args!("the name of the type of a zone must have 1 to {NAME_MAX} bytes"),
        );
        return None;
    }

    // SAFETY: the caller passes a valid name.
    let zone = unsafe { shared_memory_add::add(cycle, name, size, tag) }?;

    match type_of(zone) {
        Some(declared) if declared.id() == Declared(of).id() => Some(zone),
        Some(_) => {
            refuse(
                log,
                format_args!(
                    "the shared memory zone \"{}\" is already declared for a different use",
                    OsStr::from_bytes(zone.name()).display()
                ),
            );
            None
        }
        None => remember(cycle, zone, of).ok(),
    }
}

/// Copies the type of a zone to the memory of its cycle.
fn remember(cycle: Cycle, zone: Zone, of: ngx_ipc_zone_type_t) -> Result<Zone> {
    let pool = cycle.pool().ok_or(Status::Error)?;
    let name = put_text(pool, bytes(&of.name))?;
    let copy = pool.put(Private {
        of: ngx_ipc_zone_type_t { name, ..of },
        begun: AtomicU64::new(0),
    })?;

    zone.update(|zone| zone.sync = copy.as_ptr().cast());

    Ok(zone)
}

/// What a zone can do with the memory of an old one.
enum Use {
    /// The structure is the same.
    Keep,
    /// The structure or the size is another one. The zone gets new memory.
    Migrate,
    /// There is no type in it.
    Drop,
}

/// The memory of an old zone.
struct Old<'a> {
    pool: &'a Pool,
    addr: NonNull<c_void>,
    size: usize,
}

/// Gives a typed zone its memory, and calls the functions of its type.
pub fn init(zone: Zone, of: &Declared, old: Option<Cycle>, keep: bool, log: Log) -> Result {
    zone.check_size(log)?;

    let named = old
        .filter(|_| zone.get().noreuse == 0)
        .and_then(|old| old.zones().find(|old| old.name() == zone.name()));

    match named {
        Some(old) => after_reload(zone, of, old, keep, log),
        None => after_upgrade(zone, of, keep, log),
    }
}

/// Uses the memory of the zone with the same name in the old cycle.
fn after_reload(zone: Zone, of: &Declared, named: Zone, keep: bool, log: Log) -> Result {
    let shm = &named.get().shm;
    let (Some(pool), Some(addr)) = (named.slab_pool(), NonNull::new(shm.addr.cast())) else {
        return make(zone, of, None, keep, log);
    };
    let old = Old {
        pool: &pool,
        addr,
        size: shm.size,
    };

    match judge(zone, of, &old) {
        Ok(Use::Keep) => {
            zone.use_memory(addr.as_ptr().cast());
            set_root(zone, log)?;
            zone.start(Some(named), log)
        }
        Ok(Use::Migrate) => make(zone, of, Some(&old), keep, log),
        Ok(Use::Drop) => make(zone, of, None, keep, log),
        Err(why) => Err(not_used(zone, why, log)),
    }
}

/// Uses the memory that the binary had which has executed this one, or else makes the zone.
fn after_upgrade(zone: Zone, of: &Declared, keep: bool, log: Log) -> Result {
    let size = of.0.migrate.is_none().then_some(zone.get().shm.size);
    let taken = (zone.get().noreuse == 0)
        .then(|| kept_zones::take(zone.name(), size, log))
        .flatten();
    let Some((addr, size)) = taken else {
        return make(zone, of, None, keep, log);
    };

    // SAFETY: the memory has just been mapped with this size, and was checked.
    let Some(pool) = unsafe { Words::new(addr, size) }.map(Pool::new) else {
        return Err(Status::Error);
    };
    let old = Old {
        pool: &pool,
        addr,
        size,
    };

    let judged = judge(zone, of, &old);

    if let Ok(Use::Keep) = judged {
        zone.use_memory(addr.as_ptr().cast());
        set_root(zone, log)?;
        return zone.start(None, log);
    }

    let result = match judged {
        Ok(Use::Migrate) => make(zone, of, Some(&old), keep, log),
        judged => {
            let why = judged.err().unwrap_or("it has no type");

            kept_zones::warn(zone.name(), why, log);
            make(zone, of, None, keep, log)
        }
    };

    kept_zones::free(addr.addr().get(), log);
    result
}

/// Decides what the zone does with the memory of an old one. Returns why it cannot do
/// anything.
fn judge(zone: Zone, of: &Declared, old: &Old<'_>) -> std::result::Result<Use, &'static str> {
    let Some(header) = Header::find(old.pool) else {
        return Ok(Use::Drop);
    };
    let mut name = [0; NAME_MAX];
    let found = header.type_in(&mut name).or(Err(DAMAGED))?;
    let (_, root_size) = header.root().or(Err(DAMAGED))?;
    let is_same = found == of.id() && root_size == of.0.root_size;

    if is_same && old.size == zone.get().shm.size {
        return Ok(Use::Keep);
    }

    match of.0.migrate {
        Some(_) => Ok(Use::Migrate),
        None if is_same => Ok(Use::Drop),
        None if found.name != of.id().name => Err("it has another type"),
        None if found == of.id() => Err("its root has another size"),
        None => Err("its type has another version"),
    }
}

/// Refuses a zone because of what is in the old one.
fn not_used(zone: Zone, why: &str, log: Log) -> Status {
    let name = OsStr::from_bytes(zone.name()).display();

    match type_of(zone) {
        Some(of) => refuse(
            log,
            format_args!(
                "shared memory zone \"{name}\" of {} cannot use the memory of the zone \
                 before: {why}",
                Name(of.id())
            ),
        ),
        None => Status::Error,
    }
}

/// Sets `data` of a zone to its root.
fn set_root(zone: Zone, log: Log) -> Result {
    let expected = type_of(zone).map(|of| of.0.root_size);
    // Another process can have changed the header since it was judged.
    let root = zone
        .slab_pool()
        .and_then(|pool| Header::find(&pool)?.root().ok())
        .filter(|&(_, size)| Some(size) == expected)
        .map(|(root, _)| zone.get().shm.addr.with_addr(root));

    match root {
        Some(root) => {
            zone.update(|zone| zone.data = root.cast());
            Ok(())
        }
        None => Err(not_used(zone, DAMAGED, log)),
    }
}

/// Makes the zone of new memory, and migrates the content of `old`.
fn make(zone: Zone, of: &Declared, old: Option<&Old<'_>>, keep: bool, log: Log) -> Result {
    zone.allocate(keep, log)?;

    let name = OsStr::from_bytes(zone.name()).display();
    let pool = zone.slab_pool().ok_or(Status::Error)?;

    Header::make(&pool, of.id(), of.0.root_size, of.log_size()).map_err(|_| {
        refuse(
            log,
            format_args!(
                "shared memory zone \"{name}\" is too small for {}",
                Name(of.id())
            ),
        )
    })?;
    set_root(zone, log)?;

    let is_filled =
        of.0.init
            // SAFETY: the module has set the function for zones of this type.
            .is_none_or(|init| unsafe { init(zone.as_ptr(), zone.get().data) } == NGX_OK);

    if !is_filled {
        return Err(refuse(
            log,
            format_args!("shared memory zone \"{name}\" could not be initialized"),
        ));
    }

    if let Some(old) = old {
        migrate(zone, of, old, log).map_err(|why| not_used(zone, why, log))?;
    }

    zone.start(None, log)
}

/// Calls the function `migrate` of the type with the lock of the old zone. Returns why the
/// content was not migrated.
fn migrate(
    zone: Zone,
    of: &Declared,
    old: &Old<'_>,
    log: Log,
) -> std::result::Result<(), &'static str> {
    // SAFETY: the memory begins with the words of its lock, and stays mapped until the caller
    // returns. The reference does not outlive this function.
    let lock = lock_owner::lock_of(unsafe { old.addr.cast().as_ref() });

    if !slab::lock_soon(&lock) {
        return Err(LOCKED);
    }

    let result = migrate_locked(zone, of, old, log);

    lock.unlock(lock_owner::unchecked(), lock_owner::log);
    result
}

fn migrate_locked(
    zone: Zone,
    of: &Declared,
    old: &Old<'_>,
    log: Log,
) -> std::result::Result<(), &'static str> {
    let report = |fault: pool::Fault| slab_log::report(old.pool, 0, fault);
    // The old content must not be that in the middle of a transaction.
    let found = Transaction::of(old.pool).and_then(|old| old.settle(0, report));

    report_found(zone, old.pool, &found.or(Err(DAMAGED))?, log);

    let header = Header::find(old.pool).ok_or(DAMAGED)?;
    let mut name = [0; NAME_MAX];
    let Type { name, version } = header.type_in(&mut name).or(Err(DAMAGED))?;
    let (root, root_size) = header.root().or(Err(DAMAGED))?;
    let described = ngx_ipc_zone_old_t {
        name: ngx_str_t {
            len: name.len(),
            data: name.as_ptr().cast_mut(),
        },
        version,
        root: old.addr.as_ptr().with_addr(root),
        root_size,
        pool: old.addr.as_ptr().cast(),
    };

    let is_migrated = of.0.migrate.is_none_or(|migrate| {
        // SAFETY: the module has set the function for zones of this type. The structure is
        // valid until it returns.
        unsafe { migrate(zone.as_ptr(), zone.get().data, &raw const described) == NGX_OK }
    });

    if is_migrated {
        Ok(())
    } else {
        Err("it could not be migrated")
    }
}
