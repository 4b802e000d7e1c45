//! The part of `ngx_ipc_zone.h` for zones that a process gives to another one.

use std::os::fd::RawFd;

use crate::config::{NGX_ERROR, ngx_fd_t, ngx_int_t, ngx_uint_t};
use crate::host::shm_zone::{Zone, ngx_shm_zone_t};
use crate::host::shmem::ngx_shm_t;
use crate::host::standalone::given_zones;
use crate::status::code;
use crate::sys::shm::Rights;

/// The zone is given or attached only for reading.
pub const NGX_IPC_ZONE_READ_ONLY: ngx_uint_t = 1;

/// No descriptor.
const NONE: RawFd = -1;

const fn rights(flags: ngx_uint_t) -> Rights {
    if flags & NGX_IPC_ZONE_READ_ONLY == 0 {
        Rights::ReadWrite
    } else {
        Rights::Read
    }
}

/// Makes a descriptor of the memory of a zone, which the program sends to another process. The
/// zone was made with `keep_zones` of the configuration, so that its memory is a file. The
/// descriptor is close-on-exec, and the program closes it.
///
/// `flags` is 0 or NGX_IPC_ZONE_READ_ONLY. With NGX_IPC_ZONE_READ_ONLY, the file behind the
/// descriptor can be read and mapped for reading only, also after `mprotect(2)`. The size of
/// the file is final.
///
/// Returns the descriptor. Returns -1, with an error in the log of the zone, if the memory of the
/// zone is no file, if no descriptor is free, or if `/proc` is not mounted for
/// NGX_IPC_ZONE_READ_ONLY; -1 also if `zone` is NULL.
///
/// # Safety
///
/// `zone` is NULL or a zone of a cycle that is in use.
///
/// # References
///
/// `memfd_create(2)`, F_SEAL_SHRINK and F_SEAL_GROW of `fcntl(2)`, `proc_pid_fd(5)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_ipc_zone_fd(zone: *mut ngx_shm_zone_t, flags: ngx_uint_t) -> ngx_fd_t {
    // SAFETY: C passes NULL or a zone.
    let zone = unsafe { Zone::from_ptr(zone) };

    zone.and_then(|zone| given_zones::open(zone, rights(flags)).ok())
        .unwrap_or(NONE)
}

/// Maps the zone of another process, whose descriptor this process has got. The zone has the
/// same address in both processes.
///
/// The program sets `shm->log`. `flags` is 0 or NGX_IPC_ZONE_READ_ONLY. With 0, the function
/// takes the lock of the pool for a moment, and undoes the operation in which a process has died.
/// Then this process can use the pool, its lock, and atomic words in it, as the others do. With
/// NGX_IPC_ZONE_READ_ONLY, it can only read: it must not call the functions of pools and locks,
/// other than ngx_slab_verify() and ngx_slab_usage(), and each byte can change at any time.
///
/// The function checks the size and the pool. Returns NGX_OK, and sets `shm->addr`, `shm->size`,
/// and `shm->exists` to 1. Returns NGX_ERROR, with an error in the log, if `fd` is not the
/// descriptor of a zone, if something else is mapped at the address of the zone, if the zone is
/// damaged, or if another process holds the lock for one second; then `shm->addr` is NULL.
/// Returns NGX_ERROR also if `shm` is NULL. The program can close `fd` afterwards.
///
/// # Safety
///
/// `shm` is NULL or valid. The log in `shm` is NULL or valid.
///
/// # References
///
/// MAP_FIXED_NOREPLACE of `mmap(2)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_ipc_zone_attach(
    shm: *mut ngx_shm_t,
    fd: ngx_fd_t,
    flags: ngx_uint_t,
) -> ngx_int_t {
    // SAFETY: C passes NULL, or a valid structure whose log is NULL or valid, and that no other
    // code uses meanwhile.
    unsafe {
        shm.as_mut()
            .map_or(NGX_ERROR, |shm| code(shm.attach(fd, rights(flags))))
    }
}

/// Unmaps a zone of ngx_ipc_zone_attach(), and sets `shm->addr` to NULL. Does nothing if
/// `shm->addr` is NULL. If the zone cannot be unmapped, an alert is logged.
///
/// # Safety
///
/// `shm` is NULL or valid. The program has not changed `addr` and `size` since
/// ngx_ipc_zone_attach(), does not hold the lock of the pool, and does not use the memory
/// afterwards.
///
/// # References
///
/// `munmap(2)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_ipc_zone_detach(shm: *mut ngx_shm_t) {
    // SAFETY: C passes NULL, or a valid structure that no other code uses meanwhile. The
    // function above has set `addr`, and C does not use the memory any more.
    unsafe {
        if let Some(shm) = shm.as_mut() {
            shm.detach();
        }
    }
}
