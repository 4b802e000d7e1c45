//! The descriptor of a connection that was made for a datagram. It is that of the listening
//! socket, until the program keeps the connection.

use std::os::fd::{IntoRawFd, RawFd};

use super::connection::Connection;
use super::event_loop;
use super::types::bit;
use crate::log::{Level, Log};
use crate::sys::fd;

/// Whether `c` is a connection of a datagram that has the descriptor `fd` of its
/// listening socket.
pub fn shares(c: Connection, fd: RawFd) -> bool {
    c.is_of_datagram() && c.has(bit::SHARED) && c.fd() == fd
}

/// Gives a connection that the program keeps a descriptor of its own. If this fails, the
/// connection goes on with that of the listening socket.
pub fn keep(c: Connection, log: Log) {
    match fd::duplicate(c.fd()) {
        Ok(sock) => {
            c.set_fd(sock.into_raw_fd());
            c.clear(bit::SHARED);
        }
        Err(err) => {
            log.error(
                Level::Alert,
                Some(err),
                format_args!("fcntl(F_DUPFD_CLOEXEC) failed"),
            );
        }
    }
}

/// Separates the connections that share the descriptor of the connection `listener`,
/// because it is about to be closed. They get descriptors of their own. If this fails,
/// they get -1, so that they do not use another file that gets the number.
pub fn separate(listener: Connection) {
    let fd = listener.fd();

    for c in event_loop::open_connections().filter(|&c| shares(c, fd)) {
        keep(c, listener.log());

        if c.has(bit::SHARED) {
            c.set_fd(-1);
        }
    }
}
