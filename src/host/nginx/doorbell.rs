//! Wakes up nginx's master when a message for it has arrived.
//!
//! The master waits in `sigsuspend(2)`, so only a signal wakes it up. A worker
//! cannot send it a signal, because a worker is a process of another user. So the
//! workers have one of two connected sockets, and the kernel sends the master
//! SIGIO when something arrives at the other one.
//!
//! The signal is not lost if the master does something else: nginx blocks it, and
//! it stays pending until the master waits again.

use std::os::fd::{IntoRawFd, RawFd};
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicUsize};

use nix::errno::Errno;

use crate::config::ngx_msec_t;
use crate::sys::bell::{self, Bell};
use crate::sys::signal::{self, Received};
use crate::sys::{fd, process, socket};
use crate::table::minus_one::MinusOneI32;
use crate::table::restart::now;

/// The socket of the master; -1 in other processes, and if there are no messages.
static SOCKET: MinusOneI32 = MinusOneI32::new();
/// The time at which the master handles messages without a signal from others,
/// of [`now`]; 0 if there is none.
static DUE: AtomicUsize = AtomicUsize::new(0);
/// Whether a process has shut down the sockets.
static IS_SHUT_DOWN: AtomicBool = AtomicBool::new(false);

/// The most calls of `recv(2)` in a round. One call drops many bytes, unless a
/// process sends bytes together with descriptors.
const CALLS: usize = 32;
/// The milliseconds after which the master looks for messages by itself, if a
/// process has shut down the sockets.
const INTERVAL: ngx_msec_t = 100;

/// In the master: makes the sockets. Returns the one of the others. The master
/// gets the first signal when it waits for the first time.
pub fn make() -> Result<Bell, Errno> {
    let (bell, socket) = Bell::with_signal()?;

    SOCKET.store(socket.into_raw_fd(), Relaxed);
    ring();

    Ok(bell)
}

/// In a new child, or when the messages could not be made: closes the socket of
/// the master. Async-signal-safe.
pub fn close() {
    // A store in each child would cost a page fault.
    if let Some(socket) = socket() {
        SOCKET.store(-1, Relaxed);
        let _ = fd::close(socket);
    }
}

fn socket() -> Option<RawFd> {
    Some(SOCKET.load(Relaxed)).filter(|&socket| socket != -1)
}

/// Whether this process is a master that has messages.
pub fn is_made() -> bool {
    socket().is_some()
}

/// Whether a signal is one of [`ring`], or of the kernel because something has
/// arrived.
pub fn is_own(signal: &Received) -> bool {
    signal.signo == libc::SIGIO
        && is_made()
        && (signal.is_from_kernel || signal.sender == Some(process::getpid()))
}

/// Makes the master handle messages when it waits next.
pub fn ring() {
    signal::raise(libc::SIGIO);
}

/// Drops what the others have written, in a limited number of calls. Returns
/// whether nothing is left.
pub fn drain() -> bool {
    let Some(socket) = socket() else { return true };

    for _ in 0..CALLS {
        match socket::drop_bytes(socket) {
            Ok(0) => {
                IS_SHUT_DOWN.store(true, Relaxed);
                return true;
            }
            Ok(_) => {}
            Err(_) => return true,
        }
    }

    false
}

/// Makes the kernel send no more signals, because the master terminates its
/// workers. With each signal nginx's master begins a new wait for their exit, and
/// would never kill a worker that does not exit.
pub fn mute() {
    DUE.store(0, Relaxed);

    if let Some(socket) = socket() {
        let _ = bell::set_signals(socket, false);
    }
}

/// Sets the time after which the master handles messages without a signal of
/// others.
pub fn set_due_in(milliseconds: Option<u64>) {
    let own = milliseconds.map(|milliseconds| milliseconds as ngx_msec_t);
    let other = IS_SHUT_DOWN.load(Relaxed).then_some(INTERVAL);
    let due = [own, other].into_iter().flatten().min();

    DUE.store(
        due.map_or(0, |due| now().saturating_add(due).max(1)),
        Relaxed,
    );
}

/// The milliseconds after which the master handles messages without a signal of
/// others; `None` if it needs not.
pub fn due_in() -> Option<ngx_msec_t> {
    let due = DUE.load(Relaxed);

    (due != 0).then(|| due.saturating_sub(now()))
}
