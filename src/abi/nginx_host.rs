//! The functions that only `nginx/ngx_ipc_host.c` calls.

use crate::config::{ngx_fd_t, ngx_int_t};
use crate::host::globals::GLOBALS;
use crate::host::logs::log_of;
use crate::host::nginx::channel;
use crate::host::ngx_log_t;
use crate::host::signal_handler::init_signals;
use crate::status::code;

/// The library's part of `ngx_init_signals()`, which `ngx_ipc_host.c` defines.
///
/// # Safety
///
/// `log` is NULL or a valid log.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_ipc_init_signals(log: *mut ngx_log_t) -> ngx_int_t {
    // SAFETY: the contract of this function: NULL or a valid log.
    code(init_signals(unsafe { log_of(log) }))
}

/// A worker or helper has added its channel `fd` to its event loop, so its role
/// is known.
#[unsafe(no_mangle)]
pub extern "C" fn ngx_ipc_channel_added(fd: ngx_fd_t) {
    channel::added(&GLOBALS, fd);
}
