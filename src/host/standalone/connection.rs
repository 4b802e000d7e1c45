//! [`Connection`], a safe handle for C's `ngx_connection_t`.
//!
//! A connection and its two events are one [`Entry`]. The event loop never
//! frees an entry, because a handler can still read a connection that the
//! handler has just closed, and because epoll can already have reported an
//! event of that connection.

use std::ffi::c_void;
use std::os::fd::RawFd;
use std::ptr::{self, NonNull};

use super::addresses::FIRST_SIZE;
use super::datagram::Datagram;
use super::entry::Entry;
use super::event::Event;
use super::listening::Listening;
use super::log::ErrorLog;
use super::palloc::Pool;
use super::types::{bit, flag, ngx_event_s};
pub use super::types::{ngx_connection_s, ngx_connection_t, ngx_recv_pt, ngx_send_pt};
use crate::config::ngx_uint_t;
use crate::log::Log;
use crate::sys::heap;

/// A descriptor in the event loop, with an event for reading and one for
/// writing.
///
/// Invariant: the pointer points to an entry of this library, which is never
/// freed. Only one thread uses the entry. The log, the pool and the listening
/// socket of the connection live as long as the connection is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Connection(NonNull<Entry>);

// SAFETY: only one thread uses an entry (the type's invariant), so no handle is
// used in two threads. `Send` is needed because the event loop, a static, has
// handles.
unsafe impl Send for Connection {}

impl Connection {
    /// Makes a handle of C's pointer `c`; `None` if `c` is NULL.
    ///
    /// # Safety
    ///
    /// `c` is NULL or a connection that `ngx_get_connection()` has made, and
    /// only one thread uses the connection.
    pub unsafe fn from_ptr(c: *mut ngx_connection_t) -> Option<Self> {
        NonNull::new(c).map(|c| Self(c.cast()))
    }

    /// Returns the connection that `event` belongs to; `None` if `event` is
    /// NULL.
    ///
    /// # Safety
    ///
    /// `event` is NULL or one of the two events of a connection.
    pub unsafe fn of_event(event: *mut ngx_event_s) -> Option<Self> {
        // SAFETY: the caller passes NULL or an event of a connection. The event
        // lives for ever, since it is a part of an entry.
        let event = unsafe { Event::from_ptr(event) }?;

        // SAFETY: `data` of an event of a connection points to that connection,
        // as `open` has set it.
        unsafe { Self::from_ptr(event.data().cast()) }
    }

    /// Whether `c` is the connection of an entry of this library. An entry has its
    /// events behind its connection. A program that makes a connection itself stores
    /// pointers to other events in it.
    ///
    /// # Safety
    ///
    /// `c` is NULL or points to a connection.
    pub unsafe fn is_entry(c: *mut ngx_connection_t) -> bool {
        // SAFETY: the caller passes NULL or a connection. The place of the read event
        // is inside of C's structure, which has the size of an entry.
        !c.is_null() && unsafe { (*c).read == &raw mut (*c.cast::<Entry>()).read }
    }

    /// Makes an entry that is not in use yet at `place`. `index` is the position
    /// that the entry gets in the `entries` of its event loop.
    ///
    /// # Safety
    ///
    /// `place` has [`ENTRY_SIZE`](super::entry::ENTRY_SIZE) bytes that are aligned for any type, are never
    /// freed, and belong to no other entry.
    pub unsafe fn at(place: NonNull<c_void>, index: u32) -> Self {
        let place = place.cast::<Entry>();

        const { assert!(align_of::<Entry>() <= heap::ALIGNMENT) };

        // SAFETY: the caller passes a `place` with the size and the alignment of an
        // entry.
        unsafe { place.write(Entry::unused(index)) };

        Self(place)
    }

    /// The pointer to the connection, for C.
    pub fn as_ptr(self) -> *mut ngx_connection_t {
        self.0.as_ptr().cast()
    }

    fn fields(&self) -> &Entry {
        // SAFETY: entries are never freed (the type's invariant), and the
        // methods below drop this reference before they change the entry.
        unsafe { self.0.as_ref() }
    }

    fn update(self, change: impl FnOnce(&mut Entry)) {
        // SAFETY: entries are never freed (the type's invariant), and `change`
        // only assigns fields: it uses the entry in no other way.
        change(unsafe { &mut *self.0.as_ptr() });
    }

    /// Puts the entry to use as a new connection with the descriptor `fd`. All
    /// other fields get the values of a new connection.
    pub fn open(self, fd: RawFd, log: Option<ErrorLog>, recv: ngx_recv_pt, send: ngx_send_pt) {
        let (c, read, write) = (self.as_ptr(), self.read().as_ptr(), self.write().as_ptr());
        let log = ErrorLog::optional_ptr(log);

        self.update(|entry| {
            entry.generation = entry.generation.wrapping_add(1);
            entry.read = ngx_event_s::new(c.cast(), 0, log);
            entry.write = ngx_event_s::new(c.cast(), flag::WRITE, log);
            entry.mask = 0;
            entry.trigger = 0;
            entry.open = true;
            entry.program = None;
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

    /// Sets the log of the connection and of its events.
    pub fn set_log(self, log: Option<ErrorLog>) {
        let log = ErrorLog::optional_ptr(log);

        self.update(|entry| {
            entry.c.log = log;
            entry.read.log = log;
            entry.write.log = log;
        });
    }

    /// Marks the entry as not in use.
    pub fn mark_closed(self) {
        if let Some(datagram) = self.fields().datagram {
            // SAFETY: this connection has owned the datagram, and it loses its
            // pointers below.
            unsafe { datagram.free() };
        }

        self.update(|entry| {
            entry.open = false;
            entry.datagram = None;
            entry.c.fd = -1;
            entry.c.sockaddr = ptr::null_mut();
        });
    }

    /// Makes the connection one for `datagram`, which it owns from now on. Its
    /// descriptor is that of a listening socket, and stays open when the connection
    /// is closed.
    pub fn set_datagram(self, datagram: Datagram, recv: ngx_recv_pt, send: ngx_send_pt) {
        self.update(|entry| {
            entry.datagram = Some(datagram);
            entry.c.sockaddr = datagram.peer().as_ptr().cast_mut();
            entry.c.socklen = datagram.peer().len();
            entry.c.recv = recv;
            entry.c.send = send;
            entry.c.flags |= bit::SHARED;
        });
    }

    /// Whether the connection was made for a datagram. The event loop does not watch
    /// its descriptor, because no more data arrives for it.
    pub fn is_of_datagram(self) -> bool {
        self.fields().datagram.is_some()
    }

    /// Replaces the descriptor of the connection.
    pub fn set_fd(self, fd: RawFd) {
        self.update(|entry| entry.c.fd = fd);
    }

    /// Whether the connection is in use.
    pub fn is_open(self) -> bool {
        self.fields().open
    }

    /// The position of the entry in the `entries` of the event loop that has
    /// made the entry.
    pub fn index(self) -> usize {
        self.fields().index as usize
    }

    /// The number by which epoll's events name this use of the entry.
    pub fn key(self) -> u64 {
        let entry = self.fields();

        u64::from(entry.generation) << 32 | u64::from(entry.index)
    }

    /// Whether the entry is still in use as the connection that had this key.
    pub fn is_open_as(self, key: u64) -> bool {
        self.is_open() && self.key() == key
    }

    /// The events for which epoll watches the descriptor; 0 if epoll does not
    /// watch it.
    pub fn watched(self) -> u32 {
        self.fields().mask
    }

    /// Stores the events for which epoll watches the descriptor now.
    pub fn set_watched(self, mask: u32) {
        self.update(|entry| entry.mask = mask);
    }

    /// How epoll watches the descriptor: `EPOLLET` for edge-triggered events, or 0.
    pub fn trigger(self) -> u32 {
        self.fields().trigger
    }

    /// Stores how epoll is to watch the descriptor from its next change on.
    pub fn set_trigger(self, trigger: u32) {
        self.update(|entry| entry.trigger = trigger);
    }

    /// The descriptor by which the event loop finds the connection.
    pub fn known_as(self) -> Option<RawFd> {
        self.fields().known_as
    }

    /// Stores the descriptor by which the event loop finds the connection.
    pub fn set_known_as(self, fd: Option<RawFd>) {
        self.update(|entry| entry.known_as = fd);
    }

    /// The next connection of the list that has this connection.
    pub fn next(self) -> Option<Self> {
        self.fields().next.map(Self)
    }

    /// Stores the next connection of the list that has this connection.
    pub fn set_next(self, next: Option<Self>) {
        self.update(|entry| entry.next = next.map(|next| next.0));
    }

    /// The connection of the program for which this one is the proxy.
    pub fn program(self) -> Option<NonNull<ngx_connection_t>> {
        self.fields().program
    }

    /// Makes the connection the proxy of a connection of the program.
    pub fn set_program(self, program: NonNull<ngx_connection_t>) {
        self.update(|entry| entry.program = Some(program));
    }

    /// The descriptor of the connection; -1 once the connection is closed.
    pub fn fd(self) -> RawFd {
        self.fields().c.fd
    }

    /// The read event of the connection.
    pub fn read(self) -> Event {
        // SAFETY: the event is a part of the entry, which is never freed.
        unsafe { Event::from_place(&raw mut (*self.0.as_ptr()).read) }
    }

    /// The write event of the connection.
    pub fn write(self) -> Event {
        // SAFETY: the event is a part of the entry, which is never freed.
        unsafe { Event::from_place(&raw mut (*self.0.as_ptr()).write) }
    }

    /// The read event of the connection if `is_read` is true, else its write event.
    pub fn event(self, is_read: bool) -> Event {
        if is_read { self.read() } else { self.write() }
    }

    /// The handle of the log for lines about the connection, if there is a log.
    pub fn error_log(self) -> Option<ErrorLog> {
        // SAFETY: the log lives as long as the connection is open.
        unsafe { ErrorLog::from_ptr(self.fields().c.log) }
    }

    /// The log to which lines about the connection are written.
    pub fn log(self) -> Log {
        ErrorLog::log_of(self.error_log())
    }

    /// The listening socket from which the connection was accepted; `None` if
    /// the connection was not accepted.
    pub fn listening(self) -> Option<Listening> {
        // SAFETY: the listening socket lives as long as the connection is open.
        unsafe { Listening::from_ptr(self.fields().c.listening, FIRST_SIZE) }
    }

    /// Stores the listening socket from which the connection was accepted.
    pub fn set_listening(self, listening: Option<Listening>) {
        self.update(|entry| {
            entry.c.listening = listening.map_or(ptr::null_mut(), Listening::as_ptr);
        });
    }

    /// Stores a pool in the connection, for the connection's handler.
    pub fn set_pool(self, pool: Option<Pool>) {
        self.update(|entry| entry.c.pool = pool.map_or(ptr::null_mut(), Pool::as_ptr));
    }

    /// The number of the connection among the accepted connections; 0 if it was
    /// not accepted.
    pub fn number(self) -> ngx_uint_t {
        self.fields().c.number
    }

    /// Sets the number of the connection among the accepted connections.
    pub fn set_number(self, number: ngx_uint_t) {
        self.update(|entry| entry.c.number = number);
    }

    /// Whether all of `bits` are set in the connection's flags. The module
    /// `types::bit` has the masks.
    pub fn has(self, bits: u32) -> bool {
        self.fields().c.flags & bits == bits
    }

    /// Clears `bits` in the connection's flags.
    pub fn clear(self, bits: u32) {
        self.update(|entry| entry.c.flags &= !bits);
    }

    /// Sets `bits` in the connection's flags.
    pub fn set(self, bits: u32) {
        self.update(|entry| entry.c.flags |= bits);
    }
}
