//! Listening sockets.

use std::ffi::c_int;
use std::os::fd::{AsRawFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};

use nix::errno::Errno;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, setsockopt, socket, sockopt};

use super::address::Address;
use super::fd::{above_stdio, duplicate};
use super::file;
use super::socket::int_option;
use super::unix_socket::{self, Rights};

/// What a socket receives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Connections, SOCK_STREAM of `socket(2)`.
    Stream,
    /// Datagrams, SOCK_DGRAM.
    Datagram,
}

impl Kind {
    fn socket_type(self) -> SockType {
        match self {
            Self::Stream => SockType::Stream,
            Self::Datagram => SockType::Datagram,
        }
    }
}

/// How a socket listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// What it receives.
    pub kind: Kind,
    /// The number of connections that wait to be accepted, see `listen(2)`.
    pub backlog: c_int,
    /// Whether an IPv6 socket refuses IPv4, IPV6_V6ONLY of `ipv6(7)`.
    pub ipv6only: bool,
    /// Whether other sockets can be bound to the same address, SO_REUSEPORT of
    /// `socket(7)`.
    pub reuseport: bool,
}

/// The system call that failed, with its errno.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// `socket(2)`.
    Socket(Errno),
    /// `setsockopt(2)` of the option with this name.
    Option(&'static str, Errno),
    /// `bind(2)`.
    Bind(Errno),
    /// `listen(2)`.
    Listen(Errno),
}

/// Makes a socket that listens on `address`, non-blocking and close-on-exec. The file of a
/// Unix socket gets `rights`.
///
/// Returns the system call that failed, and leaves neither a socket nor a file.
pub fn open(address: Address<'_>, options: Options, rights: Rights) -> Result<OwnedFd, Failure> {
    let family = address.family().ok_or(Failure::Socket(Errno::EINVAL))?;
    let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;

    let sock = socket(family, options.kind.socket_type(), flags, None)
        .and_then(above_stdio)
        .map_err(Failure::Socket)?;

    // For datagrams the option would let two programs have the same address.
    if options.kind == Kind::Stream {
        setsockopt(&sock, sockopt::ReuseAddr, &true)
            .map_err(|err| Failure::Option("SO_REUSEADDR", err))?;
    }

    if options.reuseport {
        share_address(sock.as_raw_fd()).map_err(|err| Failure::Option("SO_REUSEPORT", err))?;
    }

    if family == AddressFamily::Inet6 {
        set_option(
            sock.as_raw_fd(),
            libc::IPPROTO_IPV6,
            libc::IPV6_V6ONLY,
            options.ipv6only.into(),
        )
        .map_err(|err| Failure::Option("IPV6_V6ONLY", err))?;
    }

    match address.path() {
        Some(path) => unix_socket::bind(&sock, path, rights),
        None => address.bind(sock.as_raw_fd()),
    }
    .map_err(Failure::Bind)?;

    if options.kind == Kind::Stream {
        listen(sock.as_raw_fd(), options.backlog)
            .inspect_err(|_| remove_file(address))
            .map_err(Failure::Listen)?;
    }

    Ok(sock)
}

/// Removes the file of a Unix socket that this process has bound and not closed yet. No
/// other process of this library has replaced the file, because the socket still belongs
/// to it.
fn remove_file(address: Address<'_>) {
    if let Some(path) = address.path() {
        let _ = file::remove(path);
    }
}

/// Makes a socket listen, `listen(2)`. If the socket listens already, this changes
/// its backlog.
pub fn listen(fd: RawFd, backlog: c_int) -> Result<(), Errno> {
    // SAFETY: listen() accesses no memory.
    Errno::result(unsafe { libc::listen(fd, backlog) }).map(drop)
}

/// Lets other sockets be bound to the address of the socket `fd`, SO_REUSEPORT of
/// `socket(7)`.
pub fn share_address(fd: RawFd) -> Result<(), Errno> {
    set_option(fd, libc::SOL_SOCKET, libc::SO_REUSEPORT, 1)
}

/// Sets an option that is an int, `setsockopt(2)`.
pub fn set_option(fd: RawFd, level: c_int, option: c_int, value: c_int) -> Result<(), Errno> {
    let len = size_of_val(&value) as libc::socklen_t;

    // SAFETY: the kernel reads `len` bytes of `value`, which is local.
    Errno::result(unsafe { libc::setsockopt(fd, level, option, (&raw const value).cast(), len) })
        .map(drop)
}

/// Whether the socket `fd` is of the kind `kind`, SO_TYPE of `socket(7)`.
pub fn is_of_kind(fd: RawFd, kind: Kind) -> bool {
    int_option(fd, libc::SO_TYPE) == Ok(kind.socket_type() as c_int)
}

/// Becomes the owner of a listening socket that this program has inherited from
/// the program that executed it, and makes the socket non-blocking and
/// close-on-exec.
///
/// Returns `EBADF` if `fd` is not open, and `ENOTSOCK` if it is no socket.
pub fn inherit(fd: RawFd) -> Result<OwnedFd, Errno> {
    int_option(fd, libc::SO_TYPE)?;

    // SAFETY: these commands of fcntl() access no memory.
    unsafe {
        let flags = libc::fcntl(fd, libc::F_GETFL);

        Errno::result(libc::fcntl(fd, libc::F_SETFL, flags | libc::O_NONBLOCK))?;
        libc::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC);
    }

    // SAFETY: the program that executed this one has opened the socket, so the
    // socket has no owner in this process, and callers pass each number only
    // once.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Becomes the owner of an inherited socket as [`inherit`] does.
///
/// Returns in addition `EINVAL` if `fd` is a socket for connections that does not listen,
/// such as an accepted connection. After an error `fd` is close-on-exec, and open if it
/// was open.
pub fn inherit_listening(fd: RawFd) -> Result<OwnedFd, Errno> {
    // SAFETY: F_SETFD accesses no memory.
    unsafe { libc::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC) };

    if int_option(fd, libc::SO_TYPE)? != libc::SOCK_DGRAM
        && int_option(fd, libc::SO_ACCEPTCONN)? == 0
    {
        return Err(Errno::EINVAL);
    }

    inherit(fd)
}

/// Becomes the owner of a socket of the kind `kind` that is open already, and makes it
/// non-blocking and close-on-exec. A descriptor up to stderr stays open, and the result
/// is a duplicate.
///
/// Returns `ENOTSOCK` if `fd` is no socket, and `EPROTOTYPE` if it is a socket of
/// another kind.
pub fn adopt(fd: RawFd, kind: Kind) -> Result<OwnedFd, Errno> {
    if int_option(fd, libc::SO_TYPE)? != kind.socket_type() as c_int {
        return Err(Errno::EPROTOTYPE);
    }

    if fd > libc::STDERR_FILENO {
        return inherit(fd);
    }

    let sock = duplicate(fd)?;

    inherit(sock.into_raw_fd())
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
    use nix::sys::socket::{SockaddrLike, SockaddrStorage, getsockname};

    use super::*;

    const RIGHTS: Rights = Rights {
        mode: 0o666,
        user: None,
        group: None,
    };
    const STREAM: Options = Options {
        kind: Kind::Stream,
        backlog: 5,
        ipv6only: true,
        reuseport: false,
    };

    #[test]
    fn a_socket_is_recognised_by_its_address() {
        let any = Address::parse("127.0.0.1:0").unwrap();
        let sock = open(any, STREAM, RIGHTS).unwrap();
        let name = getsockname::<SockaddrStorage>(sock.as_raw_fd()).unwrap();
        let text = name.to_string();
        let bound = Address::parse(&text).unwrap();

        assert!(bound.is_of(sock.as_raw_fd()));
        assert!(!any.is_of(sock.as_raw_fd()));
        assert_eq!(
            open(bound, STREAM, RIGHTS).unwrap_err(),
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
        let name = format!("unix:@{path}");
        let others = [
            "127.0.0.1:1",
            "[::1]:1",
            "unix:/nonexistent",
            "unix:@no",
            "fd:3",
        ]
        .map(Address::parse);

        for text in ["127.0.0.1:0", "[::1]:0", &unix, &name] {
            let sock = match open(Address::parse(text).unwrap(), STREAM, RIGHTS) {
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
    fn a_socket_is_handed_down_and_inherited() {
        let path = socket_path("inherit");
        let address = format!("unix:{path}");
        let sock = open(Address::parse(&address).unwrap(), STREAM, RIGHTS).unwrap();

        hand_down(sock.as_raw_fd());
        assert!(!is_close_on_exec(&sock));

        // The number has no owner any more, as after execve(2).
        let fd = sock.into_raw_fd();
        let inherited = inherit(fd).unwrap();

        assert_eq!(inherited.as_raw_fd(), fd);
        assert!(is_close_on_exec(&inherited));
        assert!(Address::parse(&address).unwrap().is_of(fd));

        let file = std::fs::File::open("/dev/null").unwrap();

        assert_eq!(inherit(file.as_raw_fd()).err(), Some(Errno::ENOTSOCK));
        std::fs::remove_file(path).unwrap();
    }
}
