//! Events that a program has posted. The queues, and the functions that call the
//! events' handlers, are in `csrc/ngx_event_posted.c`.

use std::ffi::c_void;
use std::mem::offset_of;

use super::cycle::Cycle;
use super::event::{Event, ngx_event_s};
use super::types::{flag, ngx_queue_t};

unsafe extern "C" {
    static mut ngx_posted_accept_events: ngx_queue_t;
    static mut ngx_posted_next_events: ngx_queue_t;
    static mut ngx_posted_events: ngx_queue_t;

    fn ngx_event_process_posted(cycle: *mut c_void, posted: *mut ngx_queue_t);
    fn ngx_event_move_posted_next(cycle: *mut c_void);
}

/// A queue of posted events.
#[derive(Clone, Copy)]
pub enum Posted {
    /// The events whose handlers are called before those of the timers.
    Accept,
    /// The events whose handlers are called in the next round.
    Next,
    /// The events whose handlers are called after those of the timers.
    Events,
}

impl Posted {
    fn queue(self) -> *mut ngx_queue_t {
        match self {
            Self::Accept => &raw mut ngx_posted_accept_events,
            Self::Next => &raw mut ngx_posted_next_events,
            Self::Events => &raw mut ngx_posted_events,
        }
    }

    /// Whether the queue has no event.
    pub fn is_empty(self) -> bool {
        let queue = self.queue();

        // SAFETY: the queue is a variable of the library, and only the thread of
        // the event loop changes it.
        unsafe { (*queue).next == queue }
    }

    /// The event that was posted first.
    fn first(self) -> Option<Event> {
        if self.is_empty() {
            return None;
        }

        // SAFETY: the queue has an event, whose `queue` is the link. The program keeps
        // an event valid as long as it is posted.
        unsafe {
            let link = (*self.queue()).next;
            let event = link.byte_sub(offset_of!(ngx_event_s, queue)).cast();

            Event::from_ptr(event)
        }
    }

    /// Calls the handlers of the events.
    pub fn process(self) {
        if !self.is_empty() {
            // SAFETY: the cycle is NULL or valid, and a program keeps an event
            // valid as long as it is posted.
            unsafe { ngx_event_process_posted(cycle(), self.queue()) }
        }
    }
}

/// In a new child: drops the events that its parent has posted. Async-signal-safe.
pub fn forget() {
    for posted in [Posted::Accept, Posted::Next, Posted::Events] {
        while let Some(event) = posted.first() {
            remove(event);
        }
    }
}

/// Whether the event loop must not wait, because an event is posted. Moves the
/// events for the next round, which begins now.
pub fn begin_round() -> bool {
    if !Posted::Next.is_empty() {
        // SAFETY: the cycle is NULL or valid, and a program keeps an event valid as
        // long as it is posted.
        unsafe { ngx_event_move_posted_next(cycle()) };
    }

    !Posted::Events.is_empty() || !Posted::Accept.is_empty()
}

/// Removes `event` from its queue. Does nothing if the event is not posted.
pub fn remove(event: Event) {
    if !event.has(flag::POSTED) {
        return;
    }

    event.clear(flag::POSTED);

    let link = event.queue();

    // SAFETY: the event is posted, so the events before and after it in the queue, or
    // the queue itself, are valid.
    unsafe {
        let (prev, next) = ((*link).prev, (*link).next);

        (*prev).next = next;
        (*next).prev = prev;
    }
}

/// The cycle to whose log debug lines are written.
fn cycle() -> *mut c_void {
    Cycle::optional_ptr(Cycle::current()).cast()
}
