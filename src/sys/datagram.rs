//! Datagrams that are received and sent on a socket without a connection.

use std::ffi::c_int;
use std::mem::{MaybeUninit, size_of};
use std::net::{Ipv6Addr, SocketAddr};
use std::os::fd::RawFd;

use nix::errno::Errno;

use super::address::Address;
use super::control::{Control, cmsg_space, take_control};
use super::listen::set_option;

/// The size in bytes of a buffer for any datagram of `udp(7)`.
pub const LONGEST: usize = 65536;

/// The size in bytes of the control data with a local address.
const CONTROL: usize = cmsg_space(size_of::<libc::in6_pktinfo>());

/// The local address to which a datagram was sent.
#[derive(Clone, Copy)]
enum Local {
    /// It is not known, or not needed: the socket has only one address.
    Unknown,
    V4(libc::in_pktinfo),
    V6(libc::in6_pktinfo),
}

/// The address of the socket that has sent a datagram, and the local address to which it
/// was sent.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Peer {
    address: libc::sockaddr_storage,
    len: libc::socklen_t,
    local: Local,
}

impl Peer {
    /// The pointer to the address, for C.
    pub const fn as_ptr(&self) -> *const libc::sockaddr {
        (&raw const self.address).cast()
    }

    /// The length of the address in bytes.
    pub const fn len(&self) -> libc::socklen_t {
        self.len
    }

    /// Whether the sender has no address to which an answer can be sent, as a Unix
    /// socket that is not bound.
    pub const fn is_empty(&self) -> bool {
        self.len as usize <= size_of::<libc::sa_family_t>()
    }
}

/// Makes a socket report the local address of each datagram, if it is bound to all
/// addresses, IP_PKTINFO of `ip(7)` and IPV6_RECVPKTINFO of `ipv6(7)`.
pub fn report_local_addresses(sock: RawFd) -> Result<(), Errno> {
    match Address::of(sock) {
        Some(SocketAddr::V4(addr)) if addr.ip().is_unspecified() => {
            set_option(sock, libc::IPPROTO_IP, libc::IP_PKTINFO, 1)
        }
        Some(SocketAddr::V6(addr)) if addr.ip().is_unspecified() => {
            set_option(sock, libc::IPPROTO_IPV6, libc::IPV6_RECVPKTINFO, 1)
        }
        _ => Ok(()),
    }
}

/// A `msghdr` for a message in one buffer, with an address of `len` bytes.
fn msghdr(
    iov: &mut libc::iovec,
    address: *mut libc::sockaddr_storage,
    len: libc::socklen_t,
) -> libc::msghdr {
    // SAFETY: all fields of a `msghdr` can be zero.
    let mut msg: libc::msghdr = unsafe { std::mem::zeroed() };

    msg.msg_name = address.cast();
    msg.msg_namelen = len;
    msg.msg_iov = iov;
    msg.msg_iovlen = 1;

    msg
}

/// Receives a datagram into `buffer`, `recvmsg(2)`. Returns its length and its sender.
/// Bytes that do not fit into the buffer are lost. Descriptors that the sender of a Unix
/// socket has sent, SCM_RIGHTS of `unix(7)`, are closed.
#[allow(clippy::unnecessary_cast)] // needed with some C libraries
pub fn receive(sock: RawFd, buffer: &mut [u8]) -> Result<(usize, Peer), Errno> {
    // SAFETY: an all-zero address is valid.
    let mut address: libc::sockaddr_storage = unsafe { std::mem::zeroed() };
    let mut control = Control([MaybeUninit::<u8>::zeroed(); CONTROL]);
    let mut iov = libc::iovec {
        iov_base: buffer.as_mut_ptr().cast(),
        iov_len: buffer.len(),
    };
    let len = size_of::<libc::sockaddr_storage>() as libc::socklen_t;
    let mut msg = msghdr(&mut iov, &raw mut address, len);

    let flags = libc::MSG_DONTWAIT | libc::MSG_CMSG_CLOEXEC;

    msg.msg_control = (&raw mut control).cast();
    msg.msg_controllen = CONTROL as _;

    // SAFETY: `msg` points to `address`, `buffer` and `control`, which the kernel may
    // write, and which live until the call returns.
    let n = Errno::result(unsafe { libc::recvmsg(sock, &raw mut msg, flags) })?;

    let peer = Peer {
        address,
        len: msg.msg_namelen,
        // SAFETY: recvmsg() has just written `msg` and its control data, whose
        // descriptors have no owner yet.
        local: unsafe { take_local(&msg) },
    };

    Ok((n.unsigned_abs(), peer))
}

/// The local address in the control data of a received datagram. An answer can have this
/// address as its source, unless it is a multicast address. If the control data has
/// descriptors, the function closes them.
///
/// # Safety
///
/// recvmsg() has written `msg`, with a buffer of [`CONTROL`] bytes, and the descriptors in
/// its control data have no owner yet.
unsafe fn take_local(msg: &libc::msghdr) -> Local {
    // SAFETY: the kernel has written valid headers up to `msg_controllen`, and data of
    // the type that the header names.
    unsafe {
        let header = libc::CMSG_FIRSTHDR(msg);

        match header.as_ref().map(|h| (h.cmsg_level, h.cmsg_type)) {
            Some((libc::IPPROTO_IP, libc::IP_PKTINFO)) => {
                let mut info: libc::in_pktinfo = libc::CMSG_DATA(header)
                    .cast::<libc::in_pktinfo>()
                    .read_unaligned();

                // The routing table chooses the interface.
                info.ipi_ifindex = 0;
                Local::V4(info)
            }
            Some((libc::IPPROTO_IPV6, libc::IPV6_PKTINFO)) => {
                let mut info: libc::in6_pktinfo = libc::CMSG_DATA(header)
                    .cast::<libc::in6_pktinfo>()
                    .read_unaligned();

                info.ipi6_ifindex = 0;

                if Ipv6Addr::from(info.ipi6_addr.s6_addr).is_multicast() {
                    Local::Unknown
                } else {
                    Local::V6(info)
                }
            }
            Some(_) => {
                drop(take_control(msg));
                Local::Unknown
            }
            None => Local::Unknown,
        }
    }
}

/// Sends `size` bytes as one datagram to `peer`, from the address to which the datagram
/// of the peer was sent, `sendmsg(2)`. Raises no SIGPIPE.
///
/// # Safety
///
/// `size` bytes at `buf` are readable.
pub unsafe fn send(sock: RawFd, buf: *const u8, size: usize, peer: &Peer) -> Result<usize, Errno> {
    let flags = libc::MSG_NOSIGNAL | libc::MSG_DONTWAIT;
    let mut control = Control([MaybeUninit::<u8>::zeroed(); CONTROL]);
    let mut iov = libc::iovec {
        iov_base: buf.cast_mut().cast(),
        iov_len: size,
    };
    let mut msg = msghdr(&mut iov, (&raw const peer.address).cast_mut(), peer.len);

    match peer.local {
        Local::Unknown => {}
        Local::V4(info) => put(
            &mut msg,
            &mut control,
            libc::IPPROTO_IP,
            libc::IP_PKTINFO,
            info,
        ),
        Local::V6(info) => put(
            &mut msg,
            &mut control,
            libc::IPPROTO_IPV6,
            libc::IPV6_PKTINFO,
            info,
        ),
    }

    // SAFETY: `msg` points to the address, to `size` readable bytes, as the caller
    // promises, and to `control`, which lives until the call returns.
    let n = Errno::result(unsafe { libc::sendmsg(sock, &raw const msg, flags) })?;

    Ok(n.unsigned_abs())
}

/// Adds `data` to a message as its only control data.
#[allow(clippy::unnecessary_cast)] // needed with some C libraries
fn put<T>(
    msg: &mut libc::msghdr,
    control: &mut Control<CONTROL>,
    level: c_int,
    kind: c_int,
    data: T,
) {
    const { assert!(cmsg_space(size_of::<T>()) <= CONTROL) };

    msg.msg_control = (&raw mut *control).cast();
    msg.msg_controllen = cmsg_space(size_of::<T>()) as _;

    // SAFETY: `control` is aligned for a header and has room for the header and the
    // data, so the first header and its data lie within it.
    unsafe {
        let header = libc::CMSG_FIRSTHDR(msg);

        (*header).cmsg_level = level;
        (*header).cmsg_type = kind;
        (*header).cmsg_len = libc::CMSG_LEN(size_of::<T>() as _) as _;
        libc::CMSG_DATA(header).cast::<T>().write_unaligned(data);
    }
}

#[cfg(test)]
mod tests {
    use std::io::IoSlice;
    use std::net::UdpSocket;
    use std::os::fd::AsRawFd;
    use std::os::unix::net::UnixDatagram;

    use nix::fcntl::OFlag;
    use nix::sys::socket::{ControlMessage, MsgFlags, sendmsg};
    use nix::unistd::pipe2;

    use super::*;
    use crate::sys::testing::in_child;

    #[test]
    fn a_datagram_is_answered() {
        let [a, b] = [(); 2].map(|()| UdpSocket::bind("127.0.0.1:0").unwrap());
        let mut buffer = [0; 8];

        assert_eq!(
            receive(a.as_raw_fd(), &mut buffer).err(),
            Some(Errno::EAGAIN)
        );
        b.send_to(b"question", a.local_addr().unwrap()).unwrap();

        let (n, peer) = receive(a.as_raw_fd(), &mut buffer).unwrap();

        assert_eq!(&buffer[..n], b"question");
        assert!(!peer.is_empty());
        // SAFETY: the text has six bytes.
        let sent = unsafe { send(a.as_raw_fd(), b"answer".as_ptr(), 6, &peer) };

        assert_eq!(sent, Ok(6));
        assert_eq!(b.recv(&mut buffer).unwrap(), 6);
        assert_eq!(&buffer[..6], b"answer");
    }

    /// A client of a Unix socket can send descriptors. If they stayed open, it could
    /// make the worker run out of descriptors.
    #[test]
    fn descriptors_from_a_sender_are_closed() {
        in_child(|| {
            let [a, b] = UnixDatagram::pair().map(|(a, b)| [a, b]).unwrap();
            let (reader, writer) = pipe2(OFlag::O_NONBLOCK).unwrap();
            let fds = [writer.as_raw_fd(); 3];
            let mut buffer = [0; 8];

            sendmsg::<()>(
                a.as_raw_fd(),
                &[IoSlice::new(b"text")],
                &[ControlMessage::ScmRights(&fds)],
                MsgFlags::empty(),
                None,
            )
            .unwrap();
            drop(writer);
            assert_eq!(receive(b.as_raw_fd(), &mut buffer).unwrap().0, 4);

            // The end of the pipe shows that its other end is not open any more.
            assert_eq!(nix::unistd::read(&reader, &mut buffer), Ok(0));
        });
    }

    #[test]
    fn a_sender_can_have_no_address() {
        let [a, b] = UnixDatagram::pair().map(|(a, b)| [a, b]).unwrap();
        let mut buffer = [0; 2];

        a.send(b"long").unwrap();

        let (n, peer) = receive(b.as_raw_fd(), &mut buffer).unwrap();

        assert_eq!(&buffer[..n], b"lo");
        assert!(peer.is_empty());
    }
}
