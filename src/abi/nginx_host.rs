//! The functions that only `nginx/ngx_ipc_host.c` calls.

use crate::config::{ngx_fd_t, ngx_int_t};
use crate::host::globals::GLOBALS;
use crate::host::logs::log_of;
use crate::host::nginx::channel;
use crate::host::ngx_log_t;
use crate::host::signal_handler::init_signals;
use crate::status::code;

/// Sets up the signals: the part of `ngx_init_signals()` that the library does.
/// `ngx_ipc_host.c` defines `ngx_init_signals()`.
///
/// # Safety
///
/// `log` is NULL or a valid log.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_ipc_init_signals(log: *mut ngx_log_t) -> ngx_int_t {
    // SAFETY: `ngx_ipc_host.c` passes NULL or a valid log.
    code(init_signals(unsafe { log_of(log) }))
}

/// Stores the role of this process, a worker or helper. `ngx_ipc_host.c` calls
/// this function when the process has added its channel `fd` to its event loop,
/// because nginx has set the role by then.
#[unsafe(no_mangle)]
pub extern "C" fn ngx_ipc_channel_added(fd: ngx_fd_t) {
    channel::added(&GLOBALS, fd);
}
