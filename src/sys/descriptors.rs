//! Datagrams that carry several descriptors, `SCM_RIGHTS` of `unix(7)`.

use std::mem::{self, MaybeUninit};
use std::os::fd::{OwnedFd, RawFd};

use nix::errno::Errno;

use super::control::{CONTROL, Control, SCM_PIDFD, cmsg_space, take_fd};

/// The largest number of descriptors in one datagram.
pub const MAX: usize = 16;

const SPACE: usize = cmsg_space(MAX * size_of::<RawFd>());

/// Descriptors that have arrived. Those that are not taken are closed.
pub type Arrived = [Option<OwnedFd>; MAX];

/// Sends `bytes` with copies of at most [`MAX`] descriptors, `sendmsg(2)`. Does not
/// wait, and raises no SIGPIPE.
#[allow(clippy::unnecessary_cast)] // needed with some C libraries
pub fn send(sock: RawFd, bytes: &[u8], fds: &[RawFd]) -> Result<(), Errno> {
    let fds = fds.get(..fds.len().min(MAX)).unwrap_or_default();
    let mut control = Control([MaybeUninit::<u8>::zeroed(); SPACE]);
    let mut iov = libc::iovec {
        iov_base: bytes.as_ptr().cast_mut().cast(),
        iov_len: bytes.len(),
    };
    // SAFETY: all fields of a `msghdr` can be zero.
    let mut msg: libc::msghdr = unsafe { mem::zeroed() };

    msg.msg_iov = &raw mut iov;
    msg.msg_iovlen = 1;

    if !fds.is_empty() {
        msg.msg_control = (&raw mut control).cast();
        msg.msg_controllen = cmsg_space(size_of_val(fds)) as _;

        // SAFETY: `control` is aligned for a header and has room for MAX
        // descriptors, so the first header and its data lie within it.
        unsafe {
            let header = libc::CMSG_FIRSTHDR(&raw const msg);

            (*header).cmsg_level = libc::SOL_SOCKET;
            (*header).cmsg_type = libc::SCM_RIGHTS;
            (*header).cmsg_len = libc::CMSG_LEN(size_of_val(fds) as _) as _;
            libc::CMSG_DATA(header).copy_from_nonoverlapping(fds.as_ptr().cast(), size_of_val(fds));
        }
    }

    // SAFETY: `msg` points to the bytes and to `control`, which live until the
    // call returns.
    Errno::result(unsafe {
        libc::sendmsg(
            sock,
            &raw const msg,
            libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL,
        )
    })
    .map(drop)
}

/// A datagram that has been received.
#[derive(Debug)]
pub struct Received {
    /// The number of bytes.
    pub len: usize,
    /// The descriptors, which are close-on-exec.
    pub fds: Arrived,
    /// Whether bytes or descriptors were lost: the datagram was longer than the buffer,
    /// had more than [`MAX`] descriptors, or this process has no number left for one.
    pub is_cut: bool,
}

/// Receives a datagram into `bytes`, `recvmsg(2)`. Does not wait.
#[allow(clippy::unnecessary_cast)] // needed with some C libraries
pub fn receive(sock: RawFd, bytes: &mut [u8]) -> Result<Received, Errno> {
    let mut control = Control([MaybeUninit::<u8>::zeroed(); CONTROL]);
    let mut iov = libc::iovec {
        iov_base: bytes.as_mut_ptr().cast(),
        iov_len: bytes.len(),
    };
    // SAFETY: all fields of a `msghdr` can be zero.
    let mut msg: libc::msghdr = unsafe { mem::zeroed() };

    msg.msg_iov = &raw mut iov;
    msg.msg_iovlen = 1;
    msg.msg_control = (&raw mut control).cast();
    msg.msg_controllen = CONTROL as _;

    // SAFETY: `msg` points to writable bytes and to `control`, which live until
    // the call returns.
    let len = Errno::result(unsafe {
        libc::recvmsg(
            sock,
            &raw mut msg,
            libc::MSG_DONTWAIT | libc::MSG_CMSG_CLOEXEC,
        )
    })?;
    let mut received = Received {
        len: len.unsigned_abs(),
        fds: Arrived::default(),
        is_cut: msg.msg_flags & (libc::MSG_TRUNC | libc::MSG_CTRUNC) != 0,
    };

    // SAFETY: recvmsg() has written valid headers up to `msg_controllen`.
    let mut header = unsafe { libc::CMSG_FIRSTHDR(&raw const msg) };

    while !header.is_null() {
        // SAFETY: the kernel has written the header and its data, and each header is
        // passed once.
        unsafe { take_header(header, &mut received) };
        // SAFETY: the header lies within the control data of `msg`.
        header = unsafe { libc::CMSG_NXTHDR(&raw const msg, header) };
    }

    Ok(received)
}

/// Takes the descriptors that one header carries. With SO_PASSCRED and similar options
/// other headers come before them, `unix(7)`.
///
/// # Safety
///
/// The kernel has written the header and its data, and the descriptors in the data have
/// no owner yet.
#[allow(clippy::unnecessary_cast)] // needed with some C libraries
unsafe fn take_header(header: *const libc::cmsghdr, received: &mut Received) {
    // SAFETY: the caller passes a header that the kernel has written.
    let found = unsafe { header.read() };

    if found.cmsg_level != libc::SOL_SOCKET
        || !matches!(found.cmsg_type, libc::SCM_RIGHTS | SCM_PIDFD)
    {
        return;
    }

    // SAFETY: CMSG_LEN only calculates a size.
    let size = (found.cmsg_len as usize).saturating_sub(unsafe { libc::CMSG_LEN(0) } as usize);

    for index in 0..size / size_of::<RawFd>() {
        // SAFETY: the data of the header has this many descriptors, which have no owner.
        let fd = unsafe {
            let fds = libc::CMSG_DATA(header).cast::<RawFd>();
            take_fd(fds.add(index).read_unaligned())
        };

        if found.cmsg_type == libc::SCM_RIGHTS {
            match received.fds.get_mut(index) {
                Some(place) => *place = fd,
                None => received.is_cut = true,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsRawFd;

    use super::super::socket;
    use super::*;

    #[test]
    fn descriptors_arrive_with_their_bytes() {
        let [a, b] = socket::socketpair().unwrap();
        let fds = [a.as_raw_fd(); MAX];
        let mut bytes = [0; 8];

        send(a.as_raw_fd(), b"16", &fds).unwrap();
        send(a.as_raw_fd(), b"one", &fds[..1]).unwrap();
        send(a.as_raw_fd(), b"none", &[]).unwrap();

        for (text, n) in [("16", MAX), ("one", 1), ("none", 0)] {
            let Received { len, fds, is_cut } = receive(b.as_raw_fd(), &mut bytes).unwrap();

            assert_eq!(&bytes[..len], text.as_bytes());
            assert_eq!(fds.iter().flatten().count(), n);
            assert!(!is_cut);
        }

        assert_eq!(
            receive(b.as_raw_fd(), &mut bytes).err(),
            Some(Errno::EAGAIN)
        );
    }
}
