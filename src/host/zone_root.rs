//! The root of a typed zone: how a zone makes it, keeps the one of an old zone, or migrates it.

use std::ffi::{OsStr, c_void};
use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::ptr::NonNull;

use super::lock_owner;
use super::shm_zone::{Zone, refuse};
use super::slab::{self, DAMAGED, LOCKED};
use super::slab_log;
use super::zone_transaction::report_found;
use super::zone_type::{Declared, ngx_ipc_zone_old_t, type_of};
use crate::config::{NGX_OK, ngx_str_t};
use crate::log::Log;
use crate::status::{Result, Status};
use crate::zone::slab::pool::{self, Pool};
use crate::zone::transaction::{Found, Transaction};
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

/// What a zone can do with the memory of an old one.
pub(super) enum Use {
    /// The structure is the same.
    Keep,
    /// The structure or the size is another one. The zone gets new memory.
    Migrate,
    /// There is no type in it.
    Drop,
}

/// The memory of an old zone.
pub(super) struct Old<'a> {
    pub(super) pool: &'a Pool,
    pub(super) addr: NonNull<c_void>,
    pub(super) size: usize,
}

/// Decides what the zone does with the memory of an old one. Returns why it cannot do
/// anything.
pub(super) fn decide_use(
    zone: Zone,
    declared: &Declared,
    old: &Old<'_>,
) -> std::result::Result<Use, &'static str> {
    let Some(header) = Header::find(old.pool) else {
        return Ok(Use::Drop);
    };
    let mut name = [0; NAME_MAX];
    let found = header.type_in(&mut name).or(Err(DAMAGED))?;
    let (_, root_size) = header.root().or(Err(DAMAGED))?;
    let is_same = found == declared.id() && root_size == declared.0.root_size;

    if is_same && old.size == zone.get().shm.size {
        return Ok(Use::Keep);
    }

    match declared.0.migrate {
        Some(_) => Ok(Use::Migrate),
        None if is_same => Ok(Use::Drop),
        None if found.name != declared.id().name => Err("it has another type"),
        None if found == declared.id() => Err("its root has another size"),
        None => Err("its type has another version"),
    }
}

/// Refuses a zone because of what is in the old one.
pub(super) fn not_used(zone: Zone, why: &str, log: Log) -> Status {
    let name = OsStr::from_bytes(zone.name()).display();

    match type_of(zone) {
        Some(declared) => refuse(
            log,
            format_args!(
                "shared memory zone \"{name}\" of {} cannot use the memory of the zone \
                 before: {why}",
                Name(declared.id())
            ),
        ),
        None => Status::Error,
    }
}

/// Sets `data` of a zone to its root.
pub(super) fn set_root(zone: Zone, log: Log) -> Result {
    let expected = type_of(zone).map(|declared| declared.0.root_size);
    // Another process can have changed the header since this use was decided.
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

/// Fills the zone, which has new memory, and migrates the content of `old`.
pub(super) fn fill(zone: Zone, declared: &Declared, old: Option<&Old<'_>>, log: Log) -> Result {
    let name = OsStr::from_bytes(zone.name()).display();
    let pool = zone.slab_pool().ok_or(Status::Error)?;

    Header::make(
        &pool,
        declared.id(),
        declared.0.root_size,
        declared.log_size(),
    )
    .map_err(|_| {
        refuse(
            log,
            format_args!(
                "shared memory zone \"{name}\" is too small for {}",
                Name(declared.id())
            ),
        )
    })?;
    set_root(zone, log)?;

    let is_filled = declared
        .0
        .init
        // SAFETY: the module has set the function for zones of this type.
        .is_none_or(|init| unsafe { init(zone.as_ptr(), zone.get().data) } == NGX_OK);

    if !is_filled {
        return Err(refuse(
            log,
            format_args!("shared memory zone \"{name}\" could not be initialized"),
        ));
    }

    match old {
        Some(old) => migrate(zone, declared, old, log).map_err(|why| not_used(zone, why, log)),
        None => Ok(()),
    }
}

/// Does `work` with the lock of an old zone, after the transaction of a process that has died is
/// undone or completed: the content is never that in the middle of a transaction. Returns why this
/// cannot be done.
pub(super) fn settled<T>(
    zone: Zone,
    old: &Old<'_>,
    log: Log,
    work: impl FnOnce(Found) -> std::result::Result<T, &'static str>,
) -> std::result::Result<T, &'static str> {
    // SAFETY: the memory begins with the words of its lock, and stays mapped until the caller
    // returns. The reference does not outlive this function.
    let lock = lock_owner::lock_of(unsafe { old.addr.cast().as_ref() });

    if !slab::lock_soon(&lock) {
        return Err(LOCKED);
    }

    let report = |fault: pool::Fault| slab_log::report(old.pool, 0, fault);
    let found = Transaction::of(old.pool).and_then(|old| old.settle(0, report));
    let result = found.or(Err(DAMAGED)).and_then(|found| {
        report_found(zone, old.pool, &found, log);
        work(found)
    });

    lock.unlock(lock_owner::unchecked(), lock_owner::log);
    result
}

/// Calls the function `migrate` of the type with the lock of the old zone. Returns why the
/// content was not migrated.
fn migrate(
    zone: Zone,
    declared: &Declared,
    old: &Old<'_>,
    log: Log,
) -> std::result::Result<(), &'static str> {
    settled(zone, old, log, |found| {
        migrate_settled(zone, declared, old, found)
    })
}

fn migrate_settled(
    zone: Zone,
    declared: &Declared,
    old: &Old<'_>,
    found: Found,
) -> std::result::Result<(), &'static str> {
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

    let is_migrated = declared.0.migrate.is_none_or(|migrate| {
        // SAFETY: the module has set the function for zones of this type. The structure is
        // valid until it returns.
        unsafe { migrate(zone.as_ptr(), zone.get().data, &raw const described) == NGX_OK }
    });

    if !is_migrated {
        return Err("it could not be migrated");
    }

    // The dead process can have changed, without a transaction, what was just copied. The next
    // transaction tells the module.
    if let Some(pid) = found.dead
        && let Some(new) = zone.slab_pool()
        && let Some(header) = Header::find(&new)
    {
        header.note_death(pid).or(Err(DAMAGED))?;
    }

    Ok(())
}
