//! The handle of C's `ngx_connection_t`.
//!
//! A connection and its two events are one `Entry`, which the event loop
//! never frees: a handler may look at a connection that it has just closed,
//! and events that the kernel reported before that still name it.

use std::os::fd::RawFd;
use std::ptr::{self, NonNull};

use super::event::Event;
use super::listening::Listening;
use super::log::ErrorLog;
use super::palloc::Pool;
use super::types::{flag, ngx_event_s};
pub use super::types::{ngx_connection_s, ngx_connection_t, ngx_recv_pt, ngx_send_pt};
use crate::config::ngx_uint_t;
use crate::log::Log;

/// A connection, its two events, and what the event loop knows of them.
#[repr(C)]
struct Entry {
    /// First, so that C's pointer to it is the pointer to the entry.
    c: ngx_connection_s,
    /// What its `read` points to.
    read: ngx_event_s,
    /// What its `write` points to.
    write: ngx_event_s,
    /// Its position in the list of the loop that made it.
    index: u32,
    /// Whether the connection is in use; its descriptor does not tell, since C
    /// may make a connection of any number.
    open: bool,
    /// What epoll watches the descriptor for; 0: it does not.
    mask: u32,
    /// Incremented with each use, so that a late event for an earlier use has
    /// another key.
    generation: u32,
}

/// A descriptor in the event loop, with an event for reading and one for
/// writing.
///
/// Invariant: the pointer is to an entry of this library, which is never freed.
/// One thread uses it. What the connection points to (its log, pool and
/// listening socket) lives as long as the connection is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Connection(NonNull<Entry>);

// SAFETY: the event loop is in a static, whose type must be `Send`; one thread
// uses it (the type's invariant).
unsafe impl Send for Connection {}

impl Connection {
    /// The handle of a connection; `None` if `c` is NULL.
    ///
    /// # Safety
    ///
    /// `c` is NULL or comes from `ngx_get_connection()`, and one thread uses it.
    pub unsafe fn from_ptr(c: *mut ngx_connection_t) -> Option<Self> {
        NonNull::new(c).map(|c| Self(c.cast()))
    }

    /// The connection of an event; `None` if `event` is NULL.
    ///
    /// # Safety
    ///
    /// `event` is NULL or one of the two events of a connection.
    pub unsafe fn of_event(event: *mut ngx_event_s) -> Option<Self> {
        // SAFETY: such an event lives for ever, as a part of its entry.
        let event = unsafe { Event::from_ptr(event) }?;

        // SAFETY: the data of such an event is its connection.
        unsafe { Self::from_ptr(event.data().cast()) }
    }

    /// Makes an entry that is not in use yet. `index` is its position in the
    /// list of its loop.
    pub fn new(index: u32) -> Self {
        let event = || ngx_event_s::new(ptr::null_mut(), 0, ptr::null_mut());

        Self(NonNull::from(Box::leak(Box::new(Entry {
            c: ngx_connection_s::unused(),
            read: event(),
            write: event(),
            index,
            open: false,
            mask: 0,
            generation: 0,
        }))))
    }

    /// C's pointer.
    pub fn as_ptr(self) -> *mut ngx_connection_t {
        self.0.as_ptr().cast()
    }

    fn fields(&self) -> &Entry {
        // SAFETY: entries are never freed (the type's invariant). The methods
        // below drop the reference before they change the entry.
        unsafe { self.0.as_ref() }
    }

    fn update(self, change: impl FnOnce(&mut Entry)) {
        // SAFETY: entries are never freed (the type's invariant), and `change`
        // only assigns fields: it uses the entry in no other way.
        change(unsafe { &mut *self.0.as_ptr() });
    }

    /// Puts the entry to use for `fd`, with all else as for a new connection.
    pub fn open(self, fd: RawFd, log: Option<ErrorLog>, recv: ngx_recv_pt, send: ngx_send_pt) {
        let (c, read, write) = (self.as_ptr(), self.read().as_ptr(), self.write().as_ptr());
        let log = ErrorLog::optional_ptr(log);

        self.update(|entry| {
            entry.generation = entry.generation.wrapping_add(1);
            entry.read = ngx_event_s::new(c.cast(), 0, log);
            entry.write = ngx_event_s::new(c.cast(), flag::WRITE, log);
            entry.mask = 0;
            entry.open = true;
            entry.c = ngx_connection_s {
                read,
                write,
                fd,
                recv,
                send,
                log,
                ..ngx_connection_s::unused()
            };
        });
    }

    /// Marks the entry as not in use.
    pub fn mark_closed(self) {
        self.update(|entry| {
            entry.open = false;
            entry.c.fd = -1;
        });
    }

    /// Whether the connection is in use.
    pub fn is_open(self) -> bool {
        self.fields().open
    }

    /// Its position in the list of the loop that made it.
    pub fn index(self) -> usize {
        self.fields().index as usize
    }

    /// What epoll identifies this use of the entry by.
    pub fn key(self) -> u64 {
        let entry = self.fields();

        u64::from(entry.generation) << 32 | u64::from(entry.index)
    }

    /// What epoll watches the descriptor for; 0: it does not.
    pub fn watched(self) -> u32 {
        self.fields().mask
    }

    /// Keeps what epoll watches the descriptor for.
    pub fn set_watched(self, mask: u32) {
        self.update(|entry| entry.mask = mask);
    }

    /// Its descriptor; -1 once it is closed.
    pub fn fd(self) -> RawFd {
        self.fields().c.fd
    }

    /// The event for reading.
    pub fn read(self) -> Event {
        // SAFETY: the event is a part of the entry, which is never freed.
        unsafe { Event::from_place(&raw mut (*self.0.as_ptr()).read) }
    }

    /// The event for writing.
    pub fn write(self) -> Event {
        // SAFETY: the event is a part of the entry, which is never freed.
        unsafe { Event::from_place(&raw mut (*self.0.as_ptr()).write) }
    }

    /// C's log for its lines.
    pub fn error_log(self) -> Option<ErrorLog> {
        // SAFETY: the log lives as long as the connection is open.
        unsafe { ErrorLog::from_ptr(self.fields().c.log) }
    }

    /// The log for its lines.
    pub fn log(self) -> Log {
        ErrorLog::log_of(self.error_log())
    }

    /// Where it was accepted; `None` if it was not.
    pub fn listening(self) -> Option<Listening> {
        // SAFETY: the listening socket lives as long as the connection is open.
        unsafe { Listening::from_ptr(self.fields().c.listening) }
    }

    /// Keeps where it was accepted.
    pub fn set_listening(self, listening: Option<Listening>) {
        self.update(|entry| {
            entry.c.listening = listening.map_or(ptr::null_mut(), Listening::as_ptr);
        });
    }

    /// Keeps a pool for its owner.
    pub fn set_pool(self, pool: Option<Pool>) {
        self.update(|entry| entry.c.pool = pool.map_or(ptr::null_mut(), Pool::as_ptr));
    }

    /// Its number among the accepted connections; 0: none.
    pub fn number(self) -> ngx_uint_t {
        self.fields().c.number
    }

    /// Sets its number among the accepted connections.
    pub fn set_number(self, number: ngx_uint_t) {
        self.update(|entry| entry.c.number = number);
    }

    /// Whether all of `bits` are set; they are of `types::bit`.
    pub fn has(self, bits: u32) -> bool {
        self.fields().c.flags & bits == bits
    }

    /// Sets `bits`.
    pub fn set(self, bits: u32) {
        self.update(|entry| entry.c.flags |= bits);
    }
}

impl ngx_connection_s {
    /// The content of an entry that is not in use.
    fn unused() -> Self {
        Self {
            data: ptr::null_mut(),
            read: ptr::null_mut(),
            write: ptr::null_mut(),
            fd: -1,
            recv: None,
            send: None,
            listening: ptr::null_mut(),
            log: ptr::null_mut(),
            pool: ptr::null_mut(),
            number: 0,
            flags: 0,
        }
    }
}
