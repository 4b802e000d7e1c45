//! Accepts connections from the listening sockets of a cycle.

use std::os::fd::{AsRawFd, IntoRawFd, OwnedFd};

use nix::errno::Errno;

use super::connection::Connection;
use super::connections;
use super::datagrams::datagram_handler;
use super::event::ngx_event_t;
use super::listening::Listening;
use super::log::ErrorLog;
use super::new_connection::call_program;
use super::types::flag;
use super::watch;
use crate::config::ngx_msec_t;
use crate::log::{Debug, Level, Log};
use crate::status::Result;
use crate::sys::listen::{self, Kind};

/// A worker that has run out of descriptors, or whose listening socket was shut
/// down, accepts no connection for this many milliseconds.
const ACCEPT_DELAY: ngx_msec_t = 500;

impl Listening {
    /// Makes the event loop of this process accept connections from the socket.
    /// `log` is the log of the accepted connections; it lives as long as the
    /// process.
    pub fn start_accepting(self, log: Option<ErrorLog>) -> Result {
        let c = connections::get(self.fd(), log)?;

        c.set_listening(Some(self));
        self.set_connection_ptr(c.as_ptr());

        c.read().set_handler(Some(match self.options().kind {
            Kind::Stream => accept_handler,
            Kind::Datagram => datagram_handler,
        }));
        c.read().set(flag::ACCEPT | flag::ACTIVE);

        watch::watch(c, ErrorLog::log_of(log))
    }

    /// Makes this process accept no more connections from the socket, and
    /// closes the descriptor in this process. Other processes keep their
    /// descriptors.
    pub fn stop_accepting(self, log: Log) {
        // SAFETY: the pointer is NULL or a connection, because only
        // `start_accepting` stores a pointer there.
        if let Some(c) = unsafe { Connection::from_ptr(self.connection_ptr()) } {
            connections::free(c);
        }

        self.close(log);
    }
}

/// Accepts one connection. If more connections wait, the event loop calls this
/// handler again.
///
/// # Safety
///
/// `ev` is the read event of a connection that `start_accepting` has made.
unsafe extern "C" fn accept_handler(ev: *mut ngx_event_t) {
    // SAFETY: only the event loop calls this handler, with the read event of a
    // connection.
    let Some(c) = (unsafe { Connection::of_event(ev) }) else {
        return;
    };

    let log = c.read().log();

    if c.read().take_timedout() {
        resume(c, log);
        return;
    }

    match listen::accept(c.fd()) {
        Ok(sock) => {
            give_others_a_turn(c, log);
            handle_new(c, sock, log);
        }

        // Another worker has accepted the connection, or the client has closed
        // it already.
        Err(Errno::EAGAIN) => {
            log.debug(Debug::Event, format_args!("accept() not ready"));
        }
        Err(err @ Errno::ECONNABORTED) => {
            log.error(Level::Err, Some(err), format_args!("accept4() failed"));
        }

        Err(err @ (Errno::EMFILE | Errno::ENFILE)) => {
            log.error(Level::Crit, Some(err), format_args!("accept4() failed"));
            pause(c, log);
        }

        // Another process has shut the socket down, `shutdown(2)`. From then on
        // the kernel always reports the socket as readable.
        Err(err @ Errno::EINVAL) => {
            log.error(Level::Alert, Some(err), format_args!("accept4() failed"));
            pause(c, log);
        }

        Err(err) => log.error(Level::Alert, Some(err), format_args!("accept4() failed")),
    }
}

/// Makes this process accept no connection for a while.
fn pause(c: Connection, log: Log) {
    c.read().clear(flag::ACTIVE);
    let _ = watch::watch(c, log);
    c.read().add_timer(ACCEPT_DELAY);
}

/// Makes this process accept connections again. If epoll cannot watch the socket, the
/// process retries after a while.
fn resume(c: Connection, log: Log) {
    c.read().set(flag::ACTIVE);

    if watch::watch(c, log).is_err() {
        c.read().clear(flag::ACTIVE);
        c.read().add_timer(ACCEPT_DELAY);
    }
}

/// Moves this process to the end of the queue of processes that wait for the socket.
///
/// For a new connection the kernel wakes up the first process of the queue that waits,
/// because epoll watches the socket with EPOLLEXCLUSIVE. A process keeps its place when
/// it is woken up, so that without this function the first one would accept almost all
/// connections. nginx does this after each 16th connection.
fn give_others_a_turn(c: Connection, log: Log) {
    let is_own = |ls: Listening| ls.options().reuseport;

    if c.listening().is_some_and(is_own) {
        return;
    }

    c.read().clear(flag::ACTIVE);
    let _ = watch::watch(c, log);
    resume(c, log);
}

/// Makes a connection of the accepted socket `sock`, and calls the program's
/// handler for new connections.
fn handle_new(listener: Connection, sock: OwnedFd, log: Log) {
    let Ok(c) = connections::get(sock.as_raw_fd(), listener.error_log()) else {
        return;
    };

    let _ = sock.into_raw_fd();

    call_program(listener, c, log);
}
