//! Closing connections.

use super::connection::Connection;
use super::connections;
use crate::channel::close;
use crate::host::globals::GLOBALS;

impl Connection {
    /// Removes it from the event loop and closes its descriptor. A connection
    /// that is closed already is an alert in the log.
    pub fn close(self) {
        let (fd, log) = (self.fd(), self.log());

        if !self.is_open() {
            log.refuse(format_args!("connection already closed"));
            return;
        }

        connections::free(self);
        close::close_end(&GLOBALS, log, fd);
    }
}
