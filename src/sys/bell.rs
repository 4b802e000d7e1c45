//! Descriptors with which a process wakes up another one, `eventfd(2)`.

use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

use nix::errno::Errno;

use super::fd::above_stdio;

/// An eventfd, close-on-exec and non-blocking.
pub struct Bell(OwnedFd);

impl Bell {
    /// Makes an eventfd whose counter is 0.
    pub fn new() -> Result<Self, Errno> {
        // SAFETY: eventfd() accesses no memory.
        let fd = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) };
        let fd = Errno::result(fd)?;

        // SAFETY: eventfd() has just made the descriptor, so it has no owner.
        above_stdio(unsafe { OwnedFd::from_raw_fd(fd) }).map(Self)
    }

    /// The descriptor, which is readable after [`Bell::ring`].
    pub fn fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }

    /// Makes the descriptor readable.
    pub fn ring(&self) {
        let one = 1_u64.to_ne_bytes();

        // The write fails only if the counter is full, and then the descriptor
        // is readable.
        // SAFETY: the kernel reads the 8 bytes of `one`, which is local.
        unsafe { libc::write(self.fd(), one.as_ptr().cast(), one.len()) };
    }

    /// Makes the descriptor unreadable, until it is rung again.
    pub fn silence(&self) {
        let mut count = [0; 8];

        // The read fails only if the counter is 0, and then the descriptor is
        // not readable.
        // SAFETY: the kernel writes at most the 8 bytes of `count`, which is
        // local.
        unsafe { libc::read(self.fd(), count.as_mut_ptr().cast(), count.len()) };
    }
}
