//! [`Event`], a safe handle for C's `ngx_event_t`.

use std::cell::UnsafeCell;
use std::ffi::c_void;
use std::ptr::{self, NonNull};

use super::log::ErrorLog;
pub(crate) use super::types::flag;
use super::types::{Timer, ngx_queue_t};
pub use super::types::{ngx_event_handler_pt, ngx_event_s, ngx_event_t};
use crate::config::ngx_msec_t;
use crate::log::Log;

/// An event for which the event loop calls a handler: a descriptor is ready, or
/// a timer has expired.
///
/// Invariant: the pointer points to a live `ngx_event_t` of this program. The
/// event stays at its address as long as a handle is used or the event has a
/// timer, and only one thread uses the event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event(NonNull<ngx_event_s>);

// SAFETY: only one thread uses an event (the type's invariant), so no handle is
// used in two threads. `Send` is needed because the timers, which have handles,
// are in a static.
unsafe impl Send for Event {}

impl Event {
    /// Makes a handle of C's pointer `event`; `None` if `event` is NULL.
    ///
    /// # Safety
    ///
    /// `event` is NULL or points to an event. The event and its log stay alive
    /// as long as the result and its copies are used, and as long as the event
    /// has a timer. Only one thread uses the event.
    pub unsafe fn from_ptr(event: *mut ngx_event_t) -> Option<Self> {
        NonNull::new(event).map(Self)
    }

    /// Makes a handle of the event at `place`, for an owner that never frees
    /// the event.
    ///
    /// # Safety
    ///
    /// The requirements of [`Event::from_ptr`], and `place` is not NULL.
    pub unsafe fn from_place(place: *mut ngx_event_s) -> Self {
        // SAFETY: the caller passes a `place` that is not NULL.
        Self(unsafe { NonNull::new_unchecked(place) })
    }

    /// The pointer to the event, for C.
    pub fn as_ptr(self) -> *mut ngx_event_t {
        self.0.as_ptr()
    }

    fn fields(&self) -> &ngx_event_s {
        // SAFETY: the pointer points to a live event (the type's invariant),
        // and the methods below drop this reference before they change the
        // event or call its handler.
        unsafe { self.0.as_ref() }
    }

    fn update(self, change: impl FnOnce(&mut ngx_event_s)) {
        // SAFETY: the pointer points to a live event (the type's invariant),
        // and `change` only assigns fields: it uses the event in no other way.
        change(unsafe { &mut *self.0.as_ptr() });
    }

    /// Whether all of `flags` are set in the event. The module [`flag`] has the
    /// masks.
    pub fn has(self, flags: u32) -> bool {
        self.fields().flags & flags == flags
    }

    /// Sets `flags` in the event.
    pub fn set(self, flags: u32) {
        self.update(|event| event.flags |= flags);
    }

    /// Clears `flags` in the event.
    pub fn clear(self, flags: u32) {
        self.update(|event| event.flags &= !flags);
    }

    /// Sets `flags` in the event if `on` is true, else clears them.
    pub fn assign(self, flags: u32, on: bool) {
        if on {
            self.set(flags);
        } else {
            self.clear(flags);
        }
    }

    /// Clears the flag which says that the event's timer has expired. Returns
    /// whether the flag was set.
    pub fn take_timedout(self) -> bool {
        let timedout = self.has(flag::TIMEDOUT);

        self.clear(flag::TIMEDOUT);

        timedout
    }

    /// Marks the event as ready, with an unknown number of bytes to read.
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

    /// Calls the handler of the event, if there is one.
    pub fn call_handler(self) {
        if let Some(handler) = self.fields().handler {
            // SAFETY: the owner of the event has set the handler to be called
            // with this event.
            unsafe { handler(self.0.as_ptr()) };
        }
    }

    /// The data that the owner of the event has stored in it. In an event of a
    /// connection, it is the pointer to the connection.
    pub fn data(self) -> *mut c_void {
        self.fields().data
    }

    /// The handle of the log for lines about the event, if there is a log.
    pub fn error_log(self) -> Option<ErrorLog> {
        // SAFETY: the log is NULL or lives as long as the event, as `from_ptr`
        // requires.
        unsafe { ErrorLog::from_ptr(self.fields().log) }
    }

    /// The log to which lines about the event are written.
    pub fn log(self) -> Log {
        ErrorLog::log_of(self.error_log())
    }

    /// The link of the event in a queue of posted events.
    pub fn queue(self) -> *mut ngx_queue_t {
        // SAFETY: the pointer points to a live event (the type's invariant).
        unsafe { &raw mut (*self.0.as_ptr()).queue }
    }

    /// The time at which the event's timer expires, in milliseconds of the
    /// clock `ngx_current_msec`.
    pub fn expires(self) -> ngx_msec_t {
        self.fields().timer.key
    }

    /// The number of the tree that has the event; 0 if the event has no timer.
    pub fn tree(self) -> u32 {
        self.fields().timer.tree
    }

    /// The round of the event loop in which the event's timer was added.
    pub fn round(self) -> u16 {
        self.fields().timer.round
    }

    /// The priority of the event in its tree.
    pub fn priority(self) -> u16 {
        self.fields().timer.priority
    }

    /// The event above this event in the tree; `None` at the root.
    pub fn parent(self) -> Option<Self> {
        NonNull::new(self.fields().timer.parent).map(Self)
    }

    /// The event below this event, on the side `side`.
    pub fn child(self, side: Side) -> Option<Self> {
        let timer = &self.fields().timer;

        NonNull::new(match side {
            Side::Left => timer.left,
            Side::Right => timer.right,
        })
        .map(Self)
    }

    /// Stores the event above this event.
    pub fn set_parent(self, parent: Option<Self>) {
        self.update(|event| event.timer.parent = Self::optional_ptr(parent));
    }

    /// Stores the event below this event, on the side `side`.
    pub fn set_child(self, side: Side, child: Option<Self>) {
        let child = Self::optional_ptr(child);

        self.update(|event| match side {
            Side::Left => event.timer.left = child,
            Side::Right => event.timer.right = child,
        });
    }

    /// Sets the event's timer, without links to other events.
    pub fn set_timer(self, expires: ngx_msec_t, priority: u16, round: u16, tree: u32) {
        self.update(|event| {
            event.timer = Timer {
                key: expires,
                priority,
                round,
                tree,
                ..Timer::none()
            };
        });
    }

    /// Marks the event as one without a timer. The time at which the timer
    /// would have expired stays readable.
    pub fn clear_timer(self) {
        let key = self.expires();

        self.update(|event| {
            event.timer = Timer {
                key,
                ..Timer::none()
            };
        });
    }

    fn optional_ptr(event: Option<Self>) -> *mut ngx_event_t {
        event.map_or(ptr::null_mut(), Self::as_ptr)
    }
}

/// A side of an event in the tree of timers: the events on the left expire
/// before the event, the others after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// `timer.left`.
    Left,
    /// `timer.right`.
    Right,
}

impl Side {
    /// The other side.
    pub fn other(self) -> Self {
        match self {
            Self::Left => Self::Right,
            Self::Right => Self::Left,
        }
    }
}

/// An event for a timer, which lives as long as the process: a static variable,
/// so that the event needs no allocated memory.
pub struct StaticEvent(UnsafeCell<ngx_event_s>);

// SAFETY: `init` gives out an `Event`, which only one thread uses (the
// invariant of `Event`), and no other code uses the cell.
unsafe impl Sync for StaticEvent {}

impl StaticEvent {
    /// Makes an event without a handler.
    #[allow(clippy::new_without_default)]
    pub const fn new() -> Self {
        Self(UnsafeCell::new(ngx_event_s::new(
            ptr::null_mut(),
            0,
            ptr::null_mut(),
        )))
    }

    /// Sets the handler and the log of the event. If the event has a timer, the
    /// timer stays.
    pub fn init(&'static self, handler: ngx_event_handler_pt, log: Option<ErrorLog>) -> Event {
        let event = Event(NonNull::from(&self.0).cast());

        event.update(|event| {
            event.handler = handler;
            event.log = ErrorLog::optional_ptr(log);
        });

        event
    }
}

impl Timer {
    /// The timer of an event that has none.
    const fn none() -> Self {
        Self {
            key: 0,
            left: ptr::null_mut(),
            right: ptr::null_mut(),
            parent: ptr::null_mut(),
            priority: 0,
            round: 0,
            tree: 0,
        }
    }
}

impl ngx_event_s {
    /// Makes an event with `flags` and without a handler. In an event of a
    /// connection, `data` is the pointer to the connection.
    pub const fn new(data: *mut c_void, flags: u32, log: *mut super::types::ngx_log_t) -> Self {
        Self {
            data,
            flags,
            available: 0,
            handler: None,
            index: 0,
            log,
            timer: Timer::none(),
            queue: ngx_queue_t::none(),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Makes an event that lives as long as the process.
    pub fn new() -> Event {
        Box::leak(Box::new(StaticEvent::new())).init(None, None)
    }

    #[test]
    fn flags_are_set_and_cleared() {
        let event = new();

        event.set(flag::TIMEDOUT | flag::ACTIVE);

        assert!(event.take_timedout());
        assert!(!event.take_timedout());
        assert!(event.has(flag::ACTIVE));
        assert!(!event.has(flag::ACTIVE | flag::READY));

        event.assign(flag::ACTIVE, false);

        assert!(!event.has(flag::ACTIVE));
    }
}
