//! Keeps the parts of messages that have not arrived completely.
//!
//! A part of a message arrives rarely: only if its sender writes one message
//! with several calls. So all parts are in one short list, and a read searches
//! the list only if the list is not empty.
//!
//! The parts of each sender are put together separately, so that a sender that
//! stops in the middle of a message does not damage the messages of other
//! senders (`D13`). On a socket without SO_PASSCRED the kernel does not tell
//! the sender, and the library treats all data as data of one sender.

use std::os::fd::{OwnedFd, RawFd};
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;

use crate::config::ngx_pid_t;
use crate::sys::buffer::Buffer;
use crate::sys::fd::{self, Identity};
use crate::sys::lock::Lock;

struct Partial {
    sock: RawFd,
    /// The device and the inode of the socket `sock`. If the program has closed
    /// the socket, and another socket has got the same number, the identities
    /// differ.
    identity: Option<Identity>,
    /// The pid of the sender; 0 if the kernel does not tell the pid.
    sender: ngx_pid_t,
    bytes: Vec<u8>,
    fd: Option<OwnedFd>,
}

static PARTIALS: Lock<Vec<Partial>> = Lock::new(Vec::new());
/// The length of `PARTIALS`, which can be read without the lock.
static COUNT: AtomicUsize = AtomicUsize::new(0);

/// Calls `f` with the list `PARTIALS`, and sets `COUNT` to the new length of
/// the list.
fn with<T>(f: impl FnOnce(&mut Vec<Partial>) -> T) -> T {
    let mut partials = PARTIALS.lock();
    let result = f(&mut partials);

    COUNT.store(partials.len(), Relaxed);

    result
}

/// Whether a part of a message is kept for the socket `sock`.
#[inline]
pub fn any(sock: RawFd) -> bool {
    COUNT.load(Relaxed) != 0 && any_kept(sock)
}

#[cold]
fn any_kept(sock: RawFd) -> bool {
    let identity = fd::identity(sock).ok();

    with(|partials| {
        partials.retain(|partial| partial.sock != sock || partial.identity == identity);
        partials.iter().any(|partial| partial.sock == sock)
    })
}

/// Moves the part that is kept for `sender` into the buffer `message`, which is
/// empty. Returns the descriptor that came with the part.
pub fn take(sock: RawFd, sender: ngx_pid_t, message: &mut Buffer<'_>) -> Option<OwnedFd> {
    take_if(sock, message, |partial| partial.sender == sender)
}

/// Moves a part that is long enough to fill `message` into the buffer. There is
/// such a part if the program has read longer messages from this socket before.
/// Returns the descriptor that came with the part.
pub fn take_whole(sock: RawFd, message: &mut Buffer<'_>) -> Option<OwnedFd> {
    let size = message.capacity();

    take_if(sock, message, |partial| partial.bytes.len() >= size)
}

fn take_if(
    sock: RawFd,
    message: &mut Buffer<'_>,
    is_wanted: impl Fn(&Partial) -> bool,
) -> Option<OwnedFd> {
    let mut partial = with(|partials| {
        let i = partials
            .iter()
            .position(|partial| partial.sock == sock && is_wanted(partial))?;

        Some(partials.swap_remove(i))
    })?;

    let left = message.append(&partial.bytes).to_vec();

    keep(sock, partial.sender, &left, None);

    partial.fd.take()
}

/// Keeps a part of a message, and the descriptor that came with the part, until
/// the rest of the message arrives.
pub fn keep(sock: RawFd, sender: ngx_pid_t, bytes: &[u8], fd: Option<OwnedFd>) {
    if bytes.is_empty() {
        return;
    }

    let partial = Partial {
        sock,
        identity: fd::identity(sock).ok(),
        sender,
        bytes: bytes.to_vec(),
        fd,
    };

    with(|partials| partials.push(partial));
}

/// Drops the parts that are kept for `sock`, because `sock` is about to be
/// closed, or because its other end is closed. Returns the number of bytes that
/// were dropped.
pub fn forget(sock: RawFd) -> usize {
    forget_if(|partial| partial.sock == sock)
}

/// Drops the parts that are kept for the process `sender`, which has exited.
pub fn forget_sender(sender: ngx_pid_t) {
    let _ = forget_if(|partial| partial.sender == sender && sender != 0);
}

fn forget_if(is_stale: impl Fn(&Partial) -> bool) -> usize {
    if COUNT.load(Relaxed) == 0 {
        return 0;
    }

    with(|partials| {
        let mut len = 0;

        partials.retain(|partial| {
            let stale = is_stale(partial);

            len += if stale { partial.bytes.len() } else { 0 };
            !stale
        });

        len
    })
}
