//! Waiting until descriptors are ready, `epoll(7)`, and waking up a process
//! that waits, `eventfd(2)`.

use std::ffi::c_int;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::slice;

use nix::errno::Errno;

use super::fd::above_stdio;

/// The descriptor is readable, or the other end has shut down writing.
pub const READ: u32 = (libc::EPOLLIN | libc::EPOLLRDHUP) as u32;
/// The descriptor is readable, and the kernel wakes up only some of the
/// processes that wait for this descriptor.
pub const EXCLUSIVE_READ: u32 = (libc::EPOLLIN | libc::EPOLLEXCLUSIVE) as u32;
/// The descriptor is writable.
pub const WRITE: u32 = libc::EPOLLOUT as u32;
/// The descriptor has an error, or its other end is closed.
pub const FAILED: u32 = (libc::EPOLLERR | libc::EPOLLHUP) as u32;

/// The kernel reports an event once when it occurs, and not as long as it lasts.
const EDGE: u32 = libc::EPOLLET as u32;

/// The largest number of events that one wait returns.
const BATCH: usize = 64;

/// An event of one descriptor.
#[derive(Clone, Copy)]
pub struct Event {
    /// The bits of `READ`, `WRITE` and `FAILED` that apply to the descriptor
    /// now.
    pub events: u32,
    /// The key that [`Epoll::ctl`] has got for the descriptor.
    pub key: u64,
}

/// The memory for the events of one [`wait`]. It is not initialized, because a server
/// with few connections waits once for each request.
pub struct Batch(MaybeUninit<[libc::epoll_event; BATCH]>);

impl Batch {
    /// Makes the memory.
    pub const fn uninit() -> Self {
        Self(MaybeUninit::uninit())
    }
}

/// The events that [`wait`] has returned.
pub struct Events<'a>(&'a [libc::epoll_event]);

impl Events<'_> {
    /// The events of descriptors, with their keys. A call of [`wake`] is an event
    /// whose `events` are 0.
    pub fn iter(&self) -> impl Iterator<Item = Event> {
        self.0.iter().map(|event| Event {
            events: if event.u64 == WAKE { 0 } else { event.events },
            key: event.u64,
        })
    }
}

/// An epoll instance, and an eventfd with which [`wake`] ends a wait. Both are
/// close-on-exec.
pub struct Epoll {
    // Both are `None` after `Epoll::close`.
    pub(super) epoll: Option<OwnedFd>,
    pub(super) wake: Option<OwnedFd>,
    /// Watches the sockets of [`Epoll::watch_full`]. It is an instance of its
    /// own, since `epoll` may watch the same sockets for something else.
    full: Option<OwnedFd>,
    /// The sockets that `full` watches.
    watched: Vec<RawFd>,
}

/// The key of the events of the eventfd, and of the instance in `full`.
pub(super) const WAKE: u64 = u64::MAX;

/// Becomes the owner of the descriptor `fd`, the result of a system call.
/// Returns the errno if the system call failed.
///
/// # Safety
///
/// `fd` is -1, or new and without an owner.
unsafe fn new_fd(fd: c_int) -> Result<OwnedFd, Errno> {
    let fd = Errno::result(fd)?;

    // SAFETY: `fd` is not -1, so as this function demands it has no owner.
    above_stdio(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Changes what an epoll instance watches, `epoll_ctl(2)`.
pub(super) fn ctl(epoll: RawFd, op: c_int, fd: RawFd, events: u32, key: u64) -> Result<(), Errno> {
    let mut event = libc::epoll_event { events, u64: key };

    // SAFETY: the kernel reads `event`, which is local.
    Errno::result(unsafe { libc::epoll_ctl(epoll, op, fd, &raw mut event) }).map(drop)
}

impl Epoll {
    /// Makes an epoll instance that watches its eventfd.
    pub fn new() -> Result<Self, Errno> {
        // SAFETY: both system calls access no memory and return new
        // descriptors.
        let this = unsafe {
            Self {
                epoll: Some(new_fd(libc::epoll_create1(libc::EPOLL_CLOEXEC))?),
                wake: Some(new_fd(libc::eventfd(
                    0,
                    libc::EFD_CLOEXEC | libc::EFD_NONBLOCK,
                ))?),
                full: None,
                watched: Vec::new(),
            }
        };

        this.ctl(libc::EPOLL_CTL_ADD, this.waker(), READ, WAKE)?;

        Ok(this)
    }

    /// The epoll descriptor, for [`wait`].
    pub fn waiter(&self) -> RawFd {
        self.epoll.as_ref().map_or(-1, AsRawFd::as_raw_fd)
    }

    /// The eventfd, for [`wait`] and [`wake`].
    pub fn waker(&self) -> RawFd {
        self.wake.as_ref().map_or(-1, AsRawFd::as_raw_fd)
    }

    /// Closes the descriptors. In a forked process, they are copies of those of
    /// its parent. Async-signal-safe: frees no memory.
    pub fn close(&mut self) {
        self.epoll = None;
        self.wake = None;
        self.full = None;
    }

    /// Adds, changes or removes a descriptor, depending on `op`,
    /// `epoll_ctl(2)`. The events of the descriptor carry `key`.
    pub fn ctl(&self, op: c_int, fd: RawFd, events: u32, key: u64) -> Result<(), Errno> {
        ctl(self.waiter(), op, fd, events, key)
    }

    /// Removes a descriptor from the epoll instance.
    pub fn remove(&self, fd: RawFd) -> Result<(), Errno> {
        self.ctl(libc::EPOLL_CTL_DEL, fd, 0, 0)
    }

    /// Makes [`wait`] return when one of `sockets`, which are full, becomes
    /// writable, until [`Epoll::take_full`] is called. Sockets of an earlier call
    /// that are not in `sockets` are no longer watched.
    ///
    /// The events are edge-triggered: a socket that is writable, but takes no
    /// message for another reason, is reported once.
    pub fn watch_full(&mut self, sockets: Vec<RawFd>) -> Result<(), Errno> {
        if sockets.is_empty() {
            // A forked process may have a copy of `full`. So `epoll` would still
            // watch `full` after it is closed here.
            self.watched.clear();

            return self
                .full
                .take()
                .map_or(Ok(()), |full| self.remove(full.as_raw_fd()));
        }

        let full = match self.full.take() {
            Some(full) => full,
            None => self.new_full()?,
        };
        let watched = &self.watched;
        let change = |op, socket| {
            let _ = ctl(full.as_raw_fd(), op, socket, WRITE | EDGE, WAKE);
        };

        for &socket in sockets.iter().filter(|&socket| !watched.contains(socket)) {
            change(libc::EPOLL_CTL_ADD, socket);
        }

        for &socket in watched.iter().filter(|&socket| !sockets.contains(socket)) {
            change(libc::EPOLL_CTL_DEL, socket);
        }

        self.full = Some(full);
        self.watched = sockets;

        Ok(())
    }

    /// Takes the events of [`Epoll::watch_full`] that `wait` has reported.
    pub fn take_full(&self) {
        if let Some(full) = &self.full {
            let mut batch = [libc::epoll_event { events: 0, u64: 0 }; BATCH];

            // SAFETY: the kernel writes at most BATCH events to `batch`.
            unsafe { libc::epoll_wait(full.as_raw_fd(), batch.as_mut_ptr(), BATCH as c_int, 0) };
        }
    }

    fn new_full(&self) -> Result<OwnedFd, Errno> {
        // SAFETY: the call touches no memory and returns a new descriptor.
        let full = unsafe { new_fd(libc::epoll_create1(libc::EPOLL_CLOEXEC))? };

        self.ctl(libc::EPOLL_CTL_ADD, full.as_raw_fd(), READ, WAKE)?;

        Ok(full)
    }
}

/// Waits for events on [`Epoll::waiter`], `epoll_wait(2)`: at most `timeout`
/// milliseconds, or without limit if `timeout` is -1.
///
/// Returns the events, which are in `batch`.
pub fn wait(
    waiter: RawFd,
    waker: RawFd,
    batch: &mut Batch,
    timeout: c_int,
) -> Result<Events<'_>, Errno> {
    let first = batch.0.as_mut_ptr().cast();

    // SAFETY: the kernel writes at most BATCH events to `batch`, which has room for
    // BATCH events.
    let n = Errno::result(unsafe { libc::epoll_wait(waiter, first, BATCH as c_int, timeout) })?;
    let n = usize::try_from(n).unwrap_or_default();

    // SAFETY: the kernel has written `n` events to `batch`, and the result borrows
    // `batch`.
    let events = Events(unsafe { slice::from_raw_parts(first, n) });

    if events.iter().any(|event| event.key == WAKE) {
        drain(waker);
    }

    Ok(events)
}

/// Makes a call of `wait` return: the call that waits now, or else the next
/// one. Async-signal-safe.
pub fn wake(waker: RawFd) {
    // The write fails only if the counter of the eventfd is full, and then
    // `wait` returns too.
    let _ = super::fd::write(waker, &1u64.to_ne_bytes());
}

/// Sets the counter of the eventfd to 0.
pub fn drain(waker: RawFd) {
    let mut count = 0u64;

    // SAFETY: the kernel writes 8 bytes to `count`, whose size is 8 bytes.
    unsafe { libc::read(waker, (&raw mut count).cast(), size_of_val(&count)) };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::socket::stream_pair;

    /// The time limit for an event that comes at once, in milliseconds.
    const SOON: c_int = 20_000;

    /// The events and keys that are reported within `timeout` milliseconds.
    fn events(epoll: &Epoll, timeout: c_int) -> Vec<(u32, u64)> {
        wait(epoll.waiter(), epoll.waker(), &mut Batch::uninit(), timeout)
            .unwrap()
            .iter()
            .map(|event| (event.events, event.key))
            .collect()
    }

    #[test]
    fn events_are_reported_with_their_keys() {
        let mut epoll = Epoll::new().unwrap();
        let [ours, theirs] = stream_pair().unwrap();
        let fd = ours.as_raw_fd();

        assert_eq!(events(&epoll, 0), []);
        epoll.ctl(libc::EPOLL_CTL_ADD, fd, READ | WRITE, 5).unwrap();
        assert_eq!(events(&epoll, SOON), [(WRITE, 5)]);

        epoll.ctl(libc::EPOLL_CTL_MOD, fd, READ, 6).unwrap();
        assert_eq!(events(&epoll, 0), []);
        crate::sys::fd::write(theirs.as_raw_fd(), b"text").unwrap();
        assert_eq!(events(&epoll, SOON), [(libc::EPOLLIN as u32, 6)]);

        // A child of another test can have a copy of the descriptor, so that a close has
        // no effect yet.
        // SAFETY: the call has no pointers.
        unsafe { libc::shutdown(theirs.as_raw_fd(), libc::SHUT_RDWR) };
        assert_eq!(events(&epoll, SOON), [(READ | libc::EPOLLHUP as u32, 6)]);

        epoll.remove(fd).unwrap();
        assert_eq!(epoll.remove(fd), Err(Errno::ENOENT));
        assert_eq!(events(&epoll, 0), []);
        assert_eq!(FAILED, (libc::EPOLLERR | libc::EPOLLHUP) as u32);

        epoll.close();
        assert_eq!((epoll.waiter(), epoll.waker()), (-1, -1));
    }

    #[test]
    fn a_wait_is_ended_once() {
        let epoll = Epoll::new().unwrap();

        wake(epoll.waker());
        wake(epoll.waker());
        assert_eq!(events(&epoll, SOON), [(0, WAKE)]);
        assert_eq!(events(&epoll, 0), []);
    }

    fn fill(sock: RawFd) {
        let is_full = (0..10_000).any(|_| crate::sys::fd::write(sock, &[0; 4096]).is_err());

        assert!(is_full);
    }

    /// Makes a pair of sockets. The first one is full.
    fn full() -> [OwnedFd; 2] {
        let pair = stream_pair().unwrap();

        fill(pair[0].as_raw_fd());

        pair
    }

    fn empty(sock: &OwnedFd) {
        while nix::unistd::read(sock, &mut [0; 4096]).is_ok() {}
    }

    #[test]
    fn a_full_socket_is_reported_once_when_it_has_room() {
        let mut epoll = Epoll::new().unwrap();
        let (one, two) = (full(), full());
        let [first, second] = [&one[0], &two[0]].map(AsRawFd::as_raw_fd);
        let reported = [(0, WAKE)];

        epoll.watch_full(vec![first]).unwrap();
        assert_eq!(events(&epoll, 0), []);
        empty(&one[1]);
        assert_eq!(events(&epoll, SOON), reported);
        epoll.take_full();
        assert_eq!(events(&epoll, 0), []);

        // The first socket is not watched any more, but the second one is.
        epoll.watch_full(vec![second]).unwrap();
        fill(first);
        empty(&one[1]);
        assert_eq!(events(&epoll, 0), []);
        empty(&two[1]);
        assert_eq!(events(&epoll, SOON), reported);

        epoll.watch_full(Vec::new()).unwrap();
        assert_eq!(events(&epoll, 0), []);
    }
}
