//! [`Entry`], the memory of a connection of the event loop.

use std::os::fd::RawFd;
use std::ptr::{self, NonNull};

use super::datagram::Datagram;
use super::event::ngx_event_s;
use super::types::ngx_connection_s;
use crate::config::numbers;

/// A connection, its two events, and the event loop's own data about them.
#[repr(C)]
pub struct Entry {
    /// The connection that C sees. It is the first field, so that C's pointer
    /// to the connection is also the pointer to the entry.
    pub c: ngx_connection_s,
    /// The read event: `c.read` points to this field.
    pub read: ngx_event_s,
    /// The write event: `c.write` points to this field.
    pub write: ngx_event_s,
    /// The position of the entry in the `entries` of the event loop that has
    /// made the entry.
    pub index: u32,
    /// Whether the connection is in use. The descriptor does not show it, since
    /// C can make a connection with any number as its descriptor.
    pub open: bool,
    /// The events for which epoll watches the descriptor; 0 if epoll does not
    /// watch it.
    pub mask: u32,
    /// How epoll watches the descriptor: `EPOLLET` or 0.
    pub trigger: u32,
    /// Incremented when the entry is put to use, so that an event which epoll
    /// reports late, for an earlier use of the entry, has a different key.
    pub generation: u32,
    /// The descriptor by which the event loop finds the connection; `None` if
    /// the event loop does not find it.
    pub known_as: Option<RawFd>,
    /// The datagram that the connection was made for.
    pub datagram: Option<Datagram>,
    /// The next connection of a list of the event loop: the list of unused
    /// entries, or a list in which the event loop finds connections.
    pub next: Option<NonNull<Self>>,
    /// The connection of the program for which this one is the proxy.
    pub program: Option<NonNull<ngx_connection_s>>,
    /// Room for fields of later versions. C knows the size of an entry, because
    /// `connections` of a cycle is an array.
    spare: [usize; SPARE],
}

/// The number of words in `spare`.
const SPARE: usize = 9;

/// The size of an entry in bytes.
pub const ENTRY_SIZE: usize = size_of::<Entry>();

// C's structure has a member of this size for the other fields of an entry.
const _: () = assert!(
    ENTRY_SIZE
        == size_of::<ngx_connection_s>()
            + numbers::NGX_IPC_CONNECTION_WORDS as usize * size_of::<usize>()
);

impl Entry {
    /// An entry that is not in use yet. `index` is its position in the `entries` of its
    /// event loop.
    pub fn unused(index: u32) -> Self {
        let event = || ngx_event_s::new(ptr::null_mut(), 0, ptr::null_mut());

        Self {
            c: ngx_connection_s::unused(),
            read: event(),
            write: event(),
            index,
            open: false,
            mask: 0,
            trigger: 0,
            generation: 0,
            known_as: None,
            datagram: None,
            next: None,
            program: None,
            spare: [0; SPARE],
        }
    }
}

impl ngx_connection_s {
    /// The connection of an entry that is not in use.
    pub fn unused() -> Self {
        Self {
            data: ptr::null_mut(),
            read: ptr::null_mut(),
            write: ptr::null_mut(),
            fd: -1,
            recv: None,
            send: None,
            listening: ptr::null_mut(),
            log: ptr::null_mut(),
            pool: ptr::null_mut(),
            number: 0,
            flags: 0,
            sockaddr: ptr::null_mut(),
            socklen: 0,
        }
    }
}
