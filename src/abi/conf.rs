//! `ngx_core_conf_t` of `ngx_cycle.h`: what the program wants.

use std::ffi::{CStr, c_char, c_int};
use std::ptr;

use nix::errno::Errno;

use super::cycle::ngx_cycle_t;
use super::listening::ngx_listening_t;
use super::module::ngx_module_t;
use super::process_cycle::ngx_cache_manager_ctx_t;
use crate::config::{ngx_flag_t, ngx_int_t, ngx_msec_t, ngx_uint_t};
use crate::log::{Level, Log};
use crate::status::{Result, Status};
use crate::sys::text::Text;
use crate::sys::user;

/// By nginx's other name.
pub type ngx_core_conf_t = ngx_core_conf_s;

/// What the program wants: filled with defaults by ngx_ipc_conf_init().
#[repr(C)]
#[derive(Clone, Copy)]
pub struct ngx_core_conf_s {
    /// Go into the background.
    pub daemon: ngx_flag_t,
    /// Have workers; else one process does it all.
    pub master: ngx_flag_t,

    /// Milliseconds after which a graceful shutdown closes what is left; 0: none.
    pub shutdown_timeout: ngx_msec_t,

    /// How many workers; 0: one for each processor.
    pub worker_processes: ngx_int_t,
    /// What ngx_debug_point() does: nothing, NGX_DEBUG_POINTS_STOP or _ABORT.
    pub debug_points: ngx_int_t,

    /// How many descriptors a worker may open; -1: as the master.
    pub rlimit_nofile: ngx_int_t,
    /// How large a worker's core may be, in bytes; -1: as the master's.
    pub rlimit_core: libc::off_t,
    /// The nice value of the workers; 0: as the master's.
    pub priority: c_int,

    /// Worker N runs on processor N only.
    pub cpu_affinity_auto: ngx_flag_t,

    /// Who the workers run as, if the master is root; NULL: as the master.
    pub username: *const c_char,
    /// The workers' group; NULL: that of the user.
    pub groupname: *const c_char,
    /// Where workers work; NULL: where the master does.
    pub working_directory: *const c_char,

    /// The file for the master's pid, or NULL.
    pub pid: *const c_char,
    /// The log's file; NULL: stderr.
    pub error_log: *const c_char,
    /// The log's level, or debug masks.
    pub log_level: ngx_uint_t,

    /// What process titles begin with; NULL: the program's name.
    pub name: *const c_char,
    /// Modules, NULL-terminated, or NULL.
    pub modules: *mut *mut ngx_module_t,
    /// Where workers accept connections.
    pub listening: *mut ngx_listening_t,
    /// How many places they are.
    pub listening_n: ngx_uint_t,
    /// Processes beside the workers.
    pub helpers: *mut ngx_cache_manager_ctx_t,
    /// How many they are.
    pub helpers_n: ngx_uint_t,

    /// Is called before a reload with a copy of the configuration, to change
    /// it; NGX_ERROR keeps the old one, and the workers that run.
    pub reconfigure: Option<unsafe extern "C" fn(conf: *mut ngx_core_conf_t) -> ngx_int_t>,
    /// The signal at which the master logs a list of its processes; 0: none.
    pub status_signal: c_int,
    /// Shared memory of 2 MiB and more is made of huge pages, if the system
    /// allows that.
    pub huge_pages: ngx_flag_t,
    /// Workers go on when the master dies; else they shut down gracefully.
    pub orphans_stay: ngx_flag_t,
}

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
