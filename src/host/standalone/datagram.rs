//! [`Datagram`], the datagram that a connection was made for.

use std::ptr::NonNull;
use std::slice;

use nix::errno::Errno;

use super::types::ngx_connection_t;
use crate::sys::datagram::Peer;
use crate::sys::heap;

/// A datagram in memory of its own. Its bytes follow behind it.
#[repr(C)]
struct Head {
    /// The sender. It is the first field, so that the pointer to the sender, which C
    /// sees, is also the pointer to the datagram.
    peer: Peer,
    size: usize,
    /// Whether the program has received the datagram.
    taken: bool,
}

/// A datagram that a connection was made for.
///
/// Invariant: the pointer points to a datagram in memory of [`heap::allocate`], with
/// `size` bytes behind it. The connection owns it, and only one thread uses it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Datagram(NonNull<Head>);

impl Datagram {
    /// Makes a copy of a datagram; returns `ENOMEM` if there is no memory.
    pub fn new(peer: Peer, bytes: &[u8]) -> Result<Self, Errno> {
        let memory = heap::allocate(size_of::<Head>() + bytes.len())?.cast::<Head>();

        const { assert!(align_of::<Head>() <= heap::ALIGNMENT) };

        // SAFETY: the memory has just been allocated, with room for the head and the
        // bytes, and is aligned for any type.
        unsafe {
            memory.write(Head {
                peer,
                size: bytes.len(),
                taken: false,
            });
            memory
                .add(1)
                .cast::<u8>()
                .copy_from_nonoverlapping(NonNull::from(bytes).cast(), bytes.len());
        }

        Ok(Self(memory))
    }

    /// The datagram of C's connection `c`; `None` if `c` is NULL or a connection of
    /// another kind.
    ///
    /// # Safety
    ///
    /// `c` is NULL, or a connection or a copy of one, whose field `sockaddr` only the
    /// library has set.
    pub unsafe fn of(c: *const ngx_connection_t) -> Option<Self> {
        // SAFETY: the caller passes NULL or a connection. The field is NULL or points
        // to the first field of a datagram.
        unsafe { NonNull::new(c.as_ref()?.sockaddr).map(|peer| Self(peer.cast())) }
    }

    /// The sender.
    pub fn peer(&self) -> &Peer {
        // SAFETY: the datagram is alive (the type's invariant).
        unsafe { &self.0.as_ref().peer }
    }

    /// The bytes, the first time that this function is called.
    pub fn take(&mut self) -> Option<&[u8]> {
        // SAFETY: the datagram is alive (the type's invariant), and the reference is
        // dropped before the next statement.
        let head = unsafe { self.0.as_mut() };
        let size = head.size;

        // SAFETY: `size` bytes follow behind the head (the type's invariant).
        (!std::mem::replace(&mut head.taken, true))
            .then(|| unsafe { slice::from_raw_parts(self.0.add(1).cast().as_ptr(), size) })
    }

    /// Frees the memory.
    ///
    /// # Safety
    ///
    /// No code uses the datagram afterwards.
    pub unsafe fn free(self) {
        // SAFETY: `new` has allocated the memory, and the caller does not use it any
        // more.
        unsafe { heap::free(self.0.cast()) };
    }
}
