//! `ngx_event_timer.h`: the event loop's timers.

use crate::config::{NGX_AGAIN, NGX_OK, ngx_int_t, ngx_msec_t};
use crate::host::standalone::event::{Event, ngx_event_t};
use crate::host::standalone::event_timer::timers_left;

/// Makes the event loop call `ev->handler`, with `ev->timedout` set, in `timer`
/// milliseconds.
///
/// An event has one timer; setting it anew moves it, unless by less than
/// 300 ms.
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
    // SAFETY: C passes NULL or an event, and keeps it as long as it has a timer.
    if let Some(event) = unsafe { Event::from_ptr(ev) } {
        event.add_timer(timer);
    }
}

/// Deletes the timer of an event, if it has one.
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

/// Whether a worker that shuts down has nothing left to wait for.
///
/// Returns NGX_OK, or NGX_AGAIN while there are timers that are not
/// `cancelable`.
#[unsafe(no_mangle)]
pub extern "C" fn ngx_event_no_timers_left() -> ngx_int_t {
    if timers_left() { NGX_AGAIN } else { NGX_OK }
}
