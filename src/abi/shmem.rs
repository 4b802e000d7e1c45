//! `ngx_shmem.h`: shared memory.

use std::ptr::{self, NonNull};
use std::sync::atomic::Ordering::Relaxed;

use crate::config::{NGX_ERROR, NGX_OK, ngx_int_t, ngx_str_t, ngx_uint_t, u_char};
use crate::host::globals::ngx_ipc_huge_pages;
use crate::host::logs::log_of;
use crate::host::ngx_log_t;
use crate::shmem;
use crate::sys::shm::Segment;

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
    /// A field for the program. The library does not use it.
    pub exists: ngx_uint_t,
}

/// Allocates `shm->size` bytes of shared memory, filled with zeros, and sets
/// `shm->addr`.
///
/// Children that are forked afterwards share the memory with this process.
/// Returns NGX_OK, or NGX_ERROR with an alert in the log; then `shm->addr` is
/// NULL.
///
/// If `ngx_ipc_huge_pages` is set, memory of 2 MiB or more uses huge pages, if
/// the system allows huge pages for shared memory. If the system does not, a
/// warning is logged.
///
/// # Safety
///
/// `shm` is NULL or valid. The log in `shm` is NULL or valid.
///
/// # References
///
/// `mmap(2)`, `zero(4)`, `shmget(2)`, `madvise(2)`; nginx's
/// `src/os/unix/ngx_shmem.c`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_shm_alloc(shm: *mut ngx_shm_t) -> ngx_int_t {
    // SAFETY: C passes NULL, or a valid structure that no other code uses
    // meanwhile.
    let Some(shm) = (unsafe { shm.as_mut() }) else {
        return NGX_ERROR;
    };
    // SAFETY: C passes a structure whose log is NULL or valid.
    let log = unsafe { log_of(shm.log) };

    shm.addr = ptr::null_mut();

    match shmem::allocate(log, shm.size, ngx_ipc_huge_pages.load(Relaxed) != 0) {
        Ok(segment) => {
            shm.addr = segment.addr().as_ptr().cast();
            NGX_OK
        }
        Err(status) => status.into(),
    }
}

/// Unmaps the shared memory in this process, and sets `shm->addr` to NULL.
///
/// Does nothing if `shm->addr` is NULL. If the memory cannot be unmapped, an
/// alert is logged.
///
/// # Safety
///
/// `shm` is NULL or valid. The program has not changed `addr` and `size` since
/// ngx_shm_alloc(), and does not use the memory afterwards.
///
/// # References
///
/// `munmap(2)`, `shmdt(2)`; nginx's `src/os/unix/ngx_shmem.c`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_shm_free(shm: *mut ngx_shm_t) {
    // SAFETY: C passes NULL, or a valid structure that no other code uses
    // meanwhile.
    let Some(shm) = (unsafe { shm.as_mut() }) else {
        return;
    };

    let addr = std::mem::replace(&mut shm.addr, ptr::null_mut());

    if let Some(addr) = NonNull::new(addr.cast()) {
        // SAFETY: ngx_shm_alloc() has set `addr`, C has not changed `addr` and
        // `size` and does not use the memory any more, and the log is NULL or
        // valid.
        let (log, segment) = unsafe { (log_of(shm.log), Segment::from_raw(addr, shm.size)) };

        shmem::free(log, segment);
    }
}
