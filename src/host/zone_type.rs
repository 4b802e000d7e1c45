//! The structures of `ngx_ipc_zone.h`.

#![allow(non_camel_case_types)]

use std::ffi::c_void;
use std::mem::offset_of;
use std::ptr::{self, NonNull};
use std::sync::atomic::AtomicU64;

use super::shm_zone::{Zone, bytes, ngx_shm_zone_t, refuse};
use super::sized;
use crate::config::{ngx_int_t, ngx_pid_t, ngx_str_t, ngx_uint_t};
use crate::log::Log;
use crate::zone::slab::layout::{Sizes, ngx_slab_pool_t};
use crate::zone::typed::{NAME_MAX, Type, word};

/// The old zone, from which `migrate` copies the content. The library makes this structure, and
/// later versions can add fields. It is valid until `migrate` returns.
#[repr(C)]
pub struct ngx_ipc_zone_old_t {
    /// The name of the type.
    pub name: ngx_str_t,
    /// The version of the type.
    pub version: ngx_uint_t,
    /// The root of the old zone. The function must not change the old zone.
    pub root: *mut c_void,
    /// The size of the root in bytes.
    pub root_size: usize,
    /// The pool of the old zone.
    pub pool: *mut ngx_slab_pool_t,
}

/// A function of a module that fills a new zone. `root` consists of zeros. If it does not
/// return NGX_OK, the zone is refused, and a reload fails.
pub type ngx_ipc_zone_init_pt =
    Option<unsafe extern "C" fn(zone: *mut ngx_shm_zone_t, root: *mut c_void) -> ngx_int_t>;

/// A function of a module that copies the content of an old zone to a new one, for which
/// `init` of the type was called before. Nothing in the new zone may point into the old
/// one, which is freed. The lock of the old zone is held. If the function does not return
/// NGX_OK, the new zone is refused, and a reload fails; the old zone stays as it is.
pub type ngx_ipc_zone_migrate_pt = Option<
    unsafe extern "C" fn(
        zone: *mut ngx_shm_zone_t,
        root: *mut c_void,
        old: *const ngx_ipc_zone_old_t,
    ) -> ngx_int_t,
>;

/// A function of a module that ngx_ipc_zone_begin() calls after the process `pid` has died
/// while it held the lock of the zone, in a transaction or not. Its transaction is
/// undone or completed. The function runs in a transaction of its own. It can be called more than
/// once for a process.
pub type ngx_ipc_zone_owner_died_pt =
    Option<unsafe extern "C" fn(zone: *mut ngx_shm_zone_t, root: *mut c_void, pid: ngx_pid_t)>;

/// The type of a zone: which structure is in it. The program sets the first two fields and
/// `root_size`, and the others are 0 if it does not need them.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct ngx_ipc_zone_type_t {
    /// The name, with 1 to 64 bytes. Different structures have different names.
    pub name: ngx_str_t,
    /// The version of the structure. The program changes it when it changes the structure.
    pub version: ngx_uint_t,
    /// The size of the root in bytes.
    pub root_size: usize,
    /// The size of the undo log in bytes, which limits what a transaction can change. 0: the
    /// log takes a page of the zone, together with the header. A zone that is kept keeps the size
    /// of its log too.
    pub log_size: usize,
    /// Fills a new zone, or NULL.
    pub init: ngx_ipc_zone_init_pt,
    /// Copies the content of a zone with another size, version or type, or NULL.
    pub migrate: ngx_ipc_zone_migrate_pt,
    /// Is told of a process that has died with the lock, or NULL.
    pub on_owner_died: ngx_ipc_zone_owner_died_pt,
}

/// The size of the structure in version 0.1.
const FIRST_SIZE: usize = size_of::<[usize; 8]>();

const _: () = assert!(
    offset_of!(ngx_ipc_zone_type_t, on_owner_died) + size_of::<usize>() == FIRST_SIZE
        && size_of::<ngx_ipc_zone_type_t>() == FIRST_SIZE
);

/// A type without fields.
const NONE: ngx_ipc_zone_type_t = ngx_ipc_zone_type_t {
    name: ngx_str_t {
        len: 0,
        data: ptr::null_mut(),
    },
    version: 0,
    root_size: 0,
    log_size: 0,
    init: None,
    migrate: None,
    on_owner_died: None,
};

/// The type of the program, which has `size` bytes. `None`, with an emergency in `log`, if it is not
/// valid.
///
/// # Safety
///
/// `given` has `size` bytes, and its name is valid.
pub(super) unsafe fn checked(
    given: NonNull<ngx_ipc_zone_type_t>,
    size: usize,
    log: Log,
) -> Option<Declared> {
    if !sized::is_valid(size, FIRST_SIZE) {
        refuse(
            log,
            format_args!("the size {size} of ngx_ipc_zone_type_t is not valid"),
        );
        return None;
    }

    // SAFETY: the caller passes a structure with `size` bytes; its first fields are those of
    // version 0.1, and later ones are 0 by default.
    let declared = Declared(unsafe { sized::read(given.as_ptr(), size, NONE) });

    if !(1..=NAME_MAX).contains(&declared.id().name.len()) {
        refuse(
            log,
            format_args!("the name of the type of a zone must have 1 to {NAME_MAX} bytes"),
        );
        return None;
    }

    Some(declared)
}

/// The type that a zone was declared with.
#[derive(Clone, Copy)]
pub struct Declared(pub(super) ngx_ipc_zone_type_t);

impl Declared {
    /// The name and the version.
    pub(super) fn id(&self) -> Type<'_> {
        Type {
            name: bytes(&self.0.name),
            version: self.0.version,
        }
    }

    /// The size of the undo log.
    pub(super) fn log_size(&self) -> usize {
        match self.0.log_size {
            0 => Sizes::get().page() - word::LOG,
            size => size,
        }
    }

    /// Tells the module that the process `pid` has died with the lock.
    pub(super) fn tell(&self, zone: Zone, pid: usize) {
        if let (Some(on_owner_died), Ok(pid)) = (self.0.on_owner_died, pid.try_into()) {
            // SAFETY: the module has set the function for zones of this type.
            unsafe { on_owner_died(zone.as_ptr(), zone.get().data, pid) };
        }
    }
}

/// What the library knows of a typed zone, in memory of the process.
pub(super) struct Private {
    pub(super) declared: ngx_ipc_zone_type_t,
    /// The number of the process that has begun a transaction, or 0. The word in the zone that
    /// says the same can be overwritten by another process.
    pub(super) begun: AtomicU64,
}

impl Private {
    /// What the library knows of a zone with the type `declared`. `name` is a copy of the name of the
    /// type that lives as long as the cycle.
    pub(super) fn new(declared: &Declared, name: ngx_str_t) -> Self {
        Self {
            declared: ngx_ipc_zone_type_t { name, ..declared.0 },
            begun: AtomicU64::new(0),
        }
    }
}

/// What the library knows of a typed zone; `None` if the zone is not a typed zone.
#[inline]
pub(super) fn private<'a>(zone: Zone) -> Option<&'a Private> {
    // SAFETY: the library sets the field to a structure of its own that lives as long as the cycle.
    unsafe { zone.private_data().cast::<Private>().as_ref() }
}

/// The type of a zone; `None` if it is not a typed zone.
#[inline]
pub fn type_of(zone: Zone) -> Option<Declared> {
    private(zone).map(|private| Declared(private.declared))
}
