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
    /// Where it is; NULL if there is none.
    pub addr: *mut u_char,
    /// Its size in bytes.
    pub size: usize,
    /// What its owner calls it.
    pub name: ngx_str_t,
    /// Where failures are logged.
    pub log: *mut ngx_log_t,
    /// For its owner to use.
    pub exists: ngx_uint_t,
}

/// Makes `shm->size` bytes of zeroed memory and sets `shm->addr`.
///
/// Children that are forked afterwards share it. Returns NGX_OK, or NGX_ERROR
/// with an alert in the log and `shm->addr` NULL.
///
/// If `ngx_ipc_huge_pages` is set, 2 MiB and more are made of huge pages where
/// the system allows that for shared memory; a warning says that it does not.
///
/// # Safety
///
/// `shm` is NULL or valid, as is its log.
///
/// # References
///
/// `mmap(2)`, `zero(4)`, `shmget(2)`, `madvise(2)`; nginx's
/// `src/os/unix/ngx_shmem.c`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_shm_alloc(shm: *mut ngx_shm_t) -> ngx_int_t {
    // SAFETY: promised by the caller.
    let Some(shm) = (unsafe { shm.as_mut() }) else {
        return NGX_ERROR;
    };
    // SAFETY: the same.
    let log = unsafe { log_of(shm.log) };

    shm.addr = ptr::null_mut();

    match shmem::alloc(log, shm.size) {
        Ok(segment) => {
            if ngx_ipc_huge_pages.load(Relaxed) != 0 {
                shmem::huge_pages::use_for(log, &segment);
            }

            shm.addr = segment.addr().as_ptr().cast();
            NGX_OK
        }
        Err(status) => status.into(),
    }
}

/// Takes the memory away from this process and sets `shm->addr` to NULL.
///
/// Does nothing if that is NULL already. A failure is an alert in the log.
///
/// # Safety
///
/// `shm` is NULL or valid; `addr` and `size` are as ngx_shm_alloc() left
/// them, and nothing uses the memory any more.
///
/// # References
///
/// `munmap(2)`, `shmdt(2)`; nginx's `src/os/unix/ngx_shmem.c`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_shm_free(shm: *mut ngx_shm_t) {
    // SAFETY: promised by the caller.
    let Some(shm) = (unsafe { shm.as_mut() }) else {
        return;
    };

    let addr = std::mem::replace(&mut shm.addr, ptr::null_mut());

    if let Some(addr) = NonNull::new(addr.cast()) {
        // SAFETY: promised by the caller.
        let (log, segment) = unsafe { (log_of(shm.log), Segment::from_raw(addr, shm.size)) };

        shmem::free(log, segment);
    }
}
