//! `ngx_core_conf_t` of `ngx_cycle.h`: what the program wants.

pub use super::types::{ngx_core_conf_s, ngx_core_conf_t};
use std::ffi::CStr;
use std::ptr;

use nix::errno::Errno;

use super::cycle::ngx_cycle_t;
use crate::log::{Level, Log};
use crate::status::{Result, Status};
use crate::sys::text::Text;
use crate::sys::user;

const DEFAULTS: ngx_core_conf_t = ngx_core_conf_t {
    daemon: 0,
    master: 1,
    shutdown_timeout: 0,
    worker_processes: 0,
    debug_points: 0,
    rlimit_nofile: -1,
    rlimit_core: -1,
    priority: 0,
    cpu_affinity_auto: 0,
    username: ptr::null(),
    groupname: ptr::null(),
    working_directory: ptr::null(),
    pid: ptr::null(),
    error_log: ptr::null(),
    log_level: 6,
    name: ptr::null(),
    modules: ptr::null_mut(),
    listening: ptr::null_mut(),
    listening_n: 0,
    helpers: ptr::null_mut(),
    helpers_n: 0,
    reconfigure: None,
    status_signal: 0,
    huge_pages: 0,
    orphans_stay: 0,
};

/// Fills a configuration with defaults that need no thought: a master in the
/// foreground, a worker for each processor, notices and worse to stderr.
///
/// # Safety
///
/// `conf` is NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_ipc_conf_init(conf: *mut ngx_core_conf_t) {
    if !conf.is_null() {
        // SAFETY: promised by the caller.
        unsafe { conf.write(DEFAULTS) };
    }
}

/// The configuration of a cycle, or the defaults if it has none.
///
/// # Safety
///
/// `cycle` is NULL or valid.
pub unsafe fn conf_of<'a>(cycle: *const ngx_cycle_t) -> &'a ngx_core_conf_t {
    static NONE: Shared = Shared(DEFAULTS);

    struct Shared(ngx_core_conf_t);
    // SAFETY: it has only NULL pointers and is never written to.
    unsafe impl Sync for Shared {}

    // SAFETY: promised by the caller; `ngx_init_cycle` has put it there.
    unsafe {
        cycle
            .as_ref()
            .and_then(|cycle| cycle.conf_ctx.cast::<*const ngx_core_conf_t>().as_ref())
            .and_then(|conf| conf.as_ref())
            .unwrap_or(&NONE.0)
    }
}

/// The workers will want to know who they are to be.
///
/// # Safety
///
/// The names are NULL or strings.
pub unsafe fn check_user(log: Log, conf: &ngx_core_conf_t) -> Result {
    // SAFETY: promised by the caller.
    let (found, name) = unsafe { (identity_of(conf), Text::from_ptr(conf.username)) };

    if conf.username.is_null() && !conf.groupname.is_null() {
        log.error(
            Level::Emerg,
            None,
            format_args!("a group needs a user to go with"),
        );
        return Err(Status::Error);
    }

    found.map(drop).map_err(|err| {
        log.fail(
            Level::Emerg,
            err,
            format_args!("user \"{name}\" or its group not found"),
        )
    })
}

/// Who workers run as; `None`: as the master.
///
/// # Safety
///
/// The names are NULL or strings.
pub unsafe fn identity_of(
    conf: &ngx_core_conf_t,
) -> std::result::Result<Option<user::Identity>, Errno> {
    if conf.username.is_null() {
        return Ok(None);
    }

    // SAFETY: promised by the caller.
    let (name, group) = unsafe {
        (
            CStr::from_ptr(conf.username),
            (!conf.groupname.is_null()).then(|| CStr::from_ptr(conf.groupname)),
        )
    };

    user::find(name, group).map(Some)
}
