//! [`ngx_shm_t`], a piece of shared memory as C describes it.

use std::ptr::{self, NonNull};
use std::sync::atomic::Ordering::Relaxed;

use super::globals::ngx_ipc_huge_pages;
use super::logs::log_of;
#[cfg(not(feature = "standalone"))]
use super::nginx::types::ngx_log_t;
#[cfg(feature = "standalone")]
use super::standalone::types::ngx_log_t;
use crate::config::{ngx_str_t, ngx_uint_t, u_char};
use crate::shmem;
use crate::status::{Result, Status};
use crate::sys::shm::Segment;
use crate::zone::slab::known;

/// A piece of shared memory. Children that are forked later share it with their
/// parent.
#[repr(C)]
pub struct ngx_shm_t {
    /// The address of the memory; NULL if no memory is allocated.
    pub addr: *mut u_char,
    /// The size of the memory in bytes.
    pub size: usize,
    /// A name for the memory. The library does not use it.
    pub name: ngx_str_t,
    /// The log to which failures are written.
    pub log: *mut ngx_log_t,
    /// In the function `init` of an `ngx_shm_zone_t`: 1 if the memory has the content that
    /// it had before the reload, 0 if it is new. `ngx_shm_alloc()` and `ngx_shm_free()` do
    /// not use it.
    pub exists: ngx_uint_t,
}

impl ngx_shm_t {
    /// Allocates `size` bytes of shared memory, filled with zeros, and sets `addr`; NULL
    /// if that fails, with an alert in the log.
    ///
    /// # Safety
    ///
    /// `log` is NULL or valid.
    #[inline]
    pub unsafe fn allocate(&mut self) -> Result {
        // SAFETY: the caller passes a structure whose log is NULL or valid.
        let log = unsafe { log_of(self.log) };

        self.addr = ptr::null_mut();

        let segment = shmem::allocate(log, self.size, ngx_ipc_huge_pages.load(Relaxed) != 0)?;

        self.addr = segment.addr().as_ptr().cast();

        Ok(())
    }

    /// Allocates all pages of the memory; an error, with an alert in the log, if that fails or
    /// if `addr` is NULL.
    ///
    /// # Safety
    ///
    /// `log` is NULL or valid. `addr` is NULL, or `size` bytes are mapped there.
    pub unsafe fn prefault(&self) -> Result {
        let addr = NonNull::new(self.addr.cast()).ok_or(Status::Error)?;

        // SAFETY: the log is NULL or valid. The segment is used for its address and size only.
        let (log, segment) = unsafe { (log_of(self.log), Segment::from_raw(addr, self.size)) };

        shmem::prefault(log, &segment)
    }

    /// Unmaps the memory in this process, and sets `addr` to NULL. Does nothing if `addr`
    /// is NULL.
    ///
    /// # Safety
    ///
    /// `log` is NULL or valid. `addr` and `size` are those of [`ngx_shm_t::allocate`], and
    /// no code of this process uses the memory afterwards.
    #[inline]
    pub unsafe fn free(&mut self) {
        let addr = std::mem::replace(&mut self.addr, ptr::null_mut());

        if let Some(addr) = NonNull::new(addr.cast()) {
            // SAFETY: `allocate` has set `addr`, the caller has not changed `addr` and
            // `size` and does not use the memory any more, and the log is NULL or valid.
            let (log, segment) = unsafe { (log_of(self.log), Segment::from_raw(addr, self.size)) };

            known::free(segment.addr().addr().get());
            shmem::free(log, segment);
        }
    }
}
