//! `ngx_shmem.h`: shared memory.

use std::ptr::{self, NonNull};
use std::sync::atomic::Ordering::Relaxed;

use crate::config::{NGX_ERROR, NGX_OK, ngx_int_t, ngx_str_t, ngx_uint_t, u_char};
use crate::host::globals::ngx_ipc_huge_pages;
use crate::host::logs::log_of;
use crate::host::ngx_log_t;
use crate::shmem;
use crate::sys::shm::Segment;

/// A piece of memory that forked children share.
#[repr(C)]
pub struct ngx_shm_t {
    /// The address; NULL if there is no memory.
    pub addr: *mut u_char,
    /// The size in bytes.
    pub size: usize,
    /// A name, which only the program uses.
    pub name: ngx_str_t,
    /// The log for failures.
    pub log: *mut ngx_log_t,
    /// For the program to use.
    pub exists: ngx_uint_t,
}

/// Allocates `shm->size` bytes of zeroed memory, and sets `shm->addr`.
///
/// Children that are forked afterwards share the memory. Returns NGX_OK, or
/// NGX_ERROR with an alert in the log and `shm->addr` NULL.
///
/// If `ngx_ipc_huge_pages` is set, 2 MiB or more get huge pages if the system
/// allows them for shared memory; if it does not, a warning is logged.
///
/// # Safety
///
/// `shm` is NULL or valid, and so is its log.
///
/// # References
///
/// `mmap(2)`, `zero(4)`, `shmget(2)`, `madvise(2)`; nginx's
/// `src/os/unix/ngx_shmem.c`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_shm_alloc(shm: *mut ngx_shm_t) -> ngx_int_t {
    // SAFETY: the contract of this function: NULL, or valid and not in use.
    let Some(shm) = (unsafe { shm.as_mut() }) else {
        return NGX_ERROR;
    };
    // SAFETY: the contract of this function: the log is NULL or valid.
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

/// Frees the memory in this process, and sets `shm->addr` to NULL.
///
/// Does nothing if that is NULL already. A failure is an alert in the log.
///
/// # Safety
///
/// `shm` is NULL or valid. `addr` and `size` are as ngx_shm_alloc() has left
/// them, and nothing uses the memory any more.
///
/// # References
///
/// `munmap(2)`, `shmdt(2)`; nginx's `src/os/unix/ngx_shmem.c`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_shm_free(shm: *mut ngx_shm_t) {
    // SAFETY: the contract of this function: NULL, or valid and not in use.
    let Some(shm) = (unsafe { shm.as_mut() }) else {
        return;
    };

    let addr = std::mem::replace(&mut shm.addr, ptr::null_mut());

    if let Some(addr) = NonNull::new(addr.cast()) {
        // SAFETY: the contract of this function: ngx_shm_alloc() has set `addr`
        // and left `size`, nothing uses the memory, and the log is NULL or valid.
        let (log, segment) = unsafe { (log_of(shm.log), Segment::from_raw(addr, shm.size)) };

        shmem::free(log, segment);
    }
}
