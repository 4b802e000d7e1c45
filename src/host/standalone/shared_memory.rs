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
use std::sync::atomic::AtomicPtr;
use std::sync::atomic::Ordering::Relaxed;

use super::cycle::Cycle;
use super::kept_zones;
use super::list;
use super::log::ErrorLog;
use super::socket_names::put_text;
use super::types::ngx_cycle_t;
use crate::config::{NGX_OK, ngx_int_t, ngx_str_t, ngx_uint_t};
use crate::host::logs::log_of;
use crate::host::shmem::ngx_shm_t;
use crate::host::slab;
use crate::log::{Level, Log};
use crate::status::{Result, Status};

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
    /// A field of nginx. The library does not use it.
    pub sync: *mut c_void,
    /// 1: the zone gets new memory at each reload. The module sets it.
    pub noreuse: ngx_uint_t,
}

/// The cycle whose modules can declare zones now.
static DECLARED: AtomicPtr<ngx_cycle_t> = AtomicPtr::new(ptr::null_mut());

/// A zone of a cycle.
///
/// Invariant: the pointer points to an element of the list `shared_memory` of a cycle that
/// the library has made and not destroyed. Only one thread uses the zone.
#[derive(Clone, Copy)]
pub struct Zone(NonNull<ngx_shm_zone_s>);

impl Zone {
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
    fn name(&self) -> &[u8] {
        bytes(&self.get().shm.name)
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
        let name = OsStr::from_bytes(self.name()).display();

        if self.get().shm.size == 0 {
            return Err(refuse(
                log,
                format_args!("zero size shared memory zone \"{name}\""),
            ));
        }

        match old {
            Some(old) => self.use_memory(old.get().shm.addr),
            None => match self.of_old_binary(log) {
                Some(addr) => self.use_memory(addr.as_ptr().cast()),
                None => self.allocate(keep, log)?,
            },
        }

        let result = self.call_init(old.map_or(ptr::null_mut(), |old| old.get().data));

        // The memory of an old binary does not belong to another cycle of this one.
        if old.is_none() {
            self.set_owner(true);
        }

        result.inspect_err(|_| {
            refuse(
                log,
                format_args!("shared memory zone \"{name}\" could not be initialized"),
            );
        })
    }

    /// Uses memory that exists already.
    fn use_memory(self, addr: *mut u8) {
        self.update(|zone| zone.shm.addr = addr);
        self.set_owner(false);
    }

    /// The memory of this zone that the binary had which has executed this one.
    fn of_old_binary(self, log: Log) -> Option<NonNull<c_void>> {
        if self.get().noreuse != 0 {
            return None;
        }

        kept_zones::take(self.name(), self.get().shm.size, log)
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
    fn allocate(self, keep: bool, log: Log) -> Result {
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

fn bytes(text: &ngx_str_t) -> &[u8] {
    if text.data.is_null() {
        return &[];
    }

    // SAFETY: a string of nginx points to `len` bytes.
    unsafe { std::slice::from_raw_parts(text.data, text.len) }
}

#[cold]
fn refuse(log: Log, text: std::fmt::Arguments<'_>) -> Status {
    log.error(Level::Emerg, None, text);
    Status::Error
}

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
