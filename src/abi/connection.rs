//! `ngx_connection.h`: a descriptor and its events.

use std::ffi::c_void;

use super::event::{self, ngx_event_t};
use super::log::ngx_log_t;
use super::palloc::ngx_pool_t;
use crate::config::ngx_socket_t;

/// By nginx's other name.
pub type ngx_connection_t = ngx_connection_s;

/// A descriptor in the event loop.
#[repr(C)]
pub struct ngx_connection_s {
    /// For its owner.
    pub data: *mut c_void,
    /// Its read event.
    pub read: *mut ngx_event_t,
    /// Its write event.
    pub write: *mut ngx_event_t,

    /// The descriptor; -1 once the connection is closed.
    pub fd: ngx_socket_t,

    /// Where its events are logged.
    pub log: *mut ngx_log_t,
    /// For its owner.
    pub pool: *mut ngx_pool_t,
}

/// Makes a connection of `s`, which the loop does not watch yet.
///
/// Returns NULL, with an alert in the log, if there is no event loop.
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
    // SAFETY: promised by the caller.
    unsafe { event::get_connection(s, log) }
}

/// Has the loop forget a connection; its descriptor stays open.
///
/// # Safety
///
/// `c` is NULL or comes from this library.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_free_connection(c: *mut ngx_connection_t) {
    // SAFETY: promised by the caller.
    unsafe { event::free_connection(c) };
}

/// Has the loop forget a connection and closes its descriptor.
///
/// # Safety
///
/// `c` is NULL or comes from this library.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_close_connection(c: *mut ngx_connection_t) {
    // SAFETY: promised by the caller.
    unsafe { event::close_connection(c) };
}
