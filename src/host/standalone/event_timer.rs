//! `ngx_event_timer.h`: the event loop's timers.

use std::ptr;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Mutex, PoisonError};

use super::connection::Ident;
use super::event::{flag, ngx_event_t};
use super::times::ngx_current_msec;
use crate::config::{AtomicPid, NGX_AGAIN, NGX_OK, ngx_int_t, ngx_msec_t};
use crate::host::globals::GLOBALS;
use crate::host::logs::log_of;
use crate::host::standalone::timers::Timers;
use crate::log::{Debug, Log};

static TIMERS: Mutex<Option<Timers>> = Mutex::new(None);
/// The process whose timers they are: a child has none of its parent's.
static OWNER: AtomicPid = AtomicPid::new(0);

fn timers<T>(use_them: impl FnOnce(&mut Timers) -> T) -> T {
    let mut timers = TIMERS.lock().unwrap_or_else(PoisonError::into_inner);
    let own = GLOBALS.own_pid();

    if OWNER.swap(own, Relaxed) != own {
        *timers = None;
    }

    use_them(timers.get_or_insert_default())
}

/// Milliseconds until the next timer; `None` without any.
pub fn find_timer(now: ngx_msec_t) -> Option<ngx_msec_t> {
    timers(|timers| timers.next_in(now))
}

/// Calls the handlers of the timers that are due; one that is added by them
/// waits for the next round.
pub fn expire_timers(log: Log) {
    let now = ngx_current_msec.load(Relaxed);

    let before = timers(|timers| timers.added());

    while let Some(event) = timers(|timers| timers.expired(now, before)) {
        let ev = ptr::with_exposed_provenance_mut::<ngx_event_t>(event);

        // SAFETY: whoever adds the timer of an event keeps the event until
        // the timer is deleted or goes off.
        unsafe {
            log.debug(
                Debug::Event,
                format_args!("event timer del: {}: {}", Ident(ev), (*ev).timer.key),
            );

            (*ev).flags &= !flag::TIMER_SET;
            (*ev).flags |= flag::TIMEDOUT;

            if let Some(handler) = (*ev).handler {
                handler(ev);
            }
        }
    }
}

/// A timer that is set anew within this many milliseconds stays as it is.
const LAZY_DELAY: ngx_msec_t = 300;

/// Has `ev->handler` called, with `ev->timedout` set, in `timer` milliseconds.
///
/// An event has one timer; setting it anew moves it, unless by less than
/// 300 ms.
///
/// # Safety
///
/// `ev` is a valid event until its timer has gone off or been deleted.
///
/// # References
///
/// nginx's `src/event/ngx_event_timer.h`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_event_add_timer(ev: *mut ngx_event_t, timer: ngx_msec_t) {
    // SAFETY: promised by the caller.
    let (Some(event), now) = (unsafe { ev.as_mut() }, ngx_current_msec.load(Relaxed)) else {
        return;
    };

    let key = now.saturating_add(timer);

    // In a child the flag may be the parent's.
    if event.is(flag::TIMER_SET) && timers(|timers| timers.has(ev.addr())) {
        if key.abs_diff(event.timer.key) < LAZY_DELAY {
            return;
        }

        // SAFETY: promised by the caller.
        unsafe { ngx_event_del_timer(ev) };
    }

    // SAFETY: promised by the caller.
    unsafe { log_of(event.log) }.debug(
        Debug::Event,
        format_args!("event timer add: {}: {timer}:{key}", Ident(ev)),
    );

    event.timer.key = key;
    event.flags |= flag::TIMER_SET;

    timers(|timers| timers.add(key, ev.expose_provenance()));
}

/// Deletes the timer of an event, if it has one.
///
/// # Safety
///
/// `ev` is a valid event.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_event_del_timer(ev: *mut ngx_event_t) {
    // SAFETY: promised by the caller.
    let Some(event) = (unsafe { ev.as_mut() }) else {
        return;
    };

    // SAFETY: the same.
    unsafe { log_of(event.log) }.debug(
        Debug::Event,
        format_args!("event timer del: {}: {}", Ident(ev), event.timer.key),
    );

    event.flags &= !flag::TIMER_SET;

    timers(|timers| timers.remove(ev.addr()));
}

/// Whether a worker that shuts down has nothing left to wait for.
///
/// Returns NGX_OK, or NGX_AGAIN while there are timers that are not
/// `cancelable`.
#[unsafe(no_mangle)]
pub extern "C" fn ngx_event_no_timers_left() -> ngx_int_t {
    let left = timers(|timers| {
        timers.any(|event| {
            let ev = ptr::with_exposed_provenance::<ngx_event_t>(event);

            // SAFETY: as in `expire_timers`.
            unsafe { !(*ev).is(flag::CANCELABLE) }
        })
    });

    if left { NGX_AGAIN } else { NGX_OK }
}
