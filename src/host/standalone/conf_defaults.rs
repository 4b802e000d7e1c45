//! The defaults of the configuration.

use std::mem::offset_of;
use std::ptr;

use super::types::{ngx_core_conf_t, ngx_listening_t};
use crate::config::{ngx_str_t, ngx_uint_t};
use crate::log::Level;

/// The default configuration, which `ngx_ipc_conf_init()` writes.
pub const DEFAULTS: ngx_core_conf_t = ngx_core_conf_t {
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
    log_level: Level::Notice as ngx_uint_t,
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
    size: size_of::<ngx_core_conf_t>(),
    listening_size: size_of::<ngx_listening_t>(),
    messages: 0,
    message_memory: 0,
    message_max: 0,
    message_processes: 0,
    message_spin: 0,
    report: None,
    report_data: ptr::null_mut(),
    version: ptr::null(),
    log_writer: None,
    log_writer_data: ptr::null_mut(),
    log_json: 0,
    keep_zones: 0,
    user: libc::uid_t::MAX,
    group: libc::gid_t::MAX,
    oldpid: ngx_str_t::empty(),
    zones_directory: ptr::null(),
};

/// The size of an `ngx_core_conf_t` in version 0.1.
pub const FIRST_SIZE: usize = offset_of!(ngx_core_conf_t, listening_size) + size_of::<usize>();

// The structure must end with a field, not with padding, as `sized` explains.
const _: () = assert!(
    offset_of!(ngx_core_conf_t, zones_directory) + size_of::<*const u8>()
        == size_of::<ngx_core_conf_t>()
);
