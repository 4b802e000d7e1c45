//! Readiness of descriptors, `epoll(7)`, and a way to wake up who waits.

use std::ffi::c_int;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

use nix::errno::Errno;

use super::fd::above_stdio;

/// Readable, or the other end has stopped writing.
pub const READ: u32 = (libc::EPOLLIN | libc::EPOLLRDHUP) as u32;
/// Readable, told to one of the processes that wait for it.
pub const EXCLUSIVE_READ: u32 = (libc::EPOLLIN | libc::EPOLLEXCLUSIVE) as u32;
/// Writable.
pub const WRITE: u32 = libc::EPOLLOUT as u32;
/// Something is wrong; both sides are told.
pub const FAILED: u32 = (libc::EPOLLERR | libc::EPOLLHUP) as u32;

/// How many events one wait can return.
pub const BATCH: usize = 64;

/// One event: what is ready, and the key of who asked.
#[derive(Clone, Copy, Default)]
pub struct Event {
    /// The ready ones of `READ`, `WRITE` and `FAILED`.
    pub events: u32,
    /// As given to `add`.
    pub key: u64,
}

/// An epoll instance with an eventfd in it, both close-on-exec.
pub struct Epoll {
    epoll: OwnedFd,
    wake: OwnedFd,
}

/// The key of the eventfd.
const WAKE: u64 = u64::MAX;

/// Owns a descriptor that the kernel has just made.
///
/// # Safety
///
/// If it is not -1, `fd` is new and owned by nobody.
unsafe fn new_fd(fd: c_int) -> Result<OwnedFd, Errno> {
    let fd = Errno::result(fd)?;

    // SAFETY: promised by the caller.
    above_stdio(unsafe { OwnedFd::from_raw_fd(fd) })
}

impl Epoll {
    /// Makes one.
    pub fn new() -> Result<Self, Errno> {
        // SAFETY: no memory is involved, and the descriptors are new.
        let this = unsafe {
            Self {
                epoll: new_fd(libc::epoll_create1(libc::EPOLL_CLOEXEC))?,
                wake: new_fd(libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK))?,
            }
        };

        this.ctl(libc::EPOLL_CTL_ADD, this.waker(), READ, WAKE)?;

        Ok(this)
    }

    /// The epoll descriptor, to wait on without borrowing this.
    pub fn waiter(&self) -> RawFd {
        self.epoll.as_raw_fd()
    }

    /// What [`wake`] needs.
    pub fn waker(&self) -> RawFd {
        self.wake.as_raw_fd()
    }

    /// Changes what is watched, `epoll_ctl(2)`.
    pub fn ctl(&self, op: c_int, fd: RawFd, events: u32, key: u64) -> Result<(), Errno> {
        let mut event = libc::epoll_event { events, u64: key };

        // SAFETY: `event` is valid.
        Errno::result(unsafe { libc::epoll_ctl(self.waiter(), op, fd, &raw mut event) }).map(drop)
    }

    /// Watches `fd` no more.
    pub fn remove(&self, fd: RawFd) -> Result<(), Errno> {
        self.ctl(libc::EPOLL_CTL_DEL, fd, 0, 0)
    }
}

/// Waits on [`Epoll::waiter`] for at most `timeout` milliseconds, -1 for ever.
///
/// Returns how many of `events` are filled; an event of the waker counts but
/// has an empty mask.
pub fn wait(
    waiter: RawFd,
    waker: RawFd,
    events: &mut [Event],
    timeout: c_int,
) -> Result<usize, Errno> {
    let mut batch = [libc::epoll_event { events: 0, u64: 0 }; BATCH];

    // SAFETY: `batch` has room for BATCH events.
    let n = Errno::result(unsafe {
        libc::epoll_wait(waiter, batch.as_mut_ptr(), BATCH as c_int, timeout)
    })?;
    let n = usize::try_from(n).unwrap_or_default();

    for (to, from) in events.iter_mut().zip(batch).take(n) {
        *to = Event {
            events: from.events,
            key: from.u64,
        };

        if to.key == WAKE {
            to.events = 0;
            drain(waker);
        }
    }

    Ok(n.min(events.len()))
}

/// Has `wait` return, now or the next time; async-signal-safe.
pub fn wake(waker: RawFd) {
    // Should the counter be full, it is not 0 either.
    let _ = super::fd::write(waker, &1u64.to_ne_bytes());
}

fn drain(waker: RawFd) {
    let mut count = 0u64;

    // SAFETY: `count` is writable; the descriptor does not block.
    unsafe { libc::read(waker, (&raw mut count).cast(), size_of_val(&count)) };
}
