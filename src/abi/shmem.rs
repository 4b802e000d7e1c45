//! `ngx_shmem.h`: shared memory.

use crate::config::{NGX_ERROR, ngx_int_t};
use crate::host::shmem::ngx_shm_t;
use crate::status::{Status, code};

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
    code(unsafe { shm.allocate() })
}

/// Allocates all pages of the `shm->size` bytes at `shm->addr`, so that no process gets
/// SIGBUS, or is killed for lack of memory, when it first uses a page later.
///
/// Other processes can use the memory meanwhile: the function changes no byte. It is for memory
/// of ngx_shm_alloc() and for the memory of a zone, for example in the function `init` of the
/// zone. The pages are allocated once for all processes.
///
/// Returns NGX_OK. Returns NGX_ERROR, with an alert in the log, if a file system, or the huge
/// pages, have no room, or if the memory is not mapped for writing. Then some of the pages are
/// allocated. Returns NGX_ERROR also if `shm` or `shm->addr` is NULL. Without other memory, the
/// kernel can kill a process, as at a later access.
///
/// # Safety
///
/// `shm` is NULL or valid. The log in `shm` is NULL or valid. If `shm->addr` is not NULL,
/// `shm->size` bytes are mapped there.
///
/// # References
///
/// `MADV_POPULATE_WRITE` of `madvise(2)`; on a kernel before Linux 5.14 `FUTEX_WAKE_OP` of
/// `futex(2)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_shm_prefault(shm: *mut ngx_shm_t) -> ngx_int_t {
    // SAFETY: C passes NULL, or a valid structure whose log is NULL or valid, and whose memory
    // is mapped.
    code(unsafe {
        shm.as_ref()
            .map_or(Err(Status::Error), |shm| shm.prefault())
    })
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
    // meanwhile. ngx_shm_alloc() has set `addr`, C has not changed `addr` and `size` and
    // does not use the memory any more, and the log is NULL or valid.
    unsafe {
        if let Some(shm) = shm.as_mut() {
            shm.free();
        }
    }
}
