//! `ngx_event.h`: the event loop.

use crate::config::{NGX_ERROR, ngx_int_t, ngx_uint_t};
use crate::host::logs::cycle_log;
use crate::host::standalone::event::ngx_event_t;
use crate::host::standalone::process_events::process_events_and_timers;
use crate::host::standalone::proxy::Given;
use crate::host::standalone::types::ngx_cycle_t;
use crate::host::standalone::watch;
use crate::status::code;

/// Makes the event loop watch a connection for input if the read event `rev` is
/// not ready. If `rev` is ready, the event loop stops watching.
///
/// A read handler calls this function before it returns. `flags` is not used.
/// Returns NGX_OK, or NGX_ERROR with an alert in the log.
///
/// # Safety
///
/// `rev` is NULL or the read event of an open connection.
///
/// # References
///
/// nginx's `src/event/ngx_event.c`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_handle_read_event(
    rev: *mut ngx_event_t,
    flags: ngx_uint_t,
) -> ngx_int_t {
    let _ = flags;

    // SAFETY: C passes NULL or an event of an open connection.
    let c = unsafe { Given::of_event(rev) };

    c.map_or(NGX_ERROR, |c| {
        code(c.change(|c| watch::update(c, c.read())))
    })
}

/// Makes the event loop watch a connection for room in the socket buffer if the
/// write event `wev` is not ready. If `wev` is ready, the event loop stops
/// watching.
///
/// A program calls this function after `c->send` has sent fewer bytes than
/// requested, and before a write handler returns. `lowat` is not used. Returns
/// NGX_OK, or NGX_ERROR with an alert in the log.
///
/// # Safety
///
/// `wev` is NULL or the write event of an open connection.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_handle_write_event(wev: *mut ngx_event_t, lowat: usize) -> ngx_int_t {
    let _ = lowat;

    // SAFETY: C passes NULL or an event of an open connection.
    let c = unsafe { Given::of_event(wev) };

    c.map_or(NGX_ERROR, |c| {
        code(c.change(|c| watch::update(c, c.write())))
    })
}

/// Runs one round of the event loop: waits for an event, a timer or a signal,
/// then updates the time and calls the handlers.
///
/// If a signal has arrived since the last round, the function does not wait, so
/// no signal is missed.
///
/// # Safety
///
/// `cycle` is NULL or a valid cycle.
///
/// # References
///
/// `epoll_wait(2)`; nginx's `src/event/ngx_event.c`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_process_events_and_timers(cycle: *mut ngx_cycle_t) {
    // SAFETY: C passes NULL or a valid cycle.
    process_events_and_timers(unsafe { cycle_log(cycle) });
}
