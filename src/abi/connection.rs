//! `ngx_connection.h`: connections: descriptors with a read and a write event.

use std::ptr;

use crate::config::ngx_socket_t;
use crate::host::standalone::connection::{Connection, ngx_connection_t};
use crate::host::standalone::connections;
use crate::host::standalone::cycle::Cycle;
use crate::host::standalone::log::{ErrorLog, ngx_log_t};
use crate::host::standalone::old_cycle;
use crate::host::standalone::proxy::Given;
use crate::host::standalone::types::ngx_cycle_t;

/// Makes a connection with the descriptor `s` and adds it to the event loop.
/// The event loop does not watch the descriptor until ngx_handle_read_event()
/// or ngx_handle_write_event() is called.
///
/// Lines about the connection are written to `log`. Returns the connection, or
/// NULL, with an emergency in the log, if there is no memory, or if the process
/// has no event loop and none can be made.
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

/// Removes a connection from the event loop. The descriptor stays open. Does
/// nothing if `c` is NULL or closed.
///
/// # Safety
///
/// `c` is NULL or a connection.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_free_connection(c: *mut ngx_connection_t) {
    // SAFETY: C passes NULL or a connection.
    if let Some(c) = unsafe { Given::from_ptr(c) } {
        c.free();
    }
}

/// Closes the listening sockets of a cycle in this process, and forgets them:
/// `cycle->listening` has no elements afterwards. A master or a single process
/// removes the files of its Unix sockets.
///
/// # Safety
///
/// `cycle` is NULL or a valid cycle.
///
/// # References
///
/// nginx's `src/core/ngx_connection.c`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_close_listening_sockets(cycle: *mut ngx_cycle_t) {
    // SAFETY: C passes NULL or a valid cycle.
    if let Some(cycle) = unsafe { Cycle::from_ptr(cycle) } {
        old_cycle::close_listening(cycle);
    }
}

/// Removes a connection from the event loop and closes its descriptor.
///
/// If the connection is closed already, an alert is logged. Does nothing if `c`
/// is NULL.
///
/// # Safety
///
/// `c` is NULL or a connection.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_close_connection(c: *mut ngx_connection_t) {
    // SAFETY: C passes NULL or a connection.
    if let Some(c) = unsafe { Given::from_ptr(c) } {
        c.close();
    }
}
