//! `ngx_connection.h`: a descriptor and its events.

use std::ptr;

use crate::config::ngx_socket_t;
use crate::host::standalone::connection::{Connection, ngx_connection_t};
use crate::host::standalone::connections;
use crate::host::standalone::log::{ErrorLog, ngx_log_t};

/// Adds a connection with the descriptor `s` to the event loop, which does not
/// watch it yet.
///
/// `log` is for the lines about the connection. Returns NULL, with an emergency
/// in the log, if there is no event loop and none can be made.
///
/// # Safety
///
/// `log` is NULL or a log that is valid as long as the connection.
///
/// # References
///
/// nginx's `src/core/ngx_connection.c`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_get_connection(
    s: ngx_socket_t,
    log: *mut ngx_log_t,
) -> *mut ngx_connection_t {
    // SAFETY: C passes NULL or a log that lives as long as the connection.
    let log = unsafe { ErrorLog::from_ptr(log) };

    connections::get(s, log).map_or(ptr::null_mut(), Connection::as_ptr)
}

/// Removes a connection from the event loop; its descriptor stays open. Does
/// nothing if `c` is NULL or closed.
///
/// # Safety
///
/// `c` is NULL or comes from this library.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_free_connection(c: *mut ngx_connection_t) {
    // SAFETY: C passes NULL or a connection of this library.
    if let Some(c) = unsafe { Connection::from_ptr(c) } {
        connections::free(c);
    }
}

/// Removes a connection from the event loop and closes its descriptor.
///
/// If the connection is closed already, the log gets an alert. Does nothing if
/// `c` is NULL.
///
/// # Safety
///
/// `c` is NULL or comes from this library.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_close_connection(c: *mut ngx_connection_t) {
    // SAFETY: C passes NULL or a connection of this library.
    if let Some(c) = unsafe { Connection::from_ptr(c) } {
        c.close();
    }
}
