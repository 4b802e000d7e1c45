//! Messages that have not arrived whole yet.
//!
//! They are rare: only a sender that writes in pieces makes them. So the
//! pieces lie in one short list, and the usual read does not even look at it.
//!
//! Each sender's are put together by themselves: a sender that leaves off in
//! the middle of a message spoils nobody else's (`D13`). On a socket that does
//! not tell who has sent what, all of them are one.

use std::os::fd::{OwnedFd, RawFd};
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;

use crate::config::ngx_pid_t;
use crate::sys::buffer::Buffer;
use crate::sys::fd::{self, Identity};
use crate::sys::lock::Lock;

struct Partial {
    sock: RawFd,
    /// The socket, lest its number has been closed and used again.
    of: Option<Identity>,
    /// Whose piece it is; 0 if the socket does not tell.
    sender: ngx_pid_t,
    bytes: Vec<u8>,
    fd: Option<OwnedFd>,
}

static PARTIALS: Lock<Vec<Partial>> = Lock::new(Vec::new());
static COUNT: AtomicUsize = AtomicUsize::new(0);

/// Calls `f` with the list, and counts what it leaves.
fn with<T>(f: impl FnOnce(&mut Vec<Partial>) -> T) -> T {
    let mut partials = PARTIALS.lock();
    let result = f(&mut partials);

    COUNT.store(partials.len(), Relaxed);

    result
}

/// Whether a piece has been kept for `sock`.
#[inline]
pub fn any(sock: RawFd) -> bool {
    COUNT.load(Relaxed) != 0 && any_kept(sock)
}

#[cold]
fn any_kept(sock: RawFd) -> bool {
    let of = fd::identity(sock).ok();

    with(|partials| {
        partials.retain(|partial| partial.sock != sock || partial.of == of);
        partials.iter().any(|partial| partial.sock == sock)
    })
}

/// Takes out what has been kept of `sender`, into the empty `message`.
pub fn take(sock: RawFd, sender: ngx_pid_t, message: &mut Buffer<'_>) -> Option<OwnedFd> {
    take_if(sock, message, |partial| partial.sender == sender)
}

/// Takes out what is whole for a `message` shorter than those before.
pub fn take_whole(sock: RawFd, message: &mut Buffer<'_>) -> Option<OwnedFd> {
    let size = message.capacity();

    take_if(sock, message, |partial| partial.bytes.len() >= size)
}

fn take_if(
    sock: RawFd,
    message: &mut Buffer<'_>,
    is: impl Fn(&Partial) -> bool,
) -> Option<OwnedFd> {
    let mut partial = with(|partials| {
        let i = partials
            .iter()
            .position(|partial| partial.sock == sock && is(partial))?;

        Some(partials.swap_remove(i))
    })?;

    let left = message.append(&partial.bytes).to_vec();

    keep(sock, partial.sender, &left, None);

    partial.fd.take()
}

/// Keeps a piece of a message, and the descriptor that came with it.
pub fn keep(sock: RawFd, sender: ngx_pid_t, bytes: &[u8], fd: Option<OwnedFd>) {
    if bytes.is_empty() {
        return;
    }

    let partial = Partial {
        sock,
        of: fd::identity(sock).ok(),
        sender,
        bytes: bytes.to_vec(),
        fd,
    };

    with(|partials| partials.push(partial));
}

/// Drops what has been kept for `sock`, which is about to be closed or has
/// come to its end. Returns how many bytes that were.
pub fn forget(sock: RawFd) -> usize {
    forget_if(|partial| partial.sock == sock)
}

/// Drops what has been kept of a process that has exited.
pub fn forget_sender(sender: ngx_pid_t) {
    let _ = forget_if(|partial| partial.sender == sender && sender != 0);
}

fn forget_if(is: impl Fn(&Partial) -> bool) -> usize {
    if COUNT.load(Relaxed) == 0 {
        return 0;
    }

    with(|partials| {
        let mut len = 0;

        partials.retain(|partial| {
            let gone = is(partial);

            len += if gone { partial.bytes.len() } else { 0 };
            !gone
        });

        len
    })
}
