//! Connections that the program has made itself.
//!
//! Code that was written for nginx fills in an `ngx_connection_t` of its own for a
//! descriptor, such as the end of a pipe, and adds the events of this connection. The
//! event loop needs an entry for each descriptor. So it watches a *proxy*: a
//! connection of its own with the same descriptor, which calls the handlers of the
//! program's events.

use std::os::fd::RawFd;
use std::ptr::NonNull;

use super::connection::{Connection, ngx_connection_s};
use super::event::{Event, ngx_event_s};
use super::log::ErrorLog;
use super::types::flag;
use super::{connections, event_loop};
use crate::channel::close;
use crate::host::globals::GLOBALS;
use crate::status::Result;

/// A connection in the memory of the program.
///
/// Invariant: the pointer points to an `ngx_connection_t` whose `read` and `write` are
/// NULL or point to events. They and their logs live as long as one of the events is
/// active and the descriptor is open. Only one thread uses them.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ProgramConnection(NonNull<ngx_connection_s>);

/// A connection that C has passed, by its maker.
#[derive(Clone, Copy)]
pub enum Given {
    /// The library has made the connection.
    Library(Connection),
    /// The program has made the connection.
    Program(ProgramConnection),
}

impl Given {
    /// Makes a handle of C's pointer `c`; `None` if `c` is NULL.
    ///
    /// # Safety
    ///
    /// `c` is NULL, or a connection that this library has made, or one as
    /// [`ProgramConnection`] describes it.
    pub unsafe fn from_ptr(c: *mut ngx_connection_s) -> Option<Self> {
        // SAFETY: the caller passes NULL or a connection.
        let is_entry = unsafe { Connection::is_entry(c) };

        // SAFETY: the connection is an entry, so the library has made it.
        let entry = || unsafe { Connection::from_ptr(c) }.map(Self::Library);
        let program = || NonNull::new(c).map(ProgramConnection).map(Self::Program);

        if is_entry { entry() } else { program() }
    }

    /// Returns the connection that `event` belongs to; `None` if `event` is NULL or
    /// has no connection.
    ///
    /// # Safety
    ///
    /// `event` is NULL or an event, and the `data` of the event is as
    /// [`Given::from_ptr`] requires.
    pub unsafe fn of_event(event: *mut ngx_event_s) -> Option<Self> {
        // SAFETY: as the caller promises.
        unsafe { Self::from_ptr(Event::from_ptr(event)?.data().cast()) }
    }

    /// Calls `change` with the connection that the event loop watches for this one.
    ///
    /// For a connection of the program this is a proxy. The events of the proxy are in
    /// the state of the program's events before the call, and the program's events are
    /// in their state after the call.
    pub fn change(self, change: impl FnOnce(Connection) -> Result) -> Result {
        match self {
            Self::Library(c) => change(c),
            Self::Program(c) => c.change(None, change),
        }
    }

    /// Removes the connection, its timers and its posted events from the event loop.
    /// The descriptor stays open.
    pub fn free(self) {
        match self {
            Self::Library(c) => connections::free(c),
            Self::Program(c) => c.free(),
        }
    }

    /// Removes the connection from the event loop and closes its descriptor. If
    /// the connection is closed already, the function logs an alert and does
    /// nothing else.
    pub fn close(self) {
        match self {
            Self::Library(c) => c.close(),
            Self::Program(c) => c.close(),
        }
    }

    /// As [`Given::change`], for a `change` that adds the read event if `is_read` is
    /// true, else the write event.
    pub fn add(self, is_read: bool, change: impl FnOnce(Connection) -> Result) -> Result {
        match self {
            Self::Library(c) => change(c),
            Self::Program(c) => c.change(Some(is_read), change),
        }
    }
}

impl ProgramConnection {
    fn fd(self) -> RawFd {
        // SAFETY: the connection is alive (the type's invariant).
        unsafe { (*self.0.as_ptr()).fd }
    }

    /// The read event of the connection if `is_read` is true, else its write event;
    /// `None` if it has none.
    fn event(self, is_read: bool) -> Option<Event> {
        // SAFETY: the connection is alive, and its events are NULL or alive (the
        // type's invariant).
        unsafe {
            let c = self.0.as_ptr();

            Event::from_ptr(if is_read { (*c).read } else { (*c).write })
        }
    }

    /// The log of the connection; if it has none, that of one of its events.
    fn log(self) -> Option<ErrorLog> {
        // SAFETY: the connection and its log are alive (the type's invariant).
        let own = unsafe { ErrorLog::from_ptr((*self.0.as_ptr()).log) };
        let of_event = |is_read| self.event(is_read)?.error_log();

        own.or_else(|| of_event(true)).or_else(|| of_event(false))
    }

    fn is_active(self, is_read: bool) -> bool {
        self.event(is_read)
            .is_some_and(|event| event.has(flag::ACTIVE))
    }

    fn free(self) {
        for event in [self.event(true), self.event(false)].into_iter().flatten() {
            connections::detach(event);
            event.clear(flag::ACTIVE);
        }

        if let Some(proxy) = self.known_proxy() {
            connections::free(proxy);
        }
    }

    fn close(self) {
        let (fd, log) = (self.fd(), ErrorLog::log_of(self.log()));

        if fd == -1 {
            log.refuse(format_args!("connection already closed"));
            return;
        }

        self.free();

        // SAFETY: the connection is alive (the type's invariant).
        unsafe { (*self.0.as_ptr()).fd = -1 };

        close::close_end(&GLOBALS, log, fd);
    }

    /// As [`Given::change`]; `added` is that of [`Given::add`].
    // Most programs use connections of the library, whose code stays small so.
    #[cold]
    #[inline(never)]
    fn change(self, added: Option<bool>, change: impl FnOnce(Connection) -> Result) -> Result {
        let known = self.known_proxy();
        let proxy = known.map_or_else(|| self.make_proxy(), Ok)?;
        let watched = proxy.watched();

        proxy.set_log(self.log());
        self.copy_to(proxy);

        // As in nginx, only the other event shows whether epoll watches the descriptor:
        // a program can close the descriptor and reuse the event with another one.
        if let Some(is_read) = added
            && !self.is_active(!is_read)
        {
            proxy.event(is_read).clear(flag::ACTIVE);
        }

        if !is_needed(proxy) {
            proxy.set_watched(0);
        }

        let result = change(proxy);

        if result.is_ok() {
            self.copy_from(proxy);
        } else {
            proxy.set_watched(watched);
            self.copy_to(proxy);
        }

        if !is_needed(proxy) || result.is_err() && known.is_none() {
            connections::free(proxy);
        }

        result
    }

    /// Gives the events of the proxy the state of the program's events.
    fn copy_to(self, proxy: Connection) {
        for is_read in [true, false] {
            if let Some(event) = self.event(is_read) {
                for state in [flag::ACTIVE, flag::READY] {
                    proxy.event(is_read).assign(state, event.has(state));
                }
            }
        }
    }

    /// Makes the program's events active if the events of the proxy are.
    fn copy_from(self, proxy: Connection) {
        for is_read in [true, false] {
            if let Some(event) = self.event(is_read) {
                event.assign(flag::ACTIVE, proxy.event(is_read).has(flag::ACTIVE));
            }
        }
    }

    fn known_proxy(self) -> Option<Connection> {
        event_loop::find_by_fd(self.fd()).filter(|c| c.program() == Some(self.0))
    }

    fn make_proxy(self) -> Result<Connection> {
        let proxy = connections::take_entry(self.log())?;

        proxy.open(self.fd(), None, None, None);
        proxy.set_program(self.0);
        proxy.read().set_handler(Some(call_program));
        proxy.write().set_handler(Some(call_program));

        Ok(proxy)
    }
}

/// Whether the event loop watches for an event of `proxy`.
fn is_needed(proxy: Connection) -> bool {
    proxy.read().has(flag::ACTIVE) || proxy.write().has(flag::ACTIVE)
}

/// Calls the handler of the program's event for which `event`, an event of a proxy,
/// stands.
unsafe extern "C" fn call_program(event: *mut ngx_event_s) {
    // SAFETY: the event loop calls this handler with an event of a proxy.
    let (proxy, event) = unsafe { (Connection::of_event(event), Event::from_ptr(event)) };

    let event = proxy.zip(event).and_then(|(proxy, event)| {
        let program = ProgramConnection(proxy.program()?);

        program.event(!event.has(flag::WRITE))
    });

    if let Some(event) = event
        && event.has(flag::ACTIVE)
    {
        event.mark_ready();
        event.call_handler();
    }
}
