//! Descriptors that this program has inherited from the program that has executed
//! it.

use std::mem::MaybeUninit;
use std::os::fd::{FromRawFd, OwnedFd, RawFd};

use super::{memory_file, socket};

/// A descriptor that was inherited.
#[derive(Debug)]
pub enum Inherited {
    /// A file in memory, with its size in bytes, see [`memory_file`].
    Memory(OwnedFd, usize),
    /// A descriptor without a file, as `eventfd(2)` makes it.
    Event(OwnedFd),
    /// A Unix socket that keeps the bounds of messages.
    Socket(OwnedFd),
    /// A connected Unix stream socket.
    Stream(OwnedFd),
}

impl Inherited {
    /// Becomes the owner of a descriptor of one of these kinds, and sets
    /// close-on-exec. `None`, without a change, if the descriptor is something
    /// else, or is not inherited: descriptors that this library opens have
    /// close-on-exec. So a number in an environment variable cannot make this
    /// program lose a file of its own, or have two owners of one descriptor.
    pub fn take(fd: RawFd) -> Option<Self> {
        if fd <= libc::STDERR_FILENO || !is_inherited(fd) {
            return None;
        }

        let make: fn(OwnedFd) -> Self = match (memory_file::size(fd), file_type(fd)?) {
            (Some(size), _) => return Some(Self::Memory(own(fd), size)),
            (None, 0) => Self::Event,
            (None, libc::S_IFSOCK) if socket::is_of_messages(fd) => Self::Socket,
            (None, libc::S_IFSOCK) if socket::is_connected_stream(fd) => Self::Stream,
            _ => return None,
        };

        Some(make(own(fd)))
    }
}

/// Whether close-on-exec is not set, `F_GETFD` of `fcntl(2)`.
fn is_inherited(fd: RawFd) -> bool {
    // SAFETY: F_GETFD accesses no memory.
    unsafe { libc::fcntl(fd, libc::F_GETFD) == 0 }
}

/// The type of a file, `fstat(2)`; 0 if a descriptor has no file.
fn file_type(fd: RawFd) -> Option<libc::mode_t> {
    let mut stat = MaybeUninit::<libc::stat>::uninit();

    // SAFETY: the kernel writes `stat`, which is local.
    if unsafe { libc::fstat(fd, stat.as_mut_ptr()) } != 0 {
        return None;
    }

    // SAFETY: the call has succeeded, so the kernel has written `stat`.
    Some(unsafe { stat.assume_init() }.st_mode & libc::S_IFMT)
}

fn own(fd: RawFd) -> OwnedFd {
    // SAFETY: F_SETFD accesses no memory.
    unsafe { libc::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC) };

    // SAFETY: `take` has found that the descriptor is open, and that close-on-exec
    // was not set. All owned descriptors have close-on-exec, so this one has no
    // owner.
    unsafe { OwnedFd::from_raw_fd(fd) }
}

#[cfg(test)]
mod tests {
    use std::os::fd::{AsRawFd, IntoRawFd};

    use super::*;
    use crate::sys::bell::Bell;
    use crate::sys::listen::hand_down;

    #[test]
    fn each_kind_is_taken_once() {
        let memory = memory_file::create(4096).unwrap().into_raw_fd();
        let [socket, _peer] = socket::socketpair().unwrap();
        let socket = socket.into_raw_fd();

        assert!(Inherited::take(memory).is_none(), "close-on-exec");

        hand_down(memory);
        hand_down(socket);

        let taken = Inherited::take(memory);

        assert!(matches!(taken, Some(Inherited::Memory(_, 4096))));
        assert!(Inherited::take(memory).is_none(), "taken already");
        assert!(matches!(
            Inherited::take(socket),
            Some(Inherited::Socket(_))
        ));
    }

    /// An address that no other process uses. Processes in other PID namespaces can have
    /// the same pid.
    fn unnamed() -> std::os::unix::net::SocketAddr {
        use std::os::linux::net::SocketAddrExt;

        let namespace = std::fs::read_link("/proc/self/ns/pid").unwrap();
        let name = format!("{} {}", std::process::id(), namespace.display());

        std::os::unix::net::SocketAddr::from_abstract_name(name).unwrap()
    }

    #[test]
    fn other_descriptors_are_left_alone() {
        let bell = Bell::new().unwrap();
        let file = std::fs::File::open("/dev/null").unwrap();

        hand_down(file.as_raw_fd());

        let listening = std::os::unix::net::UnixListener::bind_addr(&unnamed()).unwrap();

        hand_down(listening.as_raw_fd());

        for fd in [
            -1,
            0,
            1,
            2,
            1_000_000,
            file.as_raw_fd(),
            bell.fd(),
            listening.as_raw_fd(),
        ] {
            assert!(Inherited::take(fd).is_none(), "{fd}");
        }
    }
}
