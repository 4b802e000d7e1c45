//! Descriptors with which a process wakes up another one: `eventfd(2)` for a
//! process that waits in an event loop, and sockets for one that waits in
//! `sigsuspend(2)`.

use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

use nix::errno::Errno;

use super::fd::above_stdio;
use super::{process, socket};

/// A descriptor to which others write to wake up a process: close-on-exec and
/// non-blocking.
pub struct Bell {
    fd: OwnedFd,
    kind: Kind,
}

#[derive(Clone, Copy)]
enum Kind {
    /// An eventfd, which the process itself watches.
    Event,
    /// One of two connected sockets. The process has the other one.
    Socket,
}

impl Bell {
    /// Makes an eventfd whose counter is 0.
    pub fn new() -> Result<Self, Errno> {
        // SAFETY: eventfd() accesses no memory.
        let fd = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) };
        let fd = Errno::result(fd)?;

        // SAFETY: eventfd() has just made the descriptor, so it has no owner.
        let fd = above_stdio(unsafe { OwnedFd::from_raw_fd(fd) })?;

        Ok(Self {
            fd,
            kind: Kind::Event,
        })
    }

    /// Takes over an eventfd that another program has made with [`Bell::new`].
    pub fn inherited_event(fd: OwnedFd) -> Self {
        Self {
            fd,
            kind: Kind::Event,
        }
    }

    /// Takes over a socket that another program has made with [`Bell::with_signal`].
    pub fn inherited_socket(fd: OwnedFd) -> Self {
        Self {
            fd,
            kind: Kind::Socket,
        }
    }

    /// Makes a bell, and the socket on which another process receives what was
    /// written. [`send_signals_to_us`] makes that process get SIGIO.
    ///
    /// The two sockets are two open files. So a process that has only the bell
    /// can change neither the signal nor its receiver (`D30`).
    pub fn with_signal() -> Result<(Self, OwnedFd), Errno> {
        let [own, fd] = socket::stream_pair()?;
        let bell = Self {
            fd,
            kind: Kind::Socket,
        };

        Ok((bell, own))
    }

    /// The descriptor. That of an eventfd is readable after [`Bell::ring`].
    pub fn fd(&self) -> RawFd {
        self.fd.as_raw_fd()
    }

    /// Makes an eventfd readable, or sends the signal.
    pub fn ring(&self) {
        match self.kind {
            Kind::Event => self.add_one(),
            // If the socket is full, the process has a signal that it has not
            // handled yet.
            Kind::Socket => {
                let _ = socket::send_byte(self.fd());
            }
        }
    }

    fn add_one(&self) {
        let one = 1_u64.to_ne_bytes();

        // The write fails only if the counter is full, and then the descriptor
        // is readable.
        // SAFETY: the kernel reads the 8 bytes of `one`, which is local.
        unsafe { libc::write(self.fd(), one.as_ptr().cast(), one.len()) };
    }

    /// Makes an eventfd unreadable, until it is rung again. Does nothing with a
    /// socket.
    pub fn silence(&self) {
        let mut count = [0; 8];

        if matches!(self.kind, Kind::Socket) {
            return;
        }

        // The read fails only if the counter is 0, and then the descriptor is
        // not readable.
        // SAFETY: the kernel writes at most the 8 bytes of `count`, which is
        // local.
        unsafe { libc::read(self.fd(), count.as_mut_ptr().cast(), count.len()) };
    }
}

/// Makes the kernel send this process SIGIO when something arrives at `fd`, `O_ASYNC`
/// and `F_SETOWN` of `fcntl(2)`.
pub fn send_signals_to_us(fd: RawFd) -> Result<(), Errno> {
    set_owner(fd)?;
    set_signals(fd, true)
}

/// Makes this process the receiver of the signals of `fd`.
fn set_owner(fd: RawFd) -> Result<(), Errno> {
    // SAFETY: F_SETOWN accesses no memory.
    Errno::result(unsafe { libc::fcntl(fd, libc::F_SETOWN, process::getpid()) }).map(drop)
}

/// Sets whether the owner of `fd` gets SIGIO when something arrives. The
/// descriptor is non-blocking. Async-signal-safe.
pub fn set_signals(fd: RawFd, are_sent: bool) -> Result<(), Errno> {
    let flags = if are_sent { libc::O_ASYNC } else { 0 };

    // SAFETY: F_SETFL accesses no memory.
    Errno::result(unsafe { libc::fcntl(fd, libc::F_SETFL, libc::O_NONBLOCK | flags) }).map(drop)
}
