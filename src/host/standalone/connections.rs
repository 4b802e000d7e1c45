//! Adds connections to the event loop, and removes them.

use std::os::fd::RawFd;

use super::connection::Connection;
use super::event::Event;
use super::log::ErrorLog;
use super::types::flag;
use super::{datagram_descriptor, event_loop, hooks, io, posted};
use crate::status::Result;

/// Makes a connection with the descriptor `fd`. epoll does not watch the
/// descriptor yet. `log` must live as long as the connection.
///
/// Returns an error, with an emergency in the log, if there is no memory, or if
/// this process has no event loop and none can be made.
pub fn get(fd: RawFd, log: Option<ErrorLog>) -> Result<Connection> {
    let c = take_entry(log)?;

    // The program can have used the events of the connection that had this entry
    // before, after it closed that connection.
    detach(c.read());
    detach(c.write());
    c.open(fd, log, Some(io::recv), Some(io::send));

    Ok(c)
}

/// Takes an unused entry of the event loop, see [`event_loop::take_entry`]. From now on
/// the core removes descriptors from the event loop before it closes them.
pub fn take_entry(log: Option<ErrorLog>) -> Result<Connection> {
    hooks::FORGET.set(&(forget as fn(RawFd)));
    event_loop::take_entry(ErrorLog::log_of(log))
}

/// Removes a connection, its timers and its posted events from the event loop. The
/// descriptor stays open. Does nothing if the connection is closed.
pub fn free(c: Connection) {
    if !c.is_open() {
        return;
    }

    detach(c.read());
    detach(c.write());

    // The descriptor of a listening socket is closed next.
    if c.read().has(flag::ACCEPT) {
        datagram_descriptor::separate(c);
    }

    event_loop::release(c);
}

/// Deletes the timer of `event`, and removes the event from the queue in which it is
/// posted.
pub fn detach(event: Event) {
    if event.has(flag::TIMER_SET) || event.has_timer() {
        event.delete_timer();
    }

    posted::remove(event);
}

/// Removes the connection with the descriptor `fd` from the event loop, since
/// the caller is about to close `fd`. Does nothing if no connection of this
/// event loop has the descriptor.
fn forget(fd: RawFd) {
    if let Some(c) = event_loop::find_by_fd(fd) {
        free(c);
    }
}
