//! Sockets over which log lines go to a syslog server. All functions but
//! [`Server::parse`] are async-signal-safe.

use std::ffi::{CStr, c_int};
use std::io::IoSlice;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::ptr;

use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockType, SockaddrStorage, UnixAddr, connect, sendmsg,
    socket,
};

use super::address::Address;
use super::directory;
use super::fd::above_stdio;
use super::name_service;
use super::path::CPath;

/// The size in bytes of a buffer for each name of a host, `gethostname(2)`.
pub const HOST_NAME: usize = 65;

/// The address of a server.
#[derive(Clone, Copy)]
pub enum Server {
    /// An address for UDP.
    Inet(SockaddrStorage),
    /// The address of a Unix datagram socket.
    Unix(UnixAddr),
}

impl Server {
    /// Parses `HOST`, `HOST:PORT`, `[IPV6]`, `[IPV6]:PORT` or `unix:PATH`. `port` is the
    /// port of an address without one. A relative path is that of a file in the
    /// directory where the program was started.
    ///
    /// Returns what is wrong if the text is invalid, or the host is not found.
    pub fn parse(text: &str, port: u16) -> Result<Self, &'static str> {
        if text.starts_with("unix:") {
            let address = Address::parse(text).ok_or("no path")?;
            let server = match address.path().map(directory::absolute) {
                Some(Ok(path)) => Self::new(Address::Unix(path.as_path())),
                Some(Err(err)) => Err(err),
                None => Self::new(address),
            };

            return server.or(Err("too long path"));
        }

        let (host, port) = match text.rsplit_once(':') {
            Some((host, digits)) if !digits.contains(']') => {
                (host, port_of(digits).ok_or("invalid port")?)
            }
            _ => (text, port),
        };

        if host.is_empty() {
            return Err("no host");
        }

        let ip = ip_of_host(host).ok_or("host not found")?;

        Self::new(Address::Inet(SocketAddr::new(ip, port))).or(Err("invalid address"))
    }

    /// Fails if `address` is not the address of a socket.
    fn new(address: Address<'_>) -> Result<Self, Errno> {
        match address {
            Address::Inet(address) => Ok(Self::Inet(address.into())),
            Address::Unix(path) => UnixAddr::new(CPath::of(path)?.as_c_str()).map(Self::Unix),
            Address::Abstract(name) => UnixAddr::new_abstract(name.as_bytes()).map(Self::Unix),
            Address::Descriptor(_) | Address::Named(_) => Err(Errno::EINVAL),
        }
    }

    /// Makes a socket that is connected to the server, non-blocking and close-on-exec.
    ///
    /// # References
    ///
    /// `socket(2)`, `connect(2)`.
    pub fn connect(&self) -> Result<OwnedFd, Errno> {
        let open = |family| {
            let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;

            socket(family, SockType::Datagram, flags, None).and_then(above_stdio)
        };

        match self {
            Self::Inet(address) => {
                let v6 = address.as_sockaddr_in6().is_some();
                let sock = open(if v6 {
                    AddressFamily::Inet6
                } else {
                    AddressFamily::Inet
                })?;

                connect(sock.as_raw_fd(), address).map(|()| sock)
            }
            Self::Unix(address) => {
                let sock = open(AddressFamily::Unix)?;

                connect(sock.as_raw_fd(), address).map(|()| sock)
            }
        }
    }
}

/// Parses a port, which has digits only and is not 0.
fn port_of(digits: &str) -> Option<u16> {
    let port = digits
        .bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| digits.parse().ok())?;

    port.filter(|&port| port != 0)
}

fn ip_of_host(host: &str) -> Option<IpAddr> {
    if let Some(v6) = host.strip_prefix('[') {
        return v6.strip_suffix(']')?.parse().map(IpAddr::V6).ok();
    }

    host.parse().ok().or_else(|| {
        let name = CPath::new(&[host.as_bytes()]).ok()?;

        find_host(name.as_c_str())
    })
}

/// Sends `parts` as one datagram, and does not wait.
///
/// # References
///
/// `sendmsg(2)`.
pub fn send(fd: RawFd, parts: &[&[u8]; 3]) -> Result<(), Errno> {
    let parts = parts.map(IoSlice::new);
    let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL;

    sendmsg::<()>(fd, &parts, &[], flags, None).map(drop)
}

/// Finds the address of the host `name`. Returns `None` if there is no such host, and
/// in a static program, which has no name service.
///
/// # References
///
/// `getaddrinfo(3)`.
fn find_host(name: &CStr) -> Option<IpAddr> {
    let (getaddrinfo, freeaddrinfo) = name_service::getaddrinfo()?;
    // SAFETY: an all-zero addrinfo asks for any address.
    let mut hints: libc::addrinfo = unsafe { std::mem::zeroed() };
    let mut list = ptr::null_mut();

    hints.ai_socktype = libc::SOCK_DGRAM;

    // SAFETY: `name` is a C string, and the C library writes a list to `list`, which is
    // freed once. An address of the list has `ai_addrlen` bytes.
    unsafe {
        if getaddrinfo(name.as_ptr(), ptr::null(), &raw const hints, &raw mut list) != 0 {
            return None;
        }

        let found = list.as_ref().and_then(|first| {
            let address: SockaddrStorage =
                nix::sys::socket::SockaddrLike::from_raw(first.ai_addr, Some(first.ai_addrlen))?;

            ip_of(&address)
        });

        freeaddrinfo(list);
        found
    }
}

fn ip_of(address: &SockaddrStorage) -> Option<IpAddr> {
    let v4 = address
        .as_sockaddr_in()
        .map(|v4| SocketAddr::V4((*v4).into()));
    let v6 = || {
        address
            .as_sockaddr_in6()
            .map(|v6| SocketAddr::V6((*v6).into()))
    };

    v4.or_else(v6).map(|address| address.ip())
}

/// Writes the name of this host, in lower case as nginx does, to `buffer`. Returns the
/// length of the name; 0 if the kernel does not tell it.
///
/// # References
///
/// `gethostname(2)`.
pub fn host_name(buffer: &mut [u8; HOST_NAME]) -> usize {
    // SAFETY: the kernel writes at most `HOST_NAME` bytes to `buffer`.
    let result: c_int =
        unsafe { libc::gethostname(buffer.as_mut_ptr().cast(), HOST_NAME as libc::size_t) };

    if result != 0 {
        return 0;
    }

    buffer.make_ascii_lowercase();

    CStr::from_bytes_until_nul(buffer).map_or(0, CStr::count_bytes)
}

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;

    use super::*;
    use crate::sys::testing::in_child;

    #[test]
    fn a_datagram_has_all_parts() {
        let server = UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = Address::Inet(server.local_addr().unwrap());
        let sock = Server::new(address).unwrap().connect().unwrap();
        let mut buffer = [0; 16];

        send(sock.as_raw_fd(), &[b"<1>", b"a: ", b"text"]).unwrap();
        assert_eq!(server.recv(&mut buffer).unwrap(), 10);
        assert_eq!(&buffer[..10], b"<1>a: text");
        assert!(Server::new(Address::Descriptor(1)).is_err());
    }

    #[test]
    fn hosts_have_names() {
        let mut buffer = [0; HOST_NAME];

        assert!(find_host(c"localhost").unwrap().is_loopback());
        assert_eq!(find_host(c"no such host"), None);
        assert!(host_name(&mut buffer) > 0);
    }

    #[test]
    fn the_name_of_a_host_is_in_lower_case() {
        in_child(|| {
            let name = "Host-A.example";

            // SAFETY: unshare() accesses no memory, and the name has `name.len()` bytes.
            let changed = unsafe {
                libc::unshare(libc::CLONE_NEWUTS) == 0
                    && libc::sethostname(name.as_ptr().cast(), name.len()) == 0
            };

            if !changed {
                // What println!() writes would end with the child.
                let text = b"skipped: this user cannot change the name of the host\n";
                let _ = crate::sys::fd::write(libc::STDERR_FILENO, text);
                return;
            }

            let mut buffer = [0; HOST_NAME];
            let n = host_name(&mut buffer);

            assert_eq!(str::from_utf8(&buffer[..n]), Ok("host-a.example"));
        });
    }
}
