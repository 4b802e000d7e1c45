//! The declaration of zones, nginx's `ngx_shared_memory_add()`.

use std::ffi::{OsStr, c_void};
use std::os::unix::ffi::OsStrExt;
use std::ptr;
use std::sync::atomic::AtomicPtr;
use std::sync::atomic::Ordering::Relaxed;

use super::cycle::Cycle;
use super::list;
use super::log::ErrorLog;
use super::socket_names::put_text;
use super::types::ngx_cycle_t;
use crate::config::ngx_str_t;
use crate::host::shm_zone::{Zone, bytes, ngx_shm_zone_s, refuse};
use crate::host::shmem::ngx_shm_t;
use crate::log::Log;
use crate::status::{Result, Status};

/// The cycle whose modules can declare zones now.
static DECLARED: AtomicPtr<ngx_cycle_t> = AtomicPtr::new(ptr::null_mut());

/// Declares a zone of `cycle`, or finds the zone with this name. Returns NULL, with an
/// emergency in the log of the cycle, if the zone cannot be declared.
///
/// # Safety
///
/// `name` points to `len` bytes.
pub unsafe fn add(cycle: Cycle, name: ngx_str_t, size: usize, tag: *mut c_void) -> Option<Zone> {
    let log = cycle.log();
    let text = OsStr::from_bytes(bytes(&name)).display();

    if DECLARED.load(Relaxed) != cycle.as_ptr() {
        refuse(
            log,
            format_args!(
                "shared memory zone \"{text}\" is declared too late, \
                 only create_conf and init_conf can declare zones"
            ),
        );
        return None;
    }

    let same = cycle.zones().find(|zone| zone.name() == bytes(&name));

    if let Some(zone) = same {
        return again(zone, size, tag, log).ok();
    }

    declare(cycle, name, size, tag).ok()
}

/// Checks the second declaration of a zone.
fn again(zone: Zone, size: usize, tag: *mut c_void, log: Log) -> Result<Zone> {
    let name = OsStr::from_bytes(zone.name()).display();
    let declared = zone.get().shm.size;

    if zone.get().tag != tag {
        return Err(refuse(
            log,
            format_args!(
                "the shared memory zone \"{name}\" is already declared for a different use"
            ),
        ));
    }

    if declared == 0 {
        zone.update(|zone| zone.shm.size = size);
    } else if size != 0 && size != declared {
        return Err(refuse(
            log,
            format_args!(
                "the size {size} of shared memory zone \"{name}\" \
                 conflicts with already declared size {declared}"
            ),
        ));
    }

    Ok(zone)
}

fn declare(cycle: Cycle, name: ngx_str_t, size: usize, tag: *mut c_void) -> Result<Zone> {
    let pool = cycle.pool().ok_or(Status::Error)?;
    let name = put_text(pool, bytes(&name))?;

    let zone = ngx_shm_zone_s {
        data: ptr::null_mut(),
        shm: ngx_shm_t {
            addr: ptr::null_mut(),
            size,
            name,
            log: ErrorLog::optional_ptr(cycle.error_log()),
            exists: 0,
        },
        init: None,
        tag,
        sync: ptr::null_mut(),
        noreuse: 0,
    };

    // SAFETY: the modules of the cycle are being configured, so the library has made the
    // cycle, and its list has elements of this type.
    unsafe { list::push(cycle.shared_memory(), pool, zone) }.map(Zone)
}

/// Lets `make` declare zones of `cycle`.
pub fn declaring(cycle: Cycle, make: impl FnOnce() -> Result) -> Result {
    DECLARED.store(cycle.as_ptr(), Relaxed);
    let made = make();
    DECLARED.store(ptr::null_mut(), Relaxed);

    made
}
