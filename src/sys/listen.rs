//! Listening sockets.

use std::fmt;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::path::Path;

use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, Backlog, SockFlag, SockType, SockaddrStorage, UnixAddr, bind, getsockname,
    listen, setsockopt, socket, sockopt,
};

use super::fd::above_stdio;
use super::path::CPath;

/// An address on which a program listens: `HOST:PORT` with a numeric host, or
/// `unix:PATH`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Address<'a> {
    /// An IPv4 or IPv6 address and its port.
    Inet(SocketAddr),
    /// The path of a Unix socket.
    Unix(&'a Path),
}

impl<'a> Address<'a> {
    /// Parses an address; `None` if the text is not an address.
    pub fn parse(text: &'a str) -> Option<Self> {
        match text.strip_prefix("unix:") {
            Some("") => None,
            Some(path) => Some(Self::Unix(Path::new(path))),
            None => text.parse().ok().map(Self::Inet),
        }
    }

    /// The path of a Unix socket; `None` for an IPv4 or IPv6 address.
    pub fn path(self) -> Option<&'a Path> {
        match self {
            Self::Unix(path) => Some(path),
            Self::Inet(_) => None,
        }
    }

    /// Binds the socket `fd` to this address, `bind(2)`.
    fn bind(self, fd: RawFd) -> Result<(), Errno> {
        match self {
            Self::Inet(addr) => bind(fd, &SockaddrStorage::from(addr)),
            Self::Unix(path) => bind(fd, &UnixAddr::new(CPath::of(path)?.as_c_str())?),
        }
    }

    /// Whether the socket `fd` is bound to this address.
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
                .is_some_and(|name| name.path() == Some(*path)),
        }
    }
}

impl fmt::Display for Address<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Inet(addr) => addr.fmt(f),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// The system call that failed, with its errno.
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

/// Makes a socket that listens on `address`, non-blocking and close-on-exec.
pub fn open(address: Address<'_>, backlog: i32) -> Result<OwnedFd, Failure> {
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

    address.bind(sock.as_raw_fd()).map_err(Failure::Bind)?;

    let backlog = Backlog::new(backlog).unwrap_or(Backlog::MAXALLOWABLE);

    listen(&sock, backlog).map_err(Failure::Listen)?;

    Ok(sock)
}

/// Becomes the owner of a listening socket that this program has inherited from
/// the program that executed it. `None` if `fd` is not a socket.
pub fn inherit(fd: RawFd) -> Option<OwnedFd> {
    getsockname::<SockaddrStorage>(fd).ok()?;

    // SAFETY: F_SETFD accesses no memory.
    unsafe {
        libc::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC);
    }

    // SAFETY: the program that executed this one has opened the socket, so the
    // socket has no owner in this process, and callers pass each number only
    // once.
    Some(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Clears close-on-exec of `fd`, so that a program that this process executes
/// inherits `fd`. Async-signal-safe.
pub fn hand_down(fd: RawFd) {
    // SAFETY: F_SETFD accesses no memory.
    unsafe { libc::fcntl(fd, libc::F_SETFD, 0) };
}

/// Accepts a connection, non-blocking and close-on-exec, `accept4(2)`.
pub fn accept(fd: RawFd) -> Result<OwnedFd, Errno> {
    let flags = libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC;

    // SAFETY: the kernel writes no address, because both pointers are NULL.
    let fd = Errno::result(unsafe {
        libc::accept4(fd, std::ptr::null_mut(), std::ptr::null_mut(), flags)
    })?;

    // SAFETY: accept4() has just made the descriptor, so it has no owner.
    above_stdio(unsafe { OwnedFd::from_raw_fd(fd) })
}

#[cfg(test)]
mod tests {
    use nix::sys::socket::SockaddrLike;

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
        let sock = open(any, 5).unwrap();
        let name = getsockname::<SockaddrStorage>(sock.as_raw_fd()).unwrap();
        let text = name.to_string();
        let bound = Address::parse(&text).unwrap();

        assert!(bound.is_of(sock.as_raw_fd()));
        assert!(!any.is_of(sock.as_raw_fd()));
        assert_eq!(
            open(bound, 5).unwrap_err(),
            Failure::Bind(Errno::EADDRINUSE)
        );
    }

    /// The path of a Unix socket for the test `name`.
    fn socket_path(name: &str) -> String {
        let file = format!("ngx-ipc-{name}-{}", std::process::id());

        std::env::temp_dir().join(file).display().to_string()
    }

    fn is_close_on_exec(sock: &OwnedFd) -> bool {
        // SAFETY: F_GETFD accesses no memory.
        unsafe { libc::fcntl(sock.as_raw_fd(), libc::F_GETFD) == libc::FD_CLOEXEC }
    }

    #[test]
    fn sockets_of_all_families_accept_connections() {
        let path = socket_path("families");
        let unix = format!("unix:{path}");
        let others = ["127.0.0.1:1", "[::1]:1", "unix:/nonexistent"].map(Address::parse);

        for text in ["127.0.0.1:0", "[::1]:0", &unix] {
            let sock = match open(Address::parse(text).unwrap(), 5) {
                // A system can have no IPv6.
                Err(Failure::Socket(_) | Failure::Bind(Errno::EADDRNOTAVAIL)) => continue,
                result => result.unwrap(),
            };
            let fd = sock.as_raw_fd();
            let name = getsockname::<SockaddrStorage>(fd).unwrap();
            let bound = name.to_string();
            let bound = Address::parse(text.strip_suffix(":0").map_or(text, |_| &bound)).unwrap();

            assert!(bound.is_of(fd), "{text}");
            assert!(others.iter().all(|other| !other.unwrap().is_of(fd)));
            assert!(is_close_on_exec(&sock) && fd > libc::STDERR_FILENO);
            // The socket is non-blocking, so this call returns.
            assert_eq!(accept(fd).err(), Some(Errno::EAGAIN));

            let family = name.family().unwrap();
            let client = socket(family, SockType::Stream, SockFlag::empty(), None).unwrap();

            nix::sys::socket::connect(client.as_raw_fd(), &name).unwrap();

            let accepted = accept(fd).unwrap();

            assert!(is_close_on_exec(&accepted));
            assert!(!crate::sys::socket::is_blocking(accepted.as_raw_fd()));
        }

        std::fs::remove_file(path).unwrap();
    }

    #[test]
    fn only_unix_sockets_have_paths() {
        let unix = Address::parse("unix:/tmp/x.sock").unwrap();

        assert_eq!(unix.path(), Some(Path::new("/tmp/x.sock")));
        assert_eq!(Address::parse("127.0.0.1:80").unwrap().path(), None);
    }

    #[test]
    fn a_socket_is_handed_down_and_inherited() {
        let path = socket_path("inherit");
        let address = format!("unix:{path}");
        let sock = open(Address::parse(&address).unwrap(), 5).unwrap();

        hand_down(sock.as_raw_fd());
        assert!(!is_close_on_exec(&sock));

        // The number has no owner any more, as after execve(2).
        let fd = std::os::fd::IntoRawFd::into_raw_fd(sock);
        let inherited = inherit(fd).unwrap();

        assert_eq!(inherited.as_raw_fd(), fd);
        assert!(is_close_on_exec(&inherited));
        assert!(Address::parse(&address).unwrap().is_of(fd));

        let file = std::fs::File::open("/dev/null").unwrap();

        assert!(inherit(file.as_raw_fd()).is_none());
        std::fs::remove_file(path).unwrap();
    }
}
