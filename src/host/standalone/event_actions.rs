//! The functions that C calls through `ngx_event_actions`.
//!
//! They are in this file instead of `src/abi`, because C calls them by the addresses
//! in a variable.

use std::cell::UnsafeCell;

use super::channel_event::READ_EVENT;
use super::connection::ngx_connection_t;
use super::event::ngx_event_t;
use super::proxy::Given;
use super::types::ngx_event_actions_t;
use super::watch;
use crate::config::{AtomicUint, NGX_ERROR, ngx_int_t, ngx_uint_t, numbers};
use crate::status::code;

/// The functions, in memory that a program can change.
#[repr(transparent)]
pub struct Actions(UnsafeCell<ngx_event_actions_t>);

// SAFETY: the library does not use the table, and only one thread of a program
// changes it.
unsafe impl Sync for Actions {}

/// The functions that the macros of `ngx_event.h` call.
#[unsafe(no_mangle)]
pub static ngx_event_actions: Actions = Actions(UnsafeCell::new(ngx_event_actions_t {
    add: Some(add_event),
    del: Some(delete_event),
    enable: Some(add_event),
    disable: Some(delete_event),
    add_conn: Some(add_connection),
    del_conn: Some(delete_connection),
    absent: [None; 4],
}));

/// What the event loop is.
#[unsafe(no_mangle)]
pub static ngx_event_flags: AtomicUint = AtomicUint::new(
    (numbers::NGX_USE_LEVEL_EVENT | numbers::NGX_USE_GREEDY_EVENT | numbers::NGX_USE_EPOLL_EVENT)
        as ngx_uint_t,
);

/// `ngx_add_event()`.
///
/// # Safety
///
/// `ev` is NULL or an event of an open connection.
unsafe extern "C" fn add_event(
    ev: *mut ngx_event_t,
    event: ngx_int_t,
    flags: ngx_uint_t,
) -> ngx_int_t {
    // SAFETY: C passes NULL or an event of an open connection.
    let c = unsafe { Given::of_event(ev) };
    let is_read = event == READ_EVENT;

    c.map_or(NGX_ERROR, |c| {
        code(c.add(is_read, |c| watch::add(c, c.event(is_read), flags as u32)))
    })
}

/// `ngx_del_event()`.
///
/// # Safety
///
/// `ev` is NULL or an event of an open connection.
unsafe extern "C" fn delete_event(
    ev: *mut ngx_event_t,
    event: ngx_int_t,
    flags: ngx_uint_t,
) -> ngx_int_t {
    // SAFETY: C passes NULL or an event of an open connection.
    let c = unsafe { Given::of_event(ev) };
    let is_read = event == READ_EVENT;

    c.map_or(NGX_ERROR, |c| {
        code(c.change(|c| watch::delete(c, c.event(is_read), flags as u32)))
    })
}

/// `ngx_add_conn()`.
///
/// # Safety
///
/// `c` is NULL or an open connection.
unsafe extern "C" fn add_connection(c: *mut ngx_connection_t) -> ngx_int_t {
    // SAFETY: C passes NULL or a connection.
    let c = unsafe { Given::from_ptr(c) };

    c.map_or(NGX_ERROR, |c| code(c.change(watch::add_both)))
}

/// `ngx_del_conn()`.
///
/// # Safety
///
/// `c` is NULL or an open connection.
unsafe extern "C" fn delete_connection(c: *mut ngx_connection_t, flags: ngx_uint_t) -> ngx_int_t {
    // SAFETY: C passes NULL or a connection.
    let c = unsafe { Given::from_ptr(c) };

    c.map_or(NGX_ERROR, |c| {
        code(c.change(|c| watch::delete_both(c, flags as u32)))
    })
}
