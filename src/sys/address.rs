//! Addresses on which a program listens.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::os::fd::RawFd;
use std::path::Path;

use nix::errno::Errno;
use nix::sys::socket::{AddressFamily, SockaddrLike, SockaddrStorage, UnixAddr, bind, getsockname};

use super::path::CPath;

/// An address on which a program listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Address<'a> {
    /// An IPv4 or IPv6 address and its port.
    Inet(SocketAddr),
    /// The path of a Unix socket.
    Unix(&'a Path),
    /// The name of a Unix socket that has no file, see `unix(7)`.
    Abstract(&'a str),
    /// The number of a descriptor that is open already.
    Descriptor(RawFd),
    /// The name of sockets that the service manager has opened, `FileDescriptorName` of
    /// `systemd.socket(5)`.
    Named(&'a str),
}

impl<'a> Address<'a> {
    /// Parses an address; `None` if the text is not an address:
    ///
    /// - `IPV4:PORT`, `[IPV6]:PORT` or `[IPV6%ZONE]:PORT`;
    /// - `*:PORT`, `:PORT` or `PORT`: all IPv4 addresses;
    /// - `unix:PATH`, or `unix:@NAME` for a name without a file;
    /// - `fd:NUMBER`: a descriptor that is open already;
    /// - `fdname:NAME`: the sockets that the service manager has opened with this name.
    pub fn parse(text: &'a str) -> Option<Self> {
        if let Some(name) = text.strip_prefix("unix:@") {
            return Some(Self::Abstract(name)).filter(|_| !name.is_empty());
        }

        if let Some(path) = text.strip_prefix("unix:") {
            return Some(Self::Unix(Path::new(path))).filter(|_| !path.is_empty());
        }

        if let Some(number) = text.strip_prefix("fd:") {
            return digits(number).map(Self::Descriptor);
        }

        if let Some(name) = text.strip_prefix("fdname:") {
            return Some(Self::Named(name)).filter(|_| !name.is_empty());
        }

        let (host, port) = text.rsplit_once(':').unwrap_or(("", text));
        let port = digits(port)?;
        let ip = match host {
            "" | "*" => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            _ => match host
                .strip_prefix('[')
                .and_then(|host| host.strip_suffix(']'))
            {
                Some(host) => return ipv6(host, port),
                None => IpAddr::V4(host.parse().ok()?),
            },
        };

        Some(Self::Inet(SocketAddr::new(ip, port)))
    }

    /// The address to which the socket `fd` is bound, if it is an IPv4 or IPv6
    /// address, `getsockname(2)`.
    pub fn of(fd: RawFd) -> Option<SocketAddr> {
        let name = getsockname::<SockaddrStorage>(fd).ok()?;

        if let Some(v4) = name.as_sockaddr_in() {
            return Some(SocketAddr::V4((*v4).into()));
        }

        name.as_sockaddr_in6()
            .map(|v6| SocketAddr::V6((*v6).into()))
    }

    /// The path of a Unix socket; `None` for another address.
    pub fn path(self) -> Option<&'a Path> {
        match self {
            Self::Unix(path) => Some(path),
            _ => None,
        }
    }

    /// The port; `None` if the address has none.
    pub fn port(self) -> Option<u16> {
        match self {
            Self::Inet(addr) => Some(addr.port()),
            _ => None,
        }
    }

    /// The same address with another port.
    pub fn with_port(self, port: u16) -> Self {
        match self {
            Self::Inet(mut addr) => {
                addr.set_port(port);
                Self::Inet(addr)
            }
            other => other,
        }
    }

    /// The family of sockets with this address. `None`: the socket exists
    /// already.
    pub fn family(self) -> Option<AddressFamily> {
        match self {
            Self::Inet(SocketAddr::V4(_)) => Some(AddressFamily::Inet),
            Self::Inet(SocketAddr::V6(_)) => Some(AddressFamily::Inet6),
            Self::Unix(_) | Self::Abstract(_) => Some(AddressFamily::Unix),
            Self::Descriptor(_) | Self::Named(_) => None,
        }
    }

    /// Binds the socket `fd` to this address, `bind(2)`.
    pub fn bind(self, fd: RawFd) -> Result<(), Errno> {
        match self {
            Self::Inet(addr) => bind(fd, &SockaddrStorage::from(addr)),
            Self::Unix(path) => bind(fd, &UnixAddr::new(CPath::of(path)?.as_c_str())?),
            Self::Abstract(name) => bind(fd, &UnixAddr::new_abstract(name.as_bytes())?),
            Self::Descriptor(_) | Self::Named(_) => Err(Errno::EINVAL),
        }
    }

    /// Whether the socket `fd` is bound to this address.
    pub fn is_of(self, fd: RawFd) -> bool {
        match self {
            Self::Inet(addr) => Self::of(fd) == Some(addr),
            Self::Descriptor(_) | Self::Named(_) => false,
            Self::Unix(_) | Self::Abstract(_) => getsockname::<UnixAddr>(fd)
                .is_ok_and(|name| name.family() == Some(AddressFamily::Unix) && self.names(&name)),
        }
    }

    /// Whether `name` is the name of a Unix socket with this address.
    fn names(self, name: &UnixAddr) -> bool {
        match self {
            Self::Unix(path) => name.path() == Some(path),
            Self::Abstract(text) => name.as_abstract() == Some(text.as_bytes()),
            _ => false,
        }
    }

    /// Whether the text of the address does not say which socket is meant: the
    /// kernel chooses the port 0, and the number of a descriptor is another one
    /// in another process.
    pub fn is_vague(self) -> bool {
        self.port() == Some(0) || matches!(self, Self::Descriptor(_) | Self::Named(_))
    }
}

/// The address to which a socket is bound, as the kernel has it.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct RawName {
    storage: libc::sockaddr_storage,
    len: libc::socklen_t,
}

impl RawName {
    /// The address of the socket `fd`, `getsockname(2)`; `None` if it has none.
    pub fn of(fd: RawFd) -> Option<Self> {
        let mut this = Self {
            // SAFETY: zeros are a valid `sockaddr_storage`.
            storage: unsafe { std::mem::zeroed() },
            len: size_of::<libc::sockaddr_storage>() as libc::socklen_t,
        };

        // SAFETY: the kernel writes at most `len` bytes to `storage`, and then `len`.
        let result =
            unsafe { libc::getsockname(fd, (&raw mut this.storage).cast(), &raw mut this.len) };

        (result == 0).then_some(this)
    }

    /// The length of the address in bytes.
    pub fn length(&self) -> libc::socklen_t {
        self.len
    }
}

/// Shows the address to which a socket is bound, `getsockname(2)`.
pub struct BoundTo(pub RawFd);

impl fmt::Display for BoundTo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(address) = Address::of(self.0) {
            return address.fmt(f);
        }

        let name = getsockname::<UnixAddr>(self.0).ok();
        let name = name.filter(|name| name.family() == Some(AddressFamily::Unix));

        match name.as_ref().map(|name| (name.path(), name.as_abstract())) {
            Some((Some(path), _)) => Address::Unix(path).fmt(f),
            Some((None, Some(name))) => write!(f, "unix:@{}", name.escape_ascii()),
            _ => f.write_str("(unknown)"),
        }
    }
}

impl fmt::Display for Address<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Inet(addr) => addr.fmt(f),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
            Self::Abstract(name) => write!(f, "unix:@{name}"),
            Self::Descriptor(fd) => write!(f, "fd:{fd}"),
            Self::Named(name) => write!(f, "fdname:{name}"),
        }
    }
}

/// Parses a number that has digits only, without a sign.
fn digits<T: std::str::FromStr>(text: &str) -> Option<T> {
    text.bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| text.parse().ok())
        .flatten()
}

/// Parses an IPv6 address, which can have a zone behind "%": the name or the number
/// of an interface, `ipv6(7)`.
fn ipv6(text: &str, port: u16) -> Option<Address<'_>> {
    let (host, zone) = match text.split_once('%') {
        Some((host, zone)) => (host, zone_number(zone)?),
        None => (text, 0),
    };
    let ip: Ipv6Addr = host.parse().ok()?;

    Some(Address::Inet(SocketAddr::V6(SocketAddrV6::new(
        ip, port, 0, zone,
    ))))
}

/// The number of an interface, `if_nametoindex(3)`.
fn zone_number(zone: &str) -> Option<u32> {
    if let Some(number) = digits(zone) {
        return Some(number);
    }

    let name = CPath::of(Path::new(zone)).ok()?;

    // SAFETY: `name` is a C string.
    Some(unsafe { libc::if_nametoindex(name.as_c_str().as_ptr()) }).filter(|&number| number != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_printed_as_they_are_written() {
        for text in [
            "127.0.0.1:80",
            "[::1]:8080",
            "[fe80::1%1]:80",
            "unix:/tmp/x.sock",
            "unix:@name",
            "fd:3",
            "fdname:web",
        ] {
            assert_eq!(Address::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn all_addresses_have_short_forms() {
        for text in ["*:80", ":80", "80", "0.0.0.0:80"] {
            assert_eq!(Address::parse(text).unwrap().to_string(), "0.0.0.0:80");
        }

        assert_eq!(
            Address::parse("[fe80::1%lo]:80"),
            Address::parse("[fe80::1%1]:80"),
        );
    }

    #[test]
    fn other_texts_are_no_addresses() {
        for text in [
            "",
            ":",
            "*:",
            "localhost:80",
            "unix:",
            "unix:@",
            "fd:",
            "fd:-1",
            "fd:+1",
            "fdname:",
            "127.0.0.1",
            "127.0.0.1:+80",
            "1.2.3.4:70000",
            "::1:80",
            "[::1]",
            "[127.0.0.1]:80",
            "[fe80::1%no-such-zone]:80",
            "99999999999",
        ] {
            assert_eq!(Address::parse(text), None, "{text}");
        }
    }

    #[test]
    fn some_addresses_do_not_say_which_socket_is_meant() {
        for (text, vague) in [
            ("127.0.0.1:0", true),
            ("fd:3", true),
            ("[::1]:1", false),
            ("unix:x", false),
        ] {
            assert_eq!(Address::parse(text).unwrap().is_vague(), vague, "{text}");
        }
    }

    #[test]
    fn only_unix_sockets_have_paths() {
        let unix = Address::parse("unix:/tmp/x.sock").unwrap();

        assert_eq!(unix.path(), Some(Path::new("/tmp/x.sock")));
        assert_eq!(Address::parse("127.0.0.1:80").unwrap().path(), None);
        assert_eq!(Address::parse("unix:@x").unwrap().path(), None);
    }
}
