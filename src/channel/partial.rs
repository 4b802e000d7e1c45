//! Messages of which only a part has arrived.
//!
//! They are rare: only a sender that writes a message in several calls makes
//! them. So they are kept in one short list, and a read looks at it only if
//! it is not empty.
//!
//! The parts of each sender are put together separately: a sender that stops in
//! the middle of a message does not damage the messages of others (`D13`). On
//! a socket without SO_PASSCRED the sender is not known, and all data counts
//! as one sender's.

use std::os::fd::{OwnedFd, RawFd};
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;

use crate::config::ngx_pid_t;
use crate::sys::buffer::Buffer;
use crate::sys::fd::{self, Identity};
use crate::sys::lock::Lock;

struct Partial {
    sock: RawFd,
    /// The open file behind `sock`. The number may have been closed and be
    /// used for another socket now.
    identity: Option<Identity>,
    /// The pid of the sender; 0 if the kernel does not tell it.
    sender: ngx_pid_t,
    bytes: Vec<u8>,
    fd: Option<OwnedFd>,
}

static PARTIALS: Lock<Vec<Partial>> = Lock::new(Vec::new());
/// The length of `PARTIALS`, to be read without the lock.
static COUNT: AtomicUsize = AtomicUsize::new(0);

/// Calls `f` with the list, and updates the count.
fn with<T>(f: impl FnOnce(&mut Vec<Partial>) -> T) -> T {
    let mut partials = PARTIALS.lock();
    let result = f(&mut partials);

    COUNT.store(partials.len(), Relaxed);

    result
}

/// Whether a part of a message has been kept for `sock`.
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

/// Moves what has been kept of `sender` into the empty `message`. Returns its
/// descriptor.
pub fn take(sock: RawFd, sender: ngx_pid_t, message: &mut Buffer<'_>) -> Option<OwnedFd> {
    take_if(sock, message, |partial| partial.sender == sender)
}

/// Moves a part that fills `message` into it: the reader has asked for a
/// longer message before. Returns its descriptor.
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

/// Keeps a part of a message, and the descriptor that came with it.
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

/// Drops what has been kept for `sock`, which is about to be closed or whose
/// other end is closed. Returns the number of bytes.
pub fn forget(sock: RawFd) -> usize {
    forget_if(|partial| partial.sock == sock)
}

/// Drops what has been kept of the process `sender`, which has exited.
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
