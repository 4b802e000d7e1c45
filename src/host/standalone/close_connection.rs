//! Closes connections together with their descriptors.

use super::connection::Connection;
use super::connections;
use super::types::bit;
use crate::channel::close;
use crate::host::globals::GLOBALS;

impl Connection {
    /// Removes the connection from the event loop and closes its descriptor. If
    /// the connection is closed already, the function logs an alert and does
    /// nothing else.
    pub fn close(self) {
        let (fd, log) = (self.fd(), self.log());

        if !self.is_open() {
            log.refuse(format_args!("connection already closed"));
            return;
        }

        let is_shared = self.has(bit::SHARED) && self.is_of_datagram();

        connections::free(self);

        if !is_shared {
            close::close_end(&GLOBALS, log, fd);
        }
    }
}
