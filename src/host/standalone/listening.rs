//! [`Listening`], a safe handle for C's `ngx_listening_t`.

use std::ffi::{CStr, c_char, c_int};
use std::mem::offset_of;
use std::os::fd::RawFd;
use std::ptr::NonNull;

use super::types::ngx_connection_t;
pub use super::types::{ngx_connection_handler_pt, ngx_listening_s, ngx_listening_t};
use crate::config::ngx_socket_t;
use crate::log::{Level, Log};
use crate::status::{Result, Status};
use crate::sys::listen::Address;
use crate::sys::text::Text;

/// The default length of the queue of connections that are not accepted yet,
/// see listen(2).
pub const NGX_LISTEN_BACKLOG: c_int = 511;

/// The fields that an `ngx_listening_t` has in every version. The structure of
/// a program with older headers can have no more fields.
#[repr(C)]
struct Fields {
    address: *const c_char,
    handler: ngx_connection_handler_pt,
    backlog: c_int,
    fd: ngx_socket_t,
    connection: *mut ngx_connection_t,
}

const _: () = {
    assert!(offset_of!(Fields, address) == offset_of!(ngx_listening_t, address));
    assert!(offset_of!(Fields, handler) == offset_of!(ngx_listening_t, handler));
    assert!(offset_of!(Fields, backlog) == offset_of!(ngx_listening_t, backlog));
    assert!(offset_of!(Fields, fd) == offset_of!(ngx_listening_t, fd));
    assert!(offset_of!(Fields, connection) == offset_of!(ngx_listening_t, connection));
};

/// An address that the program listens on, and its socket.
///
/// Invariant: the pointer points to a live `ngx_listening_t` of this program,
/// with at least the fields of version 0.1. The structure stays at its address
/// as long as a handle is used, and only one thread uses the structure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listening(NonNull<ngx_listening_t>);

impl Listening {
    /// Makes a handle of C's pointer `listening`; `None` if `listening` is
    /// NULL.
    ///
    /// # Safety
    ///
    /// `listening` is NULL or points to a structure that stays alive as long as
    /// the result and its copies are used, in one thread. The address in the
    /// structure is NULL or a NUL-terminated string that lives as long as the
    /// structure.
    pub unsafe fn from_ptr(listening: *mut ngx_listening_t) -> Option<Self> {
        NonNull::new(listening).map(Self)
    }

    /// The pointer to the structure, for C.
    pub fn as_ptr(self) -> *mut ngx_listening_t {
        self.0.as_ptr()
    }

    fn fields(&self) -> &Fields {
        // SAFETY: the pointer points to a live structure (the type's
        // invariant), and the methods below drop this reference before they
        // change the structure.
        unsafe { self.0.cast().as_ref() }
    }

    fn update(self, change: impl FnOnce(&mut Fields)) {
        // SAFETY: the pointer points to a live structure (the type's
        // invariant), and `change` only assigns fields: it uses the structure
        // in no other way.
        change(unsafe { self.0.cast().as_mut() });
    }

    /// Calls `change` to replace the text of the address.
    pub fn change_address(self, change: impl FnOnce(&mut *const c_char)) {
        self.update(|listening| change(&mut listening.address));
    }

    /// Parses the address to listen on.
    ///
    /// Returns an error, with an emergency in the log, if the address cannot be
    /// parsed.
    pub fn address(&self, log: Log) -> Result<Address<'_>> {
        let address = self.fields().address;

        // SAFETY: the address is NULL or a string that lives as long as the
        // structure, as `from_ptr` requires.
        let text = unsafe { Text::from_ptr(address) };

        (!address.is_null())
            // SAFETY: the address is not NULL, so it is such a string.
            .then(|| unsafe { CStr::from_ptr(address) }.to_bytes())
            .and_then(|bytes| str::from_utf8(bytes).ok())
            .and_then(Address::parse)
            .ok_or_else(|| {
                log.error(
                    Level::Emerg,
                    None,
                    format_args!(
                        "invalid address \"{text}\" to listen on, \
                         it takes a numeric host and a port or \"unix:PATH\""
                    ),
                );
                Status::Error
            })
    }

    /// The function that a worker calls for each new connection.
    pub fn handler(self) -> ngx_connection_handler_pt {
        self.fields().handler
    }

    /// The largest number of connections that wait to be accepted, see
    /// listen(2).
    pub fn backlog(self) -> c_int {
        match self.fields().backlog {
            0 => NGX_LISTEN_BACKLOG,
            backlog => backlog,
        }
    }

    /// The descriptor of the socket; -1 if the socket is not open.
    pub fn fd(self) -> RawFd {
        self.fields().fd
    }

    /// Sets the descriptor of the socket. No connection accepts from the socket
    /// yet.
    pub fn set_fd(self, fd: RawFd) {
        self.update(|listening| {
            listening.fd = fd;
            listening.connection = std::ptr::null_mut();
        });
    }

    /// C's pointer to the connection with which this process accepts from the
    /// socket, or NULL.
    pub fn connection_ptr(self) -> *mut ngx_connection_t {
        self.fields().connection
    }

    /// Stores C's pointer to the connection with which this process accepts
    /// from the socket.
    pub fn set_connection_ptr(self, c: *mut ngx_connection_t) {
        self.update(|listening| listening.connection = c);
    }
}
