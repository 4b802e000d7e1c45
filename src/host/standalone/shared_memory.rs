//! Zones of shared memory that modules declare, nginx's `ngx_shared_memory_add()`.
//!
//! A module declares its zones while its configuration is made. When all modules have
//! done so, each zone gets memory: that of the zone of the old cycle with the same name,
//! size and tag, or else new memory. So the content of a zone survives a reload.
//!
//! Only one cycle frees the memory of a zone. The field `exists` of the zone's `ngx_shm_t` is
//! 1 if that is another cycle. While a cycle is made, a memory that exists belongs to the old
//! cycle, because the new one can still fail. When nothing can fail any more, `take_over`
//! of `zones` makes the new cycle its owner.

use std::ffi::{OsStr, c_void};
use std::os::unix::ffi::OsStrExt;
use std::ptr::{self, NonNull};

use super::cycle::Cycle;
use super::kept_zones;
use super::list;
use crate::config::{NGX_OK, ngx_int_t, ngx_str_t, ngx_uint_t};
use crate::host::lock_owner::lock_of;
use crate::host::logs::log_of;
use crate::host::shmem::ngx_shm_t;
use crate::host::slab;
use crate::log::{Level, Log};
use crate::status::{Result, Status};
use crate::sys::words::Words;
use crate::zone::shmtx::{ngx_shmtx_sh_t, ngx_shmtx_t};
use crate::zone::slab::layout::HEADER;
use crate::zone::slab::pool::Pool as SlabPool;

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
    pub(super) fn slab_pool(&self) -> Option<SlabPool> {
        let shm = &self.get().shm;

        // SAFETY: the memory has this size, and stays mapped as long as the cycle.
        unsafe { Words::new(NonNull::new(shm.addr.cast())?, shm.size) }.map(SlabPool::new)
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

    /// Whether this zone gets the memory of `old`.
    pub(super) fn continues(self, old: Self) -> bool {
        let (new, old) = (self.get(), old.get());

        new.noreuse == 0
            && new.shm.size == old.shm.size
            && new.tag == old.tag
            && bytes(&new.shm.name) == bytes(&old.shm.name)
    }

    /// Gives the zone its memory, and calls the function `init` of the module.
    pub(super) fn init(self, old: Option<Self>, keep: bool, log: Log) -> Result {
        self.check_size(log)?;

        match old {
            Some(old) => self.use_memory(old.get().shm.addr),
            None => match self.of_old_binary(log) {
                Some(addr) => self.use_memory(addr.as_ptr().cast()),
                None => self.allocate(keep, log)?,
            },
        }

        self.start(old, log)
    }

    /// Refuses a zone whose size was not declared.
    pub(super) fn check_size(self, log: Log) -> Result {
        if self.get().shm.size != 0 {
            return Ok(());
        }

        let name = OsStr::from_bytes(self.name()).display();

        Err(refuse(
            log,
            format_args!("zero size shared memory zone \"{name}\""),
        ))
    }

    /// Calls the function `init` of the module. `old` is the zone whose memory this zone
    /// takes over.
    pub(super) fn start(self, old: Option<Self>, log: Log) -> Result {
        let result = self.call_init(old.map_or(ptr::null_mut(), |old| old.get().data));

        // The memory of an old binary does not belong to another cycle of this one.
        if old.is_none() {
            self.set_owner(true);
        }

        result.inspect_err(|_| {
            let name = OsStr::from_bytes(self.name()).display();

            refuse(
                log,
                format_args!("shared memory zone \"{name}\" could not be initialized"),
            );
        })
    }

    /// Uses memory that exists already.
    pub(super) fn use_memory(self, addr: *mut u8) {
        self.update(|zone| zone.shm.addr = addr);
        self.set_owner(false);
    }

    /// The memory of this zone that the binary had which has executed this one.
    fn of_old_binary(self, log: Log) -> Option<NonNull<c_void>> {
        if self.get().noreuse != 0 {
            return None;
        }

        kept_zones::take(self.name(), Some(self.get().shm.size), log).map(|(addr, _)| addr)
    }

    fn call_init(self, data: *mut c_void) -> Result {
        match self.get().init {
            // SAFETY: the module has set the function for this zone, and `data` is that of
            // a zone with the same tag.
            Some(init) if unsafe { init(self.as_ptr(), data) } != NGX_OK => Err(Status::Error),
            _ => Ok(()),
        }
    }

    /// Allocates memory, which can be handed down to a new binary if `keep` is set, and makes a
    /// pool in it.
    pub(super) fn allocate(self, keep: bool, log: Log) -> Result {
        let mut result = Ok(());
        let kept = keep
            .then(|| kept_zones::allocate(self.name(), self.get().shm.size, log))
            .flatten();

        self.update(|zone| match kept {
            Some(addr) => zone.shm.addr = addr.as_ptr().cast(),
            // SAFETY: the log of a zone is that of its cycle.
            None => result = unsafe { zone.shm.allocate() },
        });
        result?;

        let (addr, size) = (self.get().shm.addr, self.get().shm.size);
        let Some(addr) = NonNull::new(addr.cast()) else {
            return Err(Status::Error);
        };

        // SAFETY: the memory has just been allocated with this size, and stays mapped as long
        // as this cycle or a cycle that takes it over.
        unsafe { slab::make_in(addr, size) }.map_err(|least| {
            let name = OsStr::from_bytes(self.name()).display();

            refuse(
                log,
                format_args!(
                    "shared memory zone \"{name}\" is too small: \
                     it has {size} bytes, it needs {least} at least"
                ),
            )
        })
    }

    /// Frees the memory, unless it belongs to another cycle.
    pub(super) fn free(self) {
        if !self.is_owner() {
            return;
        }

        let (log, address) = (self.log(), self.get().shm.addr.addr());

        self.update(|zone| {
            if kept_zones::free(address, log) {
                zone.shm.addr = ptr::null_mut();
            } else {
                // SAFETY: `allocate` has set the address, or the memory was taken over with
                // this address and size. The caller of `free_all` does not use the memory.
                unsafe { zone.shm.free() };
            }
        });
    }

    /// Whether this cycle frees the memory of the zone.
    pub(super) fn is_owner(self) -> bool {
        self.get().shm.exists == 0
    }

    /// Sets whether this cycle frees the memory of the zone.
    pub(super) fn set_owner(self, is_owner: bool) {
        self.update(|zone| zone.shm.exists = (!is_owner).into());
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

impl Cycle {
    /// The zones of the cycle. A cycle that the program has made has none.
    pub fn zones(self) -> impl Iterator<Item = Zone> {
        let list = self.is_configured().then(|| self.shared_memory());

        // SAFETY: the library has made this cycle, so the elements of the list are zones,
        // and live as long as the cycle.
        list.into_iter()
            .flat_map(|list| unsafe { list::iter(list) })
            .map(Zone)
    }
}
