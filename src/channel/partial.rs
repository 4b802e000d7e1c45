//! Messages that have not arrived whole yet.
//!
//! They are rare: only a sender that writes in pieces makes them. So the
//! pieces lie in one short list, and the usual read does not even look at it.

use std::os::fd::{OwnedFd, RawFd};
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::sys::buffer::Buffer;
use crate::sys::fd::{self, Identity};

struct Partial {
    sock: RawFd,
    /// The socket, lest its number has been closed and used again.
    of: Option<Identity>,
    bytes: Vec<u8>,
    fd: Option<OwnedFd>,
}

static PARTIALS: Mutex<Vec<Partial>> = Mutex::new(Vec::new());
static COUNT: AtomicUsize = AtomicUsize::new(0);

fn lock() -> MutexGuard<'static, Vec<Partial>> {
    PARTIALS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Takes what has been kept for `sock` out, into the empty `message`.
#[inline]
pub fn take(sock: RawFd, message: &mut Buffer<'_>) -> Option<OwnedFd> {
    if COUNT.load(Relaxed) == 0 {
        return None;
    }

    take_kept(sock, message)
}

#[cold]
fn take_kept(sock: RawFd, message: &mut Buffer<'_>) -> Option<OwnedFd> {
    let mut partial = remove(sock)?;

    let left = message.append(&partial.bytes).to_vec();
    let fd = partial.fd.take();

    // The caller reads shorter messages than before.
    keep(sock, &left, None);

    fd
}

/// Keeps a piece of a message, and the descriptor that came with it.
pub fn keep(sock: RawFd, bytes: &[u8], fd: Option<OwnedFd>) {
    if bytes.is_empty() {
        return;
    }

    let partial = Partial {
        sock,
        of: fd::identity(sock).ok(),
        bytes: bytes.to_vec(),
        fd,
    };

    lock().push(partial);
    COUNT.fetch_add(1, Relaxed);
}

/// Drops what has been kept for `sock`, which is about to be closed.
pub fn forget(sock: RawFd) {
    drop(remove(sock));
}

fn remove(sock: RawFd) -> Option<Partial> {
    if COUNT.load(Relaxed) == 0 {
        return None;
    }

    let mut partials = lock();
    let i = partials.iter().position(|partial| partial.sock == sock)?;
    let partial = partials.swap_remove(i);

    COUNT.fetch_sub(1, Relaxed);

    (partial.of == fd::identity(sock).ok()).then_some(partial)
}
