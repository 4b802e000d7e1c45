//! Socket pairs, messages and the descriptors that travel with them.

use std::ffi::c_int;
use std::mem::{MaybeUninit, size_of, size_of_val};
use std::os::fd::{FromRawFd, OwnedFd, RawFd};
use std::ptr;

use nix::errno::Errno;
use nix::sys::socket::{AddressFamily, SockFlag, SockType};

use super::buffer::Buffer;
use super::fd::above_stdio;

/// `SCM_PIDFD` of `unix(7)`, missing in libc: a descriptor that SO_PASSPIDFD
/// adds to each message.
const SCM_PIDFD: c_int = 4;

/// Room for a `cmsghdr` with `bytes` of data, `cmsg(3)`.
const fn cmsg_space(bytes: usize) -> usize {
    // SAFETY: CMSG_SPACE only calculates.
    unsafe { libc::CMSG_SPACE(bytes as libc::c_uint) as usize }
}

/// `SCM_MAX_FD`: the kernel passes no more descriptors in one message.
const MAX_FDS: usize = 253;

/// Room for all that a message can carry: the descriptors, and what
/// SO_PASSCRED, SO_PASSPIDFD, SO_PASSSEC and SO_TIMESTAMP add (`D16`, `D19`).
const CONTROL: usize = cmsg_space(MAX_FDS * size_of::<c_int>())
    + cmsg_space(size_of::<libc::ucred>())
    + cmsg_space(size_of::<c_int>())
    + cmsg_space(256)
    + cmsg_space(size_of::<libc::timespec>());

/// A control buffer, aligned as `cmsghdr` wants it.
#[repr(C, align(8))]
struct Control<const N: usize>([MaybeUninit<u8>; N]);

/// A connected pair of Unix stream sockets, close-on-exec, non-blocking and
/// above stderr, `socketpair(2)`.
pub fn socketpair() -> Result<[OwnedFd; 2], Errno> {
    let (a, b) = nix::sys::socket::socketpair(
        AddressFamily::Unix,
        SockType::Stream,
        None,
        SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK,
    )?;

    Ok([above_stdio(a)?, above_stdio(b)?])
}

/// Asks for SIGIO when `sock` becomes ready, `ioctl(FIOASYNC)`.
pub fn set_async(sock: RawFd) -> Result<(), Errno> {
    let on: c_int = 1;

    // SAFETY: FIOASYNC reads an int.
    Errno::result(unsafe { libc::ioctl(sock, libc::FIOASYNC, &raw const on) }).map(drop)
}

/// Names the process that gets the SIGIO of `sock`, `fcntl(F_SETOWN)`.
pub fn set_owner(sock: RawFd, pid: libc::pid_t) -> Result<(), Errno> {
    // SAFETY: F_SETOWN takes an int.
    Errno::result(unsafe { libc::fcntl(sock, libc::F_SETOWN, pid) }).map(drop)
}

/// Has the kernel tell with whatever arrives at `sock` who has sent it, and
/// not join what two have sent, SO_PASSCRED of `unix(7)`.
pub fn tell_senders(sock: RawFd) -> Result<(), Errno> {
    let on: c_int = 1;

    // SAFETY: SO_PASSCRED reads an int of that size.
    Errno::result(unsafe {
        libc::setsockopt(
            sock,
            libc::SOL_SOCKET,
            libc::SO_PASSCRED,
            (&raw const on).cast(),
            size_of_val(&on) as libc::socklen_t,
        )
    })
    .map(drop)
}

/// `SO_SNDBUF` of `sock`, in bytes, `socket(7)`.
pub fn send_buffer(sock: RawFd) -> Result<usize, Errno> {
    let mut size: c_int = 0;
    let mut len = size_of_val(&size) as libc::socklen_t;

    // SAFETY: `size` and `len` are writable and belong together.
    Errno::result(unsafe {
        libc::getsockopt(
            sock,
            libc::SOL_SOCKET,
            libc::SO_SNDBUF,
            (&raw mut size).cast(),
            &raw mut len,
        )
    })?;

    Ok(usize::try_from(size).unwrap_or_default())
}

fn msghdr(iov: &mut libc::iovec) -> libc::msghdr {
    // SAFETY: an all-zero msghdr is a valid value: no name, no vector, no
    // control data.
    let mut msg: libc::msghdr = unsafe { std::mem::zeroed() };

    msg.msg_iov = iov;
    msg.msg_iovlen = 1;

    msg
}

/// Sends `bytes`, with a copy of `fd` if there is one; never raises SIGPIPE.
///
/// Bytes may be padding that nobody has initialised; the kernel copies them
/// unseen. Returns how many went, `sendmsg(2)`; without a descriptor
/// `send(2)`, which spares the kernel some work.
pub fn send(sock: RawFd, bytes: &[MaybeUninit<u8>], fd: Option<RawFd>) -> Result<usize, Errno> {
    const SPACE: usize = cmsg_space(size_of::<c_int>());

    let Some(fd) = fd else {
        // SAFETY: all of `bytes` is readable.
        return unsafe { send_bytes(sock, bytes.as_ptr().cast(), bytes.len()) };
    };

    let mut control = Control([MaybeUninit::<u8>::zeroed(); SPACE]);
    let mut iov = libc::iovec {
        iov_base: bytes.as_ptr().cast_mut().cast(),
        iov_len: bytes.len(),
    };
    let mut msg = msghdr(&mut iov);

    msg.msg_control = (&raw mut control).cast();
    msg.msg_controllen = SPACE as _;

    // SAFETY: `control` is aligned and has room for one header with one int,
    // so CMSG_FIRSTHDR is not NULL and CMSG_DATA lies within it.
    unsafe {
        let cm = libc::CMSG_FIRSTHDR(&raw const msg);
        (*cm).cmsg_len = libc::CMSG_LEN(size_of::<c_int>() as libc::c_uint) as _;
        (*cm).cmsg_level = libc::SOL_SOCKET;
        (*cm).cmsg_type = libc::SCM_RIGHTS;
        ptr::write_unaligned(libc::CMSG_DATA(cm).cast::<c_int>(), fd);
    }

    retry(|| {
        // SAFETY: `msg` points to `iov`, `bytes` and `control`, which live.
        unsafe { libc::sendmsg(sock, &raw const msg, libc::MSG_NOSIGNAL) }
    })
}

/// What `recv` got.
pub struct Received {
    /// How many bytes; 0 at the end of the stream.
    pub len: usize,
    /// The first descriptor that came along; any other has been closed.
    pub fd: Option<OwnedFd>,
    /// Whose bytes they are; 0 if `tell_senders` was not asked for.
    pub sender: libc::pid_t,
    /// The kernel had more to give than fitted, or no descriptor was free.
    pub truncated: bool,
}

/// Receives into the rest of `buffer`; descriptors arrive close-on-exec,
/// `recvmsg(2)`.
#[inline(always)]
pub fn recv(sock: RawFd, buffer: &mut Buffer<'_>) -> Result<Received, Errno> {
    let mut control = Control([MaybeUninit::<u8>::uninit(); CONTROL]);
    let rest = buffer.rest();
    let mut iov = libc::iovec {
        iov_base: rest.as_mut_ptr().cast(),
        iov_len: rest.len(),
    };
    let mut msg = msghdr(&mut iov);

    msg.msg_control = (&raw mut control).cast();
    msg.msg_controllen = CONTROL as _;

    let len = retry(|| {
        // SAFETY: `msg` points to `iov`, `rest` and `control`, which live and
        // are writable.
        unsafe { libc::recvmsg(sock, &raw mut msg, libc::MSG_CMSG_CLOEXEC) }
    })?;

    // SAFETY: the kernel has written `len` bytes into `rest`.
    unsafe { buffer.advance(len) };

    let (fd, sender) = if msg.msg_controllen == 0 {
        (None, 0)
    } else if let Some(fd) = only_descriptor(&msg, &control) {
        // SAFETY: the kernel has just made it, for this process only.
        (Some(unsafe { OwnedFd::from_raw_fd(fd) }), 0)
    } else {
        // SAFETY: recvmsg() has just filled `msg` and its control data in.
        unsafe { take_control(&msg) }
    };

    Ok(Received {
        len,
        fd,
        sender,
        truncated: msg.msg_flags & (libc::MSG_TRUNC | libc::MSG_CTRUNC) != 0,
    })
}

/// Who has sent what `recv` would get next, see `Received`.
pub fn next_sender(sock: RawFd) -> Result<libc::pid_t, Errno> {
    // The sender comes first; a descriptor for which there is room as well is
    // a copy, and closed at once.
    const SPACE: usize = cmsg_space(size_of::<libc::ucred>());

    let mut control = Control([MaybeUninit::<u8>::uninit(); SPACE]);
    let mut byte = MaybeUninit::<u8>::uninit();
    let mut iov = libc::iovec {
        iov_base: byte.as_mut_ptr().cast(),
        iov_len: 1,
    };
    let mut msg = msghdr(&mut iov);

    msg.msg_control = (&raw mut control).cast();
    msg.msg_controllen = SPACE as _;

    retry(|| {
        let flags = libc::MSG_PEEK | libc::MSG_CMSG_CLOEXEC;

        // SAFETY: `msg` points to `iov`, `byte` and `control`, which live.
        unsafe { libc::recvmsg(sock, &raw mut msg, flags) }
    })?;

    // SAFETY: recvmsg() has just filled `msg` and its control data in.
    let (_, sender) = unsafe { take_control(&msg) };

    Ok(sender)
}

/// Receives at most `size` bytes, `recv(2)`.
///
/// # Safety
///
/// `size` bytes at `buf` are writable.
pub unsafe fn recv_bytes(sock: RawFd, buf: *mut u8, size: usize) -> Result<usize, Errno> {
    // SAFETY: promised by the caller.
    retry(|| unsafe { libc::recv(sock, buf.cast(), size, 0) })
}

/// Sends at most `size` bytes, without SIGPIPE, `send(2)`.
///
/// # Safety
///
/// `size` bytes at `buf` are readable.
pub unsafe fn send_bytes(sock: RawFd, buf: *const u8, size: usize) -> Result<usize, Errno> {
    // SAFETY: promised by the caller.
    retry(|| unsafe { libc::send(sock, buf.cast(), size, libc::MSG_NOSIGNAL) })
}

/// Control data with nothing but one descriptor: what comes mostly.
#[repr(C, align(8))]
#[derive(Clone, Copy)]
struct OneDescriptor {
    header: libc::cmsghdr,
    fd: c_int,
}

const _: () = assert!(size_of::<OneDescriptor>() == cmsg_space(size_of::<c_int>()));

/// The descriptor, if that is all there is in the control data of `msg`.
#[inline(always)]
#[allow(clippy::unnecessary_cast)] // not with every C library
fn only_descriptor(msg: &libc::msghdr, control: &Control<CONTROL>) -> Option<RawFd> {
    const LEN: usize = size_of::<libc::cmsghdr>() + size_of::<c_int>();

    if msg.msg_controllen as usize != size_of::<OneDescriptor>() {
        return None;
    }

    // SAFETY: `control` is aligned and longer, and the kernel has written all
    // of this but the padding.
    let one = unsafe { (&raw const *control).cast::<OneDescriptor>().read() };

    (one.header.cmsg_len as usize == LEN
        && one.header.cmsg_level == libc::SOL_SOCKET
        && one.header.cmsg_type == libc::SCM_RIGHTS
        && one.fd >= 0)
        .then_some(one.fd)
}

/// Takes every descriptor out of a received message, keeps the first passed
/// one and closes the rest; finds out who has sent it, 0 if it does not say.
/// Other control messages are skipped (`D19`).
///
/// # Safety
///
/// recvmsg() has filled `msg` in, and nobody has taken its descriptors yet.
#[inline(never)]
unsafe fn take_control(msg: &libc::msghdr) -> (Option<OwnedFd>, libc::pid_t) {
    let mut first = None;
    let mut sender = 0;

    // SAFETY: the kernel wrote well-formed headers up to msg_controllen.
    let mut cm = unsafe { libc::CMSG_FIRSTHDR(msg) };

    while !cm.is_null() {
        // SAFETY: `cm` is a header within the control data.
        let header = unsafe { cm.read() };

        // SAFETY: CMSG_LEN only calculates.
        let len = (header.cmsg_len as usize).saturating_sub(unsafe { libc::CMSG_LEN(0) } as _);

        if header.cmsg_level == libc::SOL_SOCKET {
            match header.cmsg_type {
                libc::SCM_RIGHTS => {
                    // SAFETY: the data of `cm` are that many descriptors.
                    let fd = unsafe { take_descriptors(cm, len / size_of::<c_int>()) };

                    first = first.or(fd);
                }
                SCM_PIDFD => {
                    // SAFETY: the same.
                    drop(unsafe { take_descriptors(cm, len / size_of::<c_int>()) });
                }
                libc::SCM_CREDENTIALS if len >= size_of::<libc::ucred>() => {
                    // SAFETY: the data of `cm` are a ucred, perhaps not aligned.
                    let credentials =
                        unsafe { libc::CMSG_DATA(cm).cast::<libc::ucred>().read_unaligned() };

                    sender = credentials.pid;
                }
                _ => {}
            }
        }

        // SAFETY: as for CMSG_FIRSTHDR.
        cm = unsafe { libc::CMSG_NXTHDR(msg, cm) };
    }

    (first, sender)
}

/// Keeps the first of `n` descriptors and closes the rest.
///
/// # Safety
///
/// The data of `cm` holds that many, which nobody has taken yet.
unsafe fn take_descriptors(cm: *const libc::cmsghdr, n: usize) -> Option<OwnedFd> {
    let mut first = None;

    for i in 0..n {
        // SAFETY: promised by the caller; they are not aligned for certain,
        // and each is a new descriptor of ours.
        let fd = unsafe {
            let fds = libc::CMSG_DATA(cm).cast::<c_int>();
            take_fd(fds.add(i).read_unaligned())
        };

        first = first.or(fd);
    }

    first
}

/// Owns a descriptor number from the kernel; a SCM_PIDFD may be negative,
/// an errno instead of a descriptor.
///
/// # Safety
///
/// If not negative, `fd` is open and owned by nobody else.
unsafe fn take_fd(fd: RawFd) -> Option<OwnedFd> {
    // SAFETY: promised by the caller.
    (fd >= 0).then(|| unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Repeats a call that a signal interrupted: only a blocking socket of the
/// caller's own meets that.
fn retry(mut call: impl FnMut() -> isize) -> Result<usize, Errno> {
    loop {
        match Errno::result(call()) {
            Err(Errno::EINTR) => {}
            result => return result.map(|n| usize::try_from(n).unwrap_or_default()),
        }
    }
}
