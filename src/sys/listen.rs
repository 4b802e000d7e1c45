//! Listening sockets.

use std::fmt;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, Backlog, SockFlag, SockType, SockaddrLike, SockaddrStorage, UnixAddr, bind,
    getsockname, listen, setsockopt, socket, sockopt,
};

use super::fd::above_stdio;

/// Where a program listens: `HOST:PORT` with a numeric host, `unix:PATH`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// IPv4 or IPv6.
    Inet(SocketAddr),
    /// A Unix socket.
    Unix(PathBuf),
}

impl Address {
    /// Reads an address; `None` if it is none.
    pub fn parse(text: &str) -> Option<Self> {
        match text.strip_prefix("unix:") {
            Some("") => None,
            Some(path) => Some(Self::Unix(path.into())),
            None => text.parse().ok().map(Self::Inet),
        }
    }

    /// The path of a Unix socket.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Unix(path) => Some(path),
            Self::Inet(_) => None,
        }
    }

    fn storage(&self) -> Result<Box<dyn SockaddrLike>, Errno> {
        Ok(match self {
            Self::Inet(addr) => Box::new(SockaddrStorage::from(*addr)),
            Self::Unix(path) => Box::new(UnixAddr::new(path)?),
        })
    }

    /// Whether the socket `fd` is bound to it.
    pub fn is_of(&self, fd: RawFd) -> bool {
        let Ok(name) = getsockname::<SockaddrStorage>(fd) else {
            return false;
        };

        match self {
            Self::Inet(SocketAddr::V4(addr)) => name
                .as_sockaddr_in()
                .is_some_and(|name| *addr == (*name).into()),
            Self::Inet(SocketAddr::V6(addr)) => name
                .as_sockaddr_in6()
                .is_some_and(|name| *addr == (*name).into()),
            Self::Unix(path) => name
                .as_unix_addr()
                .is_some_and(|name| name.path() == Some(path)),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Inet(addr) => addr.fmt(f),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// The call that failed, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// `socket(2)`.
    Socket(Errno),
    /// `setsockopt(SO_REUSEADDR)`.
    ReuseAddr(Errno),
    /// `bind(2)`.
    Bind(Errno),
    /// `listen(2)`.
    Listen(Errno),
}

/// Makes a non-blocking, close-on-exec socket that listens on `address`.
pub fn open(address: &Address, backlog: i32) -> Result<OwnedFd, Failure> {
    let family = match address {
        Address::Inet(SocketAddr::V4(_)) => AddressFamily::Inet,
        Address::Inet(SocketAddr::V6(_)) => AddressFamily::Inet6,
        Address::Unix(_) => AddressFamily::Unix,
    };
    let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;

    let sock = socket(family, SockType::Stream, flags, None)
        .and_then(above_stdio)
        .map_err(Failure::Socket)?;

    setsockopt(&sock, sockopt::ReuseAddr, &true).map_err(Failure::ReuseAddr)?;

    let storage = address.storage().map_err(Failure::Bind)?;

    bind(sock.as_raw_fd(), &*storage).map_err(Failure::Bind)?;

    let backlog = Backlog::new(backlog).unwrap_or(Backlog::MAXALLOWABLE);

    listen(&sock, backlog).map_err(Failure::Listen)?;

    Ok(sock)
}

/// Takes over a listening socket that another binary has handed down, under a
/// number from the environment; `None` if that number is no socket.
pub fn inherit(fd: RawFd) -> Option<OwnedFd> {
    getsockname::<SockaddrStorage>(fd).ok()?;

    // SAFETY: fcntl() touches no memory.
    unsafe {
        libc::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC);
    }

    // SAFETY: it was opened for this program by the one that executed it, and
    // each number is taken over once.
    Some(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Has a program that is executed inherit `fd`; for a forked child.
pub fn hand_down(fd: RawFd) {
    // SAFETY: fcntl() touches no memory.
    unsafe { libc::fcntl(fd, libc::F_SETFD, 0) };
}

/// Accepts a connection, non-blocking and close-on-exec, `accept4(2)`.
pub fn accept(fd: RawFd) -> Result<OwnedFd, Errno> {
    let flags = libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC;

    // SAFETY: without room for it no address is written.
    let fd = Errno::result(unsafe {
        libc::accept4(fd, std::ptr::null_mut(), std::ptr::null_mut(), flags)
    })?;

    // SAFETY: the kernel has just made it.
    above_stdio(unsafe { OwnedFd::from_raw_fd(fd) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for text in ["127.0.0.1:80", "[::1]:8080", "unix:/tmp/x.sock"] {
            assert_eq!(Address::parse(text).unwrap().to_string(), text);
        }

        for text in [
            "",
            "80",
            "localhost:80",
            "unix:",
            "127.0.0.1",
            "1.2.3.4:70000",
        ] {
            assert_eq!(Address::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_socket_is_recognised_by_its_address() {
        let any = Address::parse("127.0.0.1:0").unwrap();
        let sock = open(&any, 5).unwrap();
        let name = getsockname::<SockaddrStorage>(sock.as_raw_fd()).unwrap();
        let bound = Address::parse(&name.to_string()).unwrap();

        assert!(bound.is_of(sock.as_raw_fd()));
        assert!(!any.is_of(sock.as_raw_fd()));
        assert_eq!(
            open(&bound, 5).unwrap_err(),
            Failure::Bind(Errno::EADDRINUSE)
        );
    }
}
