//! Adds connections to the event loop, and removes them.

use std::os::fd::RawFd;

use super::connection::Connection;
use super::log::ErrorLog;
use super::types::flag;
use super::{datagram_descriptor, event_loop, io};
use crate::status::Result;

/// Makes a connection with the descriptor `fd`. epoll does not watch the
/// descriptor yet. `log` must live as long as the connection.
///
/// Returns an error, with an emergency in the log, if there is no memory, or if
/// this process has no event loop and none can be made.
pub fn get(fd: RawFd, log: Option<ErrorLog>) -> Result<Connection> {
    let c = event_loop::take_entry(ErrorLog::log_of(log))?;

    // The program can have added a timer to the connection that had this entry
    // before, after it closed that connection.
    delete_timers(c);
    c.open(fd, log, Some(io::recv), Some(io::send));

    Ok(c)
}

/// Removes a connection and its timers from the event loop. The descriptor
/// stays open. Does nothing if the connection is closed.
pub fn free(c: Connection) {
    if !c.is_open() {
        return;
    }

    delete_timers(c);

    // The descriptor of a listening socket is closed next.
    if c.read().has(flag::ACCEPT) {
        datagram_descriptor::separate(c);
    }

    event_loop::release(c);
}

fn delete_timers(c: Connection) {
    for event in [c.read(), c.write()] {
        if event.has(flag::TIMER_SET) || event.has_timer() {
            event.delete_timer();
        }
    }
}

/// Removes the connection with the descriptor `fd` from the event loop, since
/// the caller is about to close `fd`. Does nothing if no connection of this
/// event loop has the descriptor.
pub fn forget(fd: RawFd) {
    if let Some(c) = event_loop::find_by_fd(fd) {
        free(c);
    }
}
