//! An epoll instance that the event loop of another library watches, `epoll(7)`.

use std::os::fd::{OwnedFd, RawFd};

use nix::errno::Errno;

use super::epoll::{Epoll, READ, WAKE, ctl};

/// An epoll instance that an event loop of the program watches: it is readable
/// while one of the descriptors in it is. Close-on-exec.
pub struct Nested {
    /// The epoll descriptor.
    pub epoll: OwnedFd,
    /// An eventfd in the epoll instance, for [`epoll::wake`](super::epoll::wake) and
    /// [`epoll::drain`](super::epoll::drain).
    pub wake: OwnedFd,
}

impl Nested {
    /// Makes an epoll instance that watches its eventfd.
    pub fn new() -> Result<Self, Errno> {
        let Epoll { epoll, wake, .. } = Epoll::new()?;

        Ok(Self {
            epoll: epoll.ok_or(Errno::EBADF)?,
            wake: wake.ok_or(Errno::EBADF)?,
        })
    }
}

/// Makes the epoll instance `epoll` readable while `fd` is readable.
pub fn add(epoll: RawFd, fd: RawFd) -> Result<(), Errno> {
    ctl(epoll, libc::EPOLL_CTL_ADD, fd, READ, WAKE)
}

/// Removes `fd` from the epoll instance `epoll`. If a forked process has a copy of
/// `fd`, the kernel still watches it after `fd` is closed here, `epoll(7)`.
pub fn remove(epoll: RawFd, fd: RawFd) -> Result<(), Errno> {
    ctl(epoll, libc::EPOLL_CTL_DEL, fd, 0, WAKE)
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsRawFd;

    use super::*;
    use crate::sys::epoll::{Batch, drain, wait, wake};
    use crate::sys::process::pipe;

    /// Whether `epoll` reports an event, and the key of the event.
    fn reported(epoll: &Epoll) -> Option<(u32, u64)> {
        let mut batch = Batch::uninit();
        let events = wait(epoll.waiter(), epoll.waker(), &mut batch, 0).unwrap();

        events.iter().map(|event| (event.events, event.key)).next()
    }

    #[test]
    fn a_nested_instance_is_readable_while_a_descriptor_is() {
        let nested = Nested::new().unwrap();
        let outer = Epoll::new().unwrap();
        let (reader, writer) = pipe().unwrap();
        let inner = nested.epoll.as_raw_fd();

        outer.ctl(libc::EPOLL_CTL_ADD, inner, READ, 1).unwrap();
        add(inner, reader.as_raw_fd()).unwrap();
        assert_eq!(reported(&outer), None);
        crate::sys::fd::write(writer.as_raw_fd(), b"x").unwrap();
        assert_eq!(reported(&outer), Some((libc::EPOLLIN as u32, 1)));
        remove(inner, reader.as_raw_fd()).unwrap();
        assert_eq!(reported(&outer), None);

        wake(nested.wake.as_raw_fd());
        assert_eq!(reported(&outer), Some((libc::EPOLLIN as u32, 1)));
        drain(nested.wake.as_raw_fd());
        assert_eq!(reported(&outer), None);
    }
}
