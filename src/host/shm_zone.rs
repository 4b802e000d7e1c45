//! A zone of shared memory, nginx's `ngx_shm_zone_t`.

use std::ffi::c_void;
use std::ptr::NonNull;

use super::lock_owner::lock_of;
use super::logs::log_of;
use super::shmem::ngx_shm_t;
use crate::config::{ngx_int_t, ngx_str_t, ngx_uint_t};
use crate::log::{Level, Log};
use crate::status::Status;
use crate::sys::words::Words;
use crate::zone::shmtx::{ngx_shmtx_sh_t, ngx_shmtx_t};
use crate::zone::slab::layout::HEADER;
use crate::zone::slab::pool::Pool;

/// nginx's typedef.
pub type ngx_shm_zone_t = ngx_shm_zone_s;

/// A function of a module that prepares the memory of a zone. `data` is the field `data`
/// of the zone whose memory the zone takes over, or NULL if the memory is new. The zone
/// is refused if the function does not return NGX_OK.
pub type ngx_shm_zone_init_pt =
    Option<unsafe extern "C" fn(zone: *mut ngx_shm_zone_t, data: *mut c_void) -> ngx_int_t>;

/// A zone of shared memory, which a module has declared.
#[repr(C)]
pub struct ngx_shm_zone_s {
    /// Data of the module. The function `init` of the zone that takes over the memory
    /// gets it.
    pub data: *mut c_void,
    /// The memory. It begins with an `ngx_slab_pool_t`.
    pub shm: ngx_shm_t,
    /// The function that prepares the memory, or NULL. The module sets it.
    pub init: ngx_shm_zone_init_pt,
    /// Tells the zones of a module from those of others with the same name.
    pub tag: *mut c_void,
    /// A field of nginx. In a zone of ngx_ipc_zone_add() the library uses it.
    pub sync: *mut c_void,
    /// 1: the zone gets new memory at each reload. The module sets it.
    pub noreuse: ngx_uint_t,
}

/// A zone of a cycle.
///
/// Invariant: the pointer points to an element of the list `shared_memory` of a cycle that
/// the library has made and not destroyed. Only one thread uses the zone.
#[derive(Clone, Copy)]
pub struct Zone(pub(super) NonNull<ngx_shm_zone_s>);

impl Zone {
    /// A zone of C.
    ///
    /// # Safety
    ///
    /// `zone` is NULL or the zone of a cycle that is not destroyed as long as the result is
    /// used.
    #[inline]
    pub unsafe fn from_ptr(zone: *mut ngx_shm_zone_t) -> Option<Self> {
        NonNull::new(zone).map(Self)
    }

    /// The pointer to the zone, for C.
    pub fn as_ptr(self) -> *mut ngx_shm_zone_t {
        self.0.as_ptr()
    }

    /// Reads the zone.
    pub(super) fn get(&self) -> &ngx_shm_zone_s {
        // SAFETY: the zone lives as long as its cycle (the invariant of `Zone`), and no
        // function of a module runs while the reference exists.
        unsafe { self.0.as_ref() }
    }

    /// Changes the zone.
    pub(super) fn update(self, change: impl FnOnce(&mut ngx_shm_zone_s)) {
        // SAFETY: as in `get`. `change` calls no function of a module, and no other
        // reference to the zone exists while this line runs.
        change(unsafe { &mut *self.0.as_ptr() });
    }

    pub(super) fn log(self) -> Log {
        // SAFETY: the log of a zone is that of its cycle.
        unsafe { log_of(self.get().shm.log) }
    }

    /// The bytes of the name.
    pub(super) fn name(&self) -> &[u8] {
        bytes(&self.get().shm.name)
    }

    /// The address of the memory, or NULL.
    pub fn memory(&self) -> *mut c_void {
        self.get().shm.addr.cast()
    }

    /// The pool with which the memory of the zone begins; `None` if it has no memory. The
    /// bound of the pool is the size of the zone, which no other process can change.
    #[inline]
    pub(super) fn slab_pool(&self) -> Option<Pool> {
        let shm = &self.get().shm;

        // SAFETY: the memory has this size, and stays mapped as long as the cycle.
        unsafe { Words::new(NonNull::new(shm.addr.cast())?, shm.size) }.map(Pool::new)
    }

    /// The lock of the pool. Other processes can change the lock that is in the pool, but not
    /// this one.
    #[inline]
    pub(super) fn lock(&self) -> Option<ngx_shmtx_t> {
        let shm = &self.get().shm;

        if shm.size < HEADER {
            return None;
        }

        // SAFETY: the memory has room for a pool, which begins with the words of the lock.
        // They are atomics, and stay mapped as long as the cycle.
        unsafe { shm.addr.cast::<ngx_shmtx_sh_t>().as_ref() }.map(lock_of)
    }
}

pub(super) fn bytes(text: &ngx_str_t) -> &[u8] {
    if text.data.is_null() {
        return &[];
    }

    // SAFETY: a string of nginx points to `len` bytes.
    unsafe { std::slice::from_raw_parts(text.data, text.len) }
}

#[cold]
pub(super) fn refuse(log: Log, text: std::fmt::Arguments<'_>) -> Status {
    log.error(Level::Emerg, None, text);
    Status::Error
}
