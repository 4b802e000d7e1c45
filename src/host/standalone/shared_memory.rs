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
use super::keep_zones::{self, Keep, Taken};
use super::list;
use crate::config::NGX_OK;
use crate::host::shm_zone::{Zone, bytes, refuse};
use crate::host::slab;
use crate::log::Log;
use crate::status::{Result, Status};

impl Zone {
    /// What the library knows of a typed zone; NULL if the zone is not a typed zone.
    pub(in crate::host) fn private_data(self) -> *mut c_void {
        self.get().sync
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
    pub(super) fn init(self, old: Option<Self>, mut keep: Keep<'_>, log: Log) -> Result {
        self.check_size(log)?;

        match old {
            Some(old) => self.use_memory(old.get().shm.addr),
            None => match self.take_earlier(Some(self.get().shm.size), &mut keep, log) {
                Some(taken) => {
                    keep.note_used(&taken, self.name(), log);
                    self.use_memory(taken.addr.as_ptr().cast());
                }
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

    /// The memory of this zone, with this size if it is given, that the binary had which has
    /// executed this one, or that an earlier server has left.
    pub(super) fn take_earlier(
        self,
        size: Option<usize>,
        keep: &mut Keep<'_>,
        log: Log,
    ) -> Option<Taken> {
        if self.get().noreuse != 0 {
            return None;
        }

        keep.take(self.name(), size, log)
    }

    fn call_init(self, data: *mut c_void) -> Result {
        match self.get().init {
            // SAFETY: the module has set the function for this zone, and `data` is that of
            // a zone with the same tag.
            Some(init) if unsafe { init(self.as_ptr(), data) } != NGX_OK => Err(Status::Error),
            _ => Ok(()),
        }
    }

    /// Allocates memory, which is kept as `keep` says, and makes a pool in it. No later server
    /// needs the memory of a zone that is not to be reused.
    pub(super) fn allocate(self, keep: Keep<'_>, log: Log) -> Result {
        let mut result = Ok(());
        let keep = match self.get().noreuse {
            0 => keep,
            _ => keep.without_directory(),
        };
        let kept = keep.allocate(self.name(), self.get().shm.size, log);

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
            if keep_zones::free(address, log) {
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
