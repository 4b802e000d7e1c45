//! Datagrams that carry several descriptors, `SCM_RIGHTS` of `unix(7)`.

use std::mem::{self, MaybeUninit};
use std::os::fd::{FromRawFd, OwnedFd, RawFd};

use nix::errno::Errno;

use super::control::{Control, cmsg_space};

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

/// Receives a datagram into `bytes`, `recvmsg(2)`. Does not wait. Returns its length
/// and its descriptors, which are close-on-exec.
#[allow(clippy::unnecessary_cast)] // needed with some C libraries
pub fn receive(sock: RawFd, bytes: &mut [u8]) -> Result<(usize, Arrived), Errno> {
    let mut control = Control([MaybeUninit::<u8>::zeroed(); SPACE]);
    let mut iov = libc::iovec {
        iov_base: bytes.as_mut_ptr().cast(),
        iov_len: bytes.len(),
    };
    // SAFETY: all fields of a `msghdr` can be zero.
    let mut msg: libc::msghdr = unsafe { mem::zeroed() };

    msg.msg_iov = &raw mut iov;
    msg.msg_iovlen = 1;
    msg.msg_control = (&raw mut control).cast();
    msg.msg_controllen = SPACE as _;

    // SAFETY: `msg` points to writable bytes and to `control`, which live until
    // the call returns.
    let len = Errno::result(unsafe {
        libc::recvmsg(
            sock,
            &raw mut msg,
            libc::MSG_DONTWAIT | libc::MSG_CMSG_CLOEXEC,
        )
    })?;
    let mut arrived = Arrived::default();

    // SAFETY: recvmsg() has written valid headers up to `msg_controllen`.
    let header = unsafe { libc::CMSG_FIRSTHDR(&raw const msg) };

    // SAFETY: the header is NULL or lies within `control`.
    if let Some(found) = unsafe { header.as_ref() }
        && found.cmsg_level == libc::SOL_SOCKET
        && found.cmsg_type == libc::SCM_RIGHTS
    {
        // SAFETY: CMSG_LEN only calculates a size.
        let size = (found.cmsg_len as usize).saturating_sub(unsafe { libc::CMSG_LEN(0) } as usize);

        for (index, place) in arrived
            .iter_mut()
            .enumerate()
            .take(size / size_of::<RawFd>())
        {
            // SAFETY: the data of the header has this many descriptors, which
            // the kernel has just made, so they have no owner.
            *place = unsafe {
                let fd = libc::CMSG_DATA(header)
                    .cast::<RawFd>()
                    .add(index)
                    .read_unaligned();

                Some(OwnedFd::from_raw_fd(fd))
            };
        }
    }

    Ok((len.unsigned_abs(), arrived))
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
            let (len, arrived) = receive(b.as_raw_fd(), &mut bytes).unwrap();

            assert_eq!(&bytes[..len], text.as_bytes());
            assert_eq!(arrived.iter().flatten().count(), n);
        }

        assert_eq!(
            receive(b.as_raw_fd(), &mut bytes).err(),
            Some(Errno::EAGAIN)
        );
    }
}
