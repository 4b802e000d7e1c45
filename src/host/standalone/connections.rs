//! Adding connections to the event loop, and removing them.

use std::os::fd::RawFd;

use super::connection::Connection;
use super::log::ErrorLog;
use super::types::flag;
use super::{event_loop, io};
use crate::status::Result;

/// Makes a connection of `fd`, which epoll does not watch yet. The log lives
/// as long as the connection.
///
/// If there is no event loop and none can be made, the log has an emergency.
pub fn get(fd: RawFd, log: Option<ErrorLog>) -> Result<Connection> {
    let c = event_loop::take_entry(ErrorLog::log_of(log))?;

    c.open(fd, log, Some(io::recv), Some(io::send));

    Ok(c)
}

/// Removes a connection from the event loop, with its timers. Its descriptor
/// stays open. Does nothing if the connection is closed.
pub fn free(c: Connection) {
    if !c.is_open() {
        return;
    }

    for event in [c.read(), c.write()] {
        if event.has(flag::TIMER_SET) {
            event.delete_timer();
        }
    }

    event_loop::release(c);
}

/// Removes the connection of `fd`, which is about to be closed, from the event
/// loop.
pub fn forget(fd: RawFd) {
    if let Some(c) = event_loop::find_by_fd(fd) {
        free(c);
    }
}
