//! Wakes up nginx's master when a message for it has arrived.
//!
//! The master waits in `sigsuspend(2)`, so only a signal wakes it up. A worker
//! cannot send it a signal, because a worker is a process of another user. So the
//! workers have one of two connected sockets, and the kernel sends the master
//! SIGIO when something arrives at the other one.
//!
//! The signal is not lost if the master does something else: nginx blocks it, and
//! it stays pending until the master waits again.

use std::os::fd::{IntoRawFd, OwnedFd, RawFd};
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicUsize};

use nix::errno::Errno;

use crate::config::ngx_msec_t;
use crate::host::messages::settings::MASTERS;
use crate::sys::bell::{self, Bell};
use crate::sys::signal::{self, Received};
use crate::sys::{fd, process, socket};
use crate::table::minus_one::MinusOneI32;
use crate::table::restart::now;

/// In a master: the sockets of the slots for masters; -1 in other processes, and if
/// there are no messages. During an upgrade the other master has copies.
static SOCKETS: [MinusOneI32; MASTERS as usize] = [const { MinusOneI32::new() }; MASTERS as usize];
/// The one of this master; -1 in other processes, and if there are no messages.
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

/// In the master: makes the sockets of all masters. Returns those of the others.
pub fn make() -> Result<[Bell; MASTERS as usize], Errno> {
    let (first, own) = Bell::with_signal()?;
    let (second, other) = Bell::with_signal()?;

    inherit([own, other]);

    Ok([first, second])
}

/// In the master: keeps the sockets that another master has made.
pub fn inherit(sockets: [OwnedFd; MASTERS as usize]) {
    for (kept, socket) in SOCKETS.iter().zip(sockets) {
        kept.store(socket.into_raw_fd(), Relaxed);
    }
}

/// In the master that has a slot of the masters: makes the kernel send it signals.
/// The master gets the first signal when it waits for the first time.
pub fn begin(slot: usize) {
    let socket = SOCKETS.get(slot).map_or(-1, |socket| socket.load(Relaxed));

    if socket != -1 && bell::send_signals_to_us(socket).is_ok() {
        SOCKET.store(socket, Relaxed);
        ring();
    }
}

/// The sockets of all masters.
pub fn all() -> impl Iterator<Item = RawFd> {
    SOCKETS
        .iter()
        .map(|socket| socket.load(Relaxed))
        .filter(|&socket| socket != -1)
}

/// In a new child, or when the messages could not be made: closes the sockets of
/// the masters. Async-signal-safe.
pub fn close() {
    // A store in each child would cost a page fault.
    if all().next().is_none() {
        return;
    }

    SOCKET.store(-1, Relaxed);

    for kept in &SOCKETS {
        let socket = kept.swap(-1, Relaxed);

        if socket != -1 {
            let _ = fd::close(socket);
        }
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
