//! Waiting for events such that no signal is missed.
//!
//! A signal handler notes the signal, and if the loop waits, or is about to,
//! it writes to an eventfd that the loop waits for too. The loop says that it
//! waits before it looks whether there was a signal, and the handler notes the
//! signal before it looks whether the loop waits; so one of them sees the
//! other. Both orders are `SeqCst` because a program may have more threads, one
//! of which may run the signal handler.

use std::ffi::c_int;
use std::os::fd::RawFd;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::sync::atomic::{AtomicBool, AtomicI32};

use nix::errno::Errno;

use crate::config::ngx_msec_t;
use crate::sys::epoll::{self, Event};

/// The eventfd of this process's event loop, or -1.
static WAKER: AtomicI32 = AtomicI32::new(-1);
/// Whether the event loop waits, or is about to.
static WAITING: AtomicBool = AtomicBool::new(false);
/// Whether there was a signal since the event loop looked last.
static SIGNALED: AtomicBool = AtomicBool::new(false);

/// Names the eventfd that wakes up this process's event loop.
pub fn set_waker(waker: RawFd) {
    WAKER.store(waker, Relaxed);
}

/// Makes the event loop return from [`wait`], now or the next time.
///
/// Async-signal-safe.
pub fn wake_up() {
    SIGNALED.store(true, SeqCst);

    if WAITING.load(SeqCst) {
        epoll::wake(WAKER.load(Relaxed));
    }
}

/// Waits for events, a call of [`wake_up`], or `msec` milliseconds; `None`: for
/// any time. Does not wait if `wake_up` was called since the last time.
///
/// Returns how many of `events` are filled.
pub fn wait(
    waiter: RawFd,
    waker: RawFd,
    events: &mut [Event],
    msec: Option<ngx_msec_t>,
) -> Result<usize, Errno> {
    WAITING.store(true, SeqCst);

    let timeout = if SIGNALED.swap(false, SeqCst) {
        0
    } else {
        msec.map_or(-1, |msec| c_int::try_from(msec).unwrap_or(c_int::MAX))
    };

    let result = epoll::wait(waiter, waker, events, timeout);

    WAITING.store(false, Relaxed);

    result
}
