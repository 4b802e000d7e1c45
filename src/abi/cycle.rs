//! `ngx_cycle.h`: the configuration and the state of a program.

use std::ffi::c_void;
use std::ptr;

use crate::config::{ngx_int_t, ngx_str_t};
use crate::host::shm_zone::{Zone, ngx_shm_zone_t};
use crate::host::standalone::cycle::Cycle;
use crate::host::standalone::shared_memory_add;
use crate::host::standalone::types::{ngx_core_conf_t, ngx_cycle_t};
use crate::host::standalone::{init_cycle, program_conf, reopen};
use crate::status::code;
use crate::sys::user;

/// Sets all fields of a configuration to the defaults: a master in the
/// foreground, a worker for each processor, a log on stderr with the level
/// NGX_LOG_NOTICE.
///
/// In C, ngx_ipc_conf_init() is a macro that calls ngx_ipc_conf_init_size()
/// with the sizes of the structures in the program's headers. The function
/// ngx_ipc_conf_init() uses the sizes of version 0.1.
///
/// # Safety
///
/// `conf` is NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_ipc_conf_init(conf: *mut ngx_core_conf_t) {
    let (size, listening_size) = program_conf::FIRST_SIZES;

    // SAFETY: C passes NULL or a writable structure of the size in version 0.1.
    unsafe { ngx_ipc_conf_init_size(conf, size, listening_size) };
}

/// Sets all fields of a configuration to the defaults, for a program in whose
/// headers an ngx_core_conf_t has `size` bytes and an ngx_listening_t has
/// `listening_size` bytes. Programs call the macro ngx_ipc_conf_init().
///
/// Fields that this version of the library does not have are cleared. Returns
/// NGX_OK. Returns NGX_ERROR, and writes nothing, if `conf` is NULL, or, with
/// an alert on stderr, if a size is less than in version 0.1.
///
/// # Safety
///
/// `conf` is NULL or has `size` writable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_ipc_conf_init_size(
    conf: *mut ngx_core_conf_t,
    size: usize,
    listening_size: usize,
) -> ngx_int_t {
    // SAFETY: C passes NULL or a structure with `size` writable bytes.
    code(unsafe { program_conf::init(conf, size, listening_size) })
}

/// Makes a new cycle at a reload, from the configuration of `old_cycle`.
///
/// First the function calls `reconfigure`, which can change a copy of the
/// configuration. Then it opens the log and those listening sockets that
/// `old_cycle` does not have, and calls the hook `init_module` of each module.
///
/// Returns the new cycle. Before it returns, the function frees the pool of
/// `old_cycle`, and closes the log file of `old_cycle` and the sockets that the
/// new cycle does not need. Returns NULL if anything fails, with the reason in
/// the log of `old_cycle`, which stays in use, unchanged.
///
/// # Safety
///
/// `old_cycle` is NULL or a valid cycle. The program does not use
/// `old_cycle` afterwards, unless the function returns NULL.
///
/// # References
///
/// nginx's `src/core/ngx_cycle.c`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_init_cycle(old_cycle: *mut ngx_cycle_t) -> *mut ngx_cycle_t {
    // SAFETY: C passes NULL or a valid cycle, and does not use the cycle after
    // success.
    let new = unsafe {
        let old_cycle = Cycle::from_ptr(old_cycle).unwrap_or_else(Cycle::empty);

        init_cycle::reload(old_cycle)
    };

    new.map_or(ptr::null_mut(), Cycle::as_ptr)
}

/// Opens the log file of a cycle again, after the file has been renamed.
///
/// `user`, unless it is -1, becomes the owner of the file. A root process then
/// refuses links and special files that this user can have made. It follows a
/// link in a directory that only root can change, but does not change the owner
/// of the link's target. If the file cannot be opened, an emergency is logged,
/// and the log still writes to the old file.
///
/// # Safety
///
/// `cycle` is NULL or a valid cycle.
///
/// # References
///
/// nginx's `src/core/ngx_cycle.c`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_reopen_files(cycle: *mut ngx_cycle_t, user: libc::uid_t) {
    // SAFETY: C passes NULL or a valid cycle.
    if let Some(cycle) = unsafe { Cycle::from_ptr(cycle) } {
        reopen::reopen_log(cycle, user::owner(user));
    }
}

/// Declares a zone of shared memory, or finds the zone of this name that the cycle has
/// already.
///
/// A module calls the function in create_conf or init_conf, with the cycle that it gets
/// there, and sets `init` and `data` of the zone. `size` is in bytes. A `size` of 0 finds a
/// zone that is declared elsewhere. `tag` is an address that only this use of the zone has,
/// that of the module for example.
///
/// When all modules have their configurations, each zone gets its memory, and `init` is
/// called. The memory is that of the old cycle's zone with the same name, size and tag, with
/// its content; otherwise it is new and begins with a slab pool, `(ngx_slab_pool_t *)
/// zone->shm.addr`. Workers share it with each other and with the master.
///
/// Returns the zone. Returns NULL, with an emergency in the log of the cycle, if there is no
/// memory, if the zone was declared with another tag or another size, or if the cycle is in
/// use already.
///
/// # Safety
///
/// `cycle` is NULL or a valid cycle. `name` is valid.
///
/// # References
///
/// nginx's `src/core/ngx_cycle.c`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_ipc_shared_memory_add(
    cycle: *mut ngx_cycle_t,
    name: *const ngx_str_t,
    size: usize,
    tag: *mut c_void,
) -> *mut ngx_shm_zone_t {
    // SAFETY: C passes NULL or a valid cycle, and NULL or a valid string.
    let zone = unsafe {
        Cycle::from_ptr(cycle)
            .zip(name.as_ref())
            .and_then(|(cycle, &name)| shared_memory_add::add(cycle, name, size, tag))
    };

    zone.map_or(ptr::null_mut(), Zone::as_ptr)
}
