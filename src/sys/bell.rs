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
        if matches!(self.kind, Kind::Socket) {
            return;
        }

        // All processes share the flag O_NONBLOCK of the eventfd. One of them can clear
        // it and then be the first to read the counter, so that read(2) would wait.
        if let Err(Errno::EOPNOTSUPP | Errno::ENOSYS) = read_without_waiting(self.fd()) {
            read(self.fd());
        }
    }
}

/// Reads the counter of an eventfd, `preadv2(2)` with RWF_NOWAIT. Fails with `EAGAIN` if
/// the counter is 0, with `EOPNOTSUPP` if the kernel is older than Linux 5.8, and with
/// `ENOSYS` if it is older than Linux 4.6. musl has no function for the call.
fn read_without_waiting(fd: RawFd) -> Result<(), Errno> {
    let mut count = [0; 8];
    let to = libc::iovec {
        iov_base: count.as_mut_ptr().cast(),
        iov_len: count.len(),
    };

    // The offset is -1, in two parts, of which a kernel of 64 bits reads the first.
    let (offset, high): (libc::c_long, libc::c_long) = (-1, 0);

    // SAFETY: the kernel writes at most the 8 bytes of `count`, which is local.
    Errno::result(unsafe {
        libc::syscall(
            libc::SYS_preadv2,
            fd,
            &raw const to,
            1,
            offset,
            high,
            libc::RWF_NOWAIT,
        )
    })
    .map(drop)
}

/// Reads the counter of an eventfd.
fn read(fd: RawFd) {
    let mut count = [0; 8];

    // The read fails only if the counter is 0, and then the descriptor is not
    // readable.
    // SAFETY: the kernel writes at most the 8 bytes of `count`, which is local.
    unsafe { libc::read(fd, count.as_mut_ptr().cast(), count.len()) };
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

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::thread;
    use std::time::Duration;

    use super::*;

    /// Whether the descriptor is readable, after `poll(2)`.
    fn is_readable(bell: &Bell) -> bool {
        let mut fds = libc::pollfd {
            fd: bell.fd(),
            events: libc::POLLIN,
            revents: 0,
        };

        // SAFETY: the kernel writes `fds`, which is local.
        unsafe { libc::poll(&raw mut fds, 1, 0) == 1 }
    }

    #[test]
    fn a_bell_is_readable_until_it_is_silenced() {
        let bell = Bell::new().unwrap();

        assert!(!is_readable(&bell));
        bell.ring();
        bell.ring();
        assert!(is_readable(&bell));
        bell.silence();
        assert!(!is_readable(&bell));
        bell.silence();
    }

    #[test]
    fn another_process_cannot_make_the_owner_of_a_bell_wait() {
        let bell = Bell::new().unwrap();

        if read_without_waiting(bell.fd()) == Err(Errno::EOPNOTSUPP) {
            println!("skipped: this kernel has no RWF_NOWAIT for an eventfd");
            return;
        }

        // SAFETY: F_SETFL accesses no memory.
        assert_eq!(unsafe { libc::fcntl(bell.fd(), libc::F_SETFL, 0) }, 0);

        thread::scope(|scope| {
            let (done, is_done) = mpsc::channel();
            let bell = &bell;

            scope.spawn(move || {
                bell.silence();
                done.send(()).unwrap();
            });

            let result = is_done.recv_timeout(Duration::from_secs(20));

            // A read that waits returns now.
            bell.ring();
            assert_eq!(result, Ok(()));
        });
    }
}
