//! Datagrams that are received and sent on a socket without a connection.

use std::mem::{MaybeUninit, size_of};
use std::os::fd::RawFd;

use nix::errno::Errno;

/// The size in bytes of a buffer for any datagram of `udp(7)`.
pub const LONGEST: usize = 65536;

/// The address of the socket that has sent a datagram.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Peer {
    address: libc::sockaddr_storage,
    len: libc::socklen_t,
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

/// Receives a datagram into `buffer`, `recvfrom(2)`. Returns its length and its
/// sender. Bytes that do not fit into the buffer are lost.
pub fn receive(sock: RawFd, buffer: &mut [u8]) -> Result<(usize, Peer), Errno> {
    // SAFETY: an all-zero address is valid.
    let address: libc::sockaddr_storage = unsafe { MaybeUninit::zeroed().assume_init() };
    let mut peer = Peer {
        address,
        len: size_of::<libc::sockaddr_storage>() as libc::socklen_t,
    };

    // SAFETY: the kernel writes at most `buffer.len()` bytes to `buffer`, at most
    // `peer.len` bytes to the address, and the length of the address.
    let n = Errno::result(unsafe {
        libc::recvfrom(
            sock,
            buffer.as_mut_ptr().cast(),
            buffer.len(),
            libc::MSG_DONTWAIT,
            (&raw mut peer.address).cast(),
            &raw mut peer.len,
        )
    })?;

    Ok((n.unsigned_abs(), peer))
}

/// Sends `size` bytes as one datagram to `peer`, `sendto(2)`. Raises no SIGPIPE.
///
/// # Safety
///
/// `size` bytes at `buf` are readable.
pub unsafe fn send(sock: RawFd, buf: *const u8, size: usize, peer: &Peer) -> Result<usize, Errno> {
    let flags = libc::MSG_NOSIGNAL | libc::MSG_DONTWAIT;

    // SAFETY: the caller passes `size` readable bytes, and the kernel reads at most
    // the length of the address.
    let n = Errno::result(unsafe {
        libc::sendto(sock, buf.cast(), size, flags, peer.as_ptr(), peer.len)
    })?;

    Ok(n.unsigned_abs())
}

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;
    use std::os::fd::AsRawFd;
    use std::os::unix::net::UnixDatagram;

    use super::*;

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
