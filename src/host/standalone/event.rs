//! The handle of C's `ngx_event_t`.

use std::ffi::c_void;
use std::ptr::{self, NonNull};

use super::log::ErrorLog;
use super::types::Timer;
pub(crate) use super::types::flag;
pub use super::types::{ngx_event_handler_pt, ngx_event_s, ngx_event_t};
use crate::config::ngx_msec_t;
use crate::log::Log;

/// Something that the event loop calls a handler for: a descriptor is ready,
/// or a timer has expired.
///
/// Invariant: the pointer is to a live `ngx_event_t` of this program. The
/// event stays where it is as long as a handle is used or the event has a
/// timer, and one thread uses it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Event(NonNull<ngx_event_s>);

// SAFETY: the timers are in a static, whose type must be `Send`; one thread
// uses them (the type's invariant).
unsafe impl Send for Event {}

impl Event {
    /// The handle of an event; `None` if `event` is NULL.
    ///
    /// # Safety
    ///
    /// `event` is NULL or points to an event that stays alive as long as the
    /// result and its copies are used, and as long as the event has a timer,
    /// in one thread. The same holds for its log.
    pub unsafe fn from_ptr(event: *mut ngx_event_t) -> Option<Self> {
        NonNull::new(event).map(Self)
    }

    /// The handle of the event at `place`, for an owner that never frees it.
    ///
    /// # Safety
    ///
    /// As of [`Event::from_ptr`]; `place` is not NULL.
    pub unsafe fn from_place(place: *mut ngx_event_s) -> Self {
        // SAFETY: the caller may not pass NULL.
        Self(unsafe { NonNull::new_unchecked(place) })
    }

    /// Makes an event that lives as long as the process: for timers.
    pub fn new_static(handler: ngx_event_handler_pt, log: Option<ErrorLog>) -> Self {
        let mut event = ngx_event_s::new(ptr::null_mut(), 0, ErrorLog::optional_ptr(log));

        event.handler = handler;

        Self(NonNull::from(Box::leak(Box::new(event))))
    }

    /// C's pointer.
    pub fn as_ptr(self) -> *mut ngx_event_t {
        self.0.as_ptr()
    }

    fn fields(&self) -> &ngx_event_s {
        // SAFETY: the pointer is to a live event (the type's invariant). The
        // methods below drop the reference before they change the event or
        // call its handler.
        unsafe { self.0.as_ref() }
    }

    fn update(self, change: impl FnOnce(&mut ngx_event_s)) {
        // SAFETY: the pointer is to a live event (the type's invariant), and
        // `change` only assigns fields: it uses the event in no other way.
        change(unsafe { &mut *self.0.as_ptr() });
    }

    /// Whether all of `flags` are set; they are of [`flag`].
    pub fn has(self, flags: u32) -> bool {
        self.fields().flags & flags == flags
    }

    /// Sets `flags`.
    pub fn set(self, flags: u32) {
        self.update(|event| event.flags |= flags);
    }

    /// Clears `flags`.
    pub fn clear(self, flags: u32) {
        self.update(|event| event.flags &= !flags);
    }

    /// Sets or clears `flags`.
    pub fn assign(self, flags: u32, on: bool) {
        if on {
            self.set(flags);
        } else {
            self.clear(flags);
        }
    }

    /// Clears the mark of an expired timer. Returns whether it was set.
    pub fn take_timedout(self) -> bool {
        let timedout = self.has(flag::TIMEDOUT);

        self.clear(flag::TIMEDOUT);

        timedout
    }

    /// Marks it as ready, with an unknown number of bytes to read.
    pub fn mark_ready(self) {
        self.update(|event| {
            event.flags |= flag::READY;
            event.available = -1;
        });
    }

    /// Sets the function that is called when the event happens.
    pub fn set_handler(self, handler: ngx_event_handler_pt) {
        self.update(|event| event.handler = handler);
    }

    /// Calls its handler, if it has one.
    pub fn call_handler(self) {
        if let Some(handler) = self.fields().handler {
            // SAFETY: the handler was set to be called with this event.
            unsafe { handler(self.0.as_ptr()) };
        }
    }

    /// What its owner keeps in it; in an event of a connection, the connection.
    pub fn data(self) -> *mut c_void {
        self.fields().data
    }

    /// The log for its lines.
    pub fn log(self) -> Log {
        // SAFETY: the log lives as long as the event (`from_ptr`).
        ErrorLog::log_of(unsafe { ErrorLog::from_ptr(self.fields().log) })
    }

    /// When its timer expires, by the clock of `ngx_current_msec`.
    pub fn expires(self) -> ngx_msec_t {
        self.fields().timer.key
    }

    /// Keeps when its timer expires.
    pub fn set_expires(self, msec: ngx_msec_t) {
        self.update(|event| event.timer.key = msec);
    }
}

impl ngx_event_s {
    /// An event with `flags`, without a handler. `data` is its connection, if
    /// it is one of a connection.
    pub fn new(data: *mut c_void, flags: u32, log: *mut super::types::ngx_log_t) -> Self {
        Self {
            data,
            flags,
            available: 0,
            handler: None,
            log,
            timer: Timer { key: 0 },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_set_and_cleared() {
        let event = Event::new_static(None, None);

        event.set(flag::TIMEDOUT | flag::ACTIVE);

        assert!(event.take_timedout());
        assert!(!event.take_timedout());
        assert!(event.has(flag::ACTIVE));
        assert!(!event.has(flag::ACTIVE | flag::READY));

        event.assign(flag::ACTIVE, false);

        assert!(!event.has(flag::ACTIVE));
    }
}
