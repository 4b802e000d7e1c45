//! Makes a [`std::io::Error`] of what the lower layers return.

use std::io;

use crate::host::messages::send::{self, Failure};

/// An error with a text.
pub fn other(text: &'static str) -> io::Error {
    io::Error::other(text)
}

/// The error of a function that has written the reason to the log.
pub fn logged(text: &'static str) -> io::Error {
    io::Error::other(text)
}

/// The error of a message that was not sent: the errno of `ngx_ipc_message_send(3)`.
pub fn of_message(failure: Failure) -> io::Error {
    let _ = send::code(Err(failure));

    io::Error::last_os_error()
}
