//! Waits for events in such a way that no signal is missed.
//!
//! A signal handler sets `SIGNALED`. If `WAITING` is set, the handler also
//! writes to an eventfd, which wakes up the event loop. The event loop sets
//! `WAITING` before it reads `SIGNALED`, and the handler sets `SIGNALED` before
//! it reads `WAITING`. So either the loop sees the signal, or the handler sees
//! that the loop waits. The order must be `SeqCst`, because a program can have
//! several threads, and the signal handler can run in any of them.

use std::ffi::c_int;
use std::os::fd::RawFd;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::sync::atomic::{AtomicBool, AtomicI32};

use nix::errno::Errno;

use crate::config::ngx_msec_t;
use crate::sys::epoll::{self, Batch, Events};

/// The eventfd of this process's event loop, or -1.
static WAKER: AtomicI32 = AtomicI32::new(-1);
/// Whether the event loop waits, or is about to wait.
static WAITING: AtomicBool = AtomicBool::new(false);
/// Whether a signal has arrived since the event loop last read this flag.
static SIGNALED: AtomicBool = AtomicBool::new(false);

/// Stores the eventfd that wakes up the event loop of this process.
pub fn set_waker(waker: RawFd) {
    WAKER.store(waker, Relaxed);
}

/// Wakes up the event loop from [`wait`]. If the loop does not wait now, the
/// next call of `wait` returns at once.
///
/// Async-signal-safe.
pub fn wake_up() {
    SIGNALED.store(true, SeqCst);

    if WAITING.load(SeqCst) {
        epoll::wake(WAKER.load(Relaxed));
    }
}

/// Waits until an event happens, [`wake_up`] is called, or `msec` milliseconds
/// have passed; if `msec` is `None`, there is no time limit. Does not wait if
/// `wake_up` was called since the last call of this function.
///
/// Returns the events, which are in `batch`.
pub fn wait(
    waiter: RawFd,
    waker: RawFd,
    batch: &mut Batch,
    msec: Option<ngx_msec_t>,
) -> Result<Events<'_>, Errno> {
    WAITING.store(true, SeqCst);

    // A load costs less than a swap, and rarely a signal has arrived.
    let timeout = if SIGNALED.load(SeqCst) && SIGNALED.swap(false, SeqCst) {
        0
    } else {
        msec.map_or(-1, |msec| c_int::try_from(msec).unwrap_or(c_int::MAX))
    };

    let result = epoll::wait(waiter, waker, batch, timeout);

    WAITING.store(false, Relaxed);

    result
}
