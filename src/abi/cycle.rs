//! `ngx_cycle.h`: the configuration, and what a program runs with.

use std::ptr;

use crate::host::standalone::conf::DEFAULTS;
use crate::host::standalone::cycle::Cycle;
use crate::host::standalone::types::{ngx_core_conf_t, ngx_cycle_t};
use crate::host::standalone::{init_cycle, reopen};
use crate::sys::user;

/// Fills a configuration with defaults: a master in the foreground, a worker
/// for each processor, a log on stderr with the level NGX_LOG_NOTICE.
///
/// # Safety
///
/// `conf` is NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_ipc_conf_init(conf: *mut ngx_core_conf_t) {
    if !conf.is_null() {
        // SAFETY: the contract of this function: not NULL means writable.
        unsafe { conf.write(DEFAULTS) };
    }
}

/// Makes a cycle of the configuration of `old_cycle`, for a reload.
///
/// First `reconfigure` may change a copy of the configuration. Then the log is
/// opened, and the listening sockets that `old_cycle` does not have, and the
/// modules' `init_module` is called.
///
/// Returns the new cycle. The log and the pool of `old_cycle` and the sockets
/// that the new cycle does not need are closed then. Returns NULL if anything
/// fails, with the reason in the log of `old_cycle`, which stays as it was.
///
/// # Safety
///
/// `old_cycle` is NULL or a valid cycle. It is not used afterwards, unless
/// NULL is returned.
///
/// # References
///
/// nginx's `src/core/ngx_cycle.c`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_init_cycle(old_cycle: *mut ngx_cycle_t) -> *mut ngx_cycle_t {
    // SAFETY: the contract of this function: NULL or a valid cycle, which is not
    // used after success.
    let new = unsafe {
        let old_cycle = Cycle::from_ptr(old_cycle).unwrap_or_else(Cycle::empty);

        init_cycle::reload(old_cycle)
    };

    new.map_or(ptr::null_mut(), Cycle::as_ptr)
}

/// Opens the log of a cycle again, after its file has been renamed.
///
/// `user`, unless it is -1, becomes the owner of the file. A root process then
/// refuses links and special files that this user can have made; a link in a
/// directory that only root can change is followed, and its target keeps its
/// owner. If the file cannot be opened, an emergency is logged, and the log goes
/// to the old file.
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
    // SAFETY: the contract of this function: NULL or a valid cycle.
    if let Some(cycle) = unsafe { Cycle::from_ptr(cycle) } {
        reopen::reopen_log(cycle, user::owner(user));
    }
}
