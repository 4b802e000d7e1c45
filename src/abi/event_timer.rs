//! `ngx_event_timer.h`: the event loop's timers.

use crate::config::{NGX_AGAIN, NGX_OK, ngx_int_t, ngx_msec_t};
use crate::host::standalone::event::{Event, ngx_event_t};
use crate::host::standalone::event_timer::timers_left;

/// Adds a timer to an event: in `timer` milliseconds the event loop sets
/// `ev->timedout` and calls `ev->handler`.
///
/// An event has at most one timer. If the event has a timer already, the timer
/// is moved, unless it would move by less than 300 ms. Does nothing if `ev` is
/// NULL.
///
/// # Safety
///
/// `ev` is NULL or an event that is valid until its timer expires or is
/// deleted.
///
/// # References
///
/// nginx's `src/event/ngx_event_timer.h`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_event_add_timer(ev: *mut ngx_event_t, timer: ngx_msec_t) {
    // SAFETY: C passes NULL or an event, and does not free the event as long as
    // it has a timer.
    if let Some(event) = unsafe { Event::from_ptr(ev) } {
        event.add_timer(timer);
    }
}

/// Deletes the timer of an event, if it has one. Does nothing if `ev` is NULL.
///
/// # Safety
///
/// `ev` is NULL or a valid event.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_event_del_timer(ev: *mut ngx_event_t) {
    // SAFETY: C passes NULL or a valid event.
    if let Some(event) = unsafe { Event::from_ptr(ev) } {
        event.delete_timer();
    }
}

/// Tells whether a worker that shuts down must wait for a timer.
///
/// Returns NGX_AGAIN while an event that is not `cancelable` has a timer, else
/// NGX_OK.
#[unsafe(no_mangle)]
pub extern "C" fn ngx_event_no_timers_left() -> ngx_int_t {
    if timers_left() { NGX_AGAIN } else { NGX_OK }
}
