//! Socket pairs, messages, and the descriptors that are sent with them.

use std::ffi::c_int;
use std::mem::{MaybeUninit, size_of, size_of_val};
use std::os::fd::{FromRawFd, OwnedFd, RawFd};
use std::ptr;

use nix::errno::Errno;
use nix::sys::socket::{AddressFamily, SockFlag, SockType};

use super::buffer::Buffer;
use super::fd::above_stdio;

/// `SCM_PIDFD` of `unix(7)`, which libc does not have: with SO_PASSPIDFD each
/// message carries a descriptor of its sender.
const SCM_PIDFD: c_int = 4;

/// The size of a `cmsghdr` with `bytes` of data, `cmsg(3)`.
const fn cmsg_space(bytes: usize) -> usize {
    // SAFETY: CMSG_SPACE only calculates, it touches no memory.
    unsafe { libc::CMSG_SPACE(bytes as libc::c_uint) as usize }
}

/// `SCM_MAX_FD` of the kernel: the largest number of descriptors that one
/// message carries.
const MAX_FDS: usize = 253;

/// The size of the control data that a message can carry: the descriptors, and
/// what SO_PASSCRED, SO_PASSPIDFD, SO_PASSSEC and SO_TIMESTAMP add. With less
/// room the kernel would drop some of it (`D16`, `D19`).
const CONTROL: usize = cmsg_space(MAX_FDS * size_of::<c_int>())
    + cmsg_space(size_of::<libc::ucred>())
    + cmsg_space(size_of::<c_int>())
    + cmsg_space(256)
    + cmsg_space(size_of::<libc::timespec>());

/// A buffer for control data, aligned for `cmsghdr`.
#[repr(C, align(8))]
struct Control<const N: usize>([MaybeUninit<u8>; N]);

/// Makes a connected pair of Unix stream sockets: close-on-exec, non-blocking,
/// with numbers above stderr, `socketpair(2)`.
pub fn socketpair() -> Result<[OwnedFd; 2], Errno> {
    let (a, b) = nix::sys::socket::socketpair(
        AddressFamily::Unix,
        SockType::Stream,
        None,
        SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK,
    )?;

    Ok([above_stdio(a)?, above_stdio(b)?])
}

/// Enables SIGIO when `sock` becomes ready, `ioctl(FIOASYNC)`.
pub fn set_async(sock: RawFd) -> Result<(), Errno> {
    let on: c_int = 1;

    // SAFETY: FIOASYNC reads an int, which `on` is.
    Errno::result(unsafe { libc::ioctl(sock, libc::FIOASYNC, &raw const on) }).map(drop)
}

/// Sets the process that gets the SIGIO of `sock`, `fcntl(F_SETOWN)`.
pub fn set_owner(sock: RawFd, pid: libc::pid_t) -> Result<(), Errno> {
    // SAFETY: F_SETOWN touches no memory.
    Errno::result(unsafe { libc::fcntl(sock, libc::F_SETOWN, pid) }).map(drop)
}

/// Enables SO_PASSCRED of `unix(7)`, so that data that arrives at `sock` carries
/// the pid of its sender, and one call returns data of one sender only.
pub fn enable_sender_pid(sock: RawFd) -> Result<(), Errno> {
    let on: c_int = 1;

    // SAFETY: SO_PASSCRED reads an int, which `on` is.
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

/// The size of the send buffer of `sock` in bytes, SO_SNDBUF of `socket(7)`.
pub fn send_buffer(sock: RawFd) -> Result<usize, Errno> {
    let mut size: c_int = 0;
    let mut len = size_of_val(&size) as libc::socklen_t;

    // SAFETY: the kernel writes at most `len` bytes to `size`, and the length to
    // `len`; both are local.
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

/// A message of one buffer, without control data.
fn msghdr(iov: &mut libc::iovec) -> libc::msghdr {
    // SAFETY: an all-zero msghdr is valid: it has no name, no buffer, and no
    // control data.
    let mut msg: libc::msghdr = unsafe { std::mem::zeroed() };

    msg.msg_iov = iov;
    msg.msg_iovlen = 1;

    msg
}

/// Sends `bytes`, with a copy of the descriptor `fd` if it is given. SIGPIPE is
/// not raised. Returns the number of bytes that were sent.
///
/// `bytes` may contain padding that is not initialised: the kernel only copies
/// it. Calls `sendmsg(2)`, or `send(2)` if there is no descriptor, which takes
/// less time.
pub fn send(sock: RawFd, bytes: &[MaybeUninit<u8>], fd: Option<RawFd>) -> Result<usize, Errno> {
    const SPACE: usize = cmsg_space(size_of::<c_int>());

    let Some(fd) = fd else {
        // SAFETY: `bytes` is a slice, so all of it may be read.
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

    // SAFETY: `control` is aligned and as large as one header with one int, so
    // CMSG_FIRSTHDR is not NULL, and CMSG_DATA lies within `control`.
    unsafe {
        let cm = libc::CMSG_FIRSTHDR(&raw const msg);
        (*cm).cmsg_len = libc::CMSG_LEN(size_of::<c_int>() as libc::c_uint) as _;
        (*cm).cmsg_level = libc::SOL_SOCKET;
        (*cm).cmsg_type = libc::SCM_RIGHTS;
        ptr::write_unaligned(libc::CMSG_DATA(cm).cast::<c_int>(), fd);
    }

    retry(|| {
        // SAFETY: `msg` points to `iov`, `bytes` and `control`, which live until
        // the end of this function.
        unsafe { libc::sendmsg(sock, &raw const msg, libc::MSG_NOSIGNAL) }
    })
}

/// What [`recv`] has received.
pub struct Received {
    /// The number of bytes; 0 if the other end is closed.
    pub len: usize,
    /// The first descriptor that the message carried. Others have been closed.
    pub fd: Option<OwnedFd>,
    /// The pid of the sender; 0 without [`enable_sender_pid`].
    pub sender: libc::pid_t,
    /// The kernel has dropped control data: it did not fit, or no descriptor was
    /// free.
    pub truncated: bool,
}

/// Receives data into the rest of `buffer`, `recvmsg(2)`. Descriptors arrive
/// close-on-exec.
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
        // SAFETY: `msg` points to `iov`, `rest` and `control`, which live until
        // the end of this function and may be written.
        unsafe { libc::recvmsg(sock, &raw mut msg, libc::MSG_CMSG_CLOEXEC) }
    })?;

    // SAFETY: the kernel has written `len` bytes to `rest`.
    unsafe { buffer.advance(len) };

    let (fd, sender) = if msg.msg_controllen == 0 {
        (None, 0)
    } else if let Some(fd) = only_descriptor(&msg, &control) {
        // SAFETY: the kernel has just made the descriptor, so it has no owner.
        (Some(unsafe { OwnedFd::from_raw_fd(fd) }), 0)
    } else {
        // SAFETY: recvmsg() has just written `msg` and its control data.
        unsafe { take_control(&msg) }
    };

    Ok(Received {
        len,
        fd,
        sender,
        truncated: msg.msg_flags & (libc::MSG_TRUNC | libc::MSG_CTRUNC) != 0,
    })
}

/// The pid of the sender of the data that [`recv`] would return next; 0 without
/// [`enable_sender_pid`], `MSG_PEEK` of `recvmsg(2)`.
pub fn next_sender(sock: RawFd) -> Result<libc::pid_t, Errno> {
    // The kernel writes the sender first. If it writes a descriptor too, that
    // is a copy, which is closed at once.
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

        // SAFETY: `msg` points to `iov`, `byte` and `control`, which live until
        // the end of this function and may be written.
        unsafe { libc::recvmsg(sock, &raw mut msg, flags) }
    })?;

    // SAFETY: recvmsg() has just written `msg` and its control data.
    let (_, sender) = unsafe { take_control(&msg) };

    Ok(sender)
}

/// Receives at most `size` bytes, `recv(2)`. Returns their number.
///
/// # Safety
///
/// `size` bytes at `buf` may be written.
pub unsafe fn recv_bytes(sock: RawFd, buf: *mut u8, size: usize) -> Result<usize, Errno> {
    // SAFETY: the kernel writes at most `size` bytes at `buf`, as this function
    // demands.
    retry(|| unsafe { libc::recv(sock, buf.cast(), size, 0) })
}

/// Sends at most `size` bytes, `send(2)`. SIGPIPE is not raised. Returns the
/// number of bytes that were sent.
///
/// # Safety
///
/// `size` bytes at `buf` may be read.
pub unsafe fn send_bytes(sock: RawFd, buf: *const u8, size: usize) -> Result<usize, Errno> {
    // SAFETY: the kernel reads `size` bytes at `buf`, as this function demands.
    retry(|| unsafe { libc::send(sock, buf.cast(), size, libc::MSG_NOSIGNAL) })
}

/// Control data that is one descriptor: the usual case.
#[repr(C, align(8))]
#[derive(Clone, Copy)]
struct OneDescriptor {
    header: libc::cmsghdr,
    fd: c_int,
}

const _: () = assert!(size_of::<OneDescriptor>() == cmsg_space(size_of::<c_int>()));

/// The descriptor, if the control data of `msg` is one descriptor only.
#[inline(always)]
#[allow(clippy::unnecessary_cast)] // not with every C library
fn only_descriptor(msg: &libc::msghdr, control: &Control<CONTROL>) -> Option<RawFd> {
    const LEN: usize = size_of::<libc::cmsghdr>() + size_of::<c_int>();

    if msg.msg_controllen as usize != size_of::<OneDescriptor>() {
        return None;
    }

    // SAFETY: `control` is aligned and longer, and the kernel has written all of
    // these bytes but the padding.
    let one = unsafe { (&raw const *control).cast::<OneDescriptor>().read() };

    (one.header.cmsg_len as usize == LEN
        && one.header.cmsg_level == libc::SOL_SOCKET
        && one.header.cmsg_type == libc::SCM_RIGHTS
        && one.fd >= 0)
        .then_some(one.fd)
}

/// Takes the descriptors out of a received message: returns the first one and
/// closes the others. Returns the pid of the sender too, 0 if the message does
/// not carry it. Other control data is skipped (`D19`).
///
/// # Safety
///
/// recvmsg() has written `msg`, and its descriptors have no owner yet.
#[inline(never)]
unsafe fn take_control(msg: &libc::msghdr) -> (Option<OwnedFd>, libc::pid_t) {
    let mut first = None;
    let mut sender = 0;

    // SAFETY: the kernel has written valid headers up to `msg_controllen`.
    let mut cm = unsafe { libc::CMSG_FIRSTHDR(msg) };

    while !cm.is_null() {
        // SAFETY: `cm` points to a header within the control data.
        let header = unsafe { cm.read() };

        // SAFETY: CMSG_LEN only calculates, it touches no memory.
        let len = (header.cmsg_len as usize).saturating_sub(unsafe { libc::CMSG_LEN(0) } as _);

        if header.cmsg_level == libc::SOL_SOCKET {
            match header.cmsg_type {
                libc::SCM_RIGHTS => {
                    // SAFETY: the data of SCM_RIGHTS are as many descriptors, and
                    // this is the only loop that takes them.
                    let fd = unsafe { take_descriptors(cm, len / size_of::<c_int>()) };

                    first = first.or(fd);
                }
                SCM_PIDFD => {
                    // SAFETY: the data of SCM_PIDFD is one descriptor, and this is
                    // the only loop that takes it.
                    drop(unsafe { take_descriptors(cm, len / size_of::<c_int>()) });
                }
                libc::SCM_CREDENTIALS if len >= size_of::<libc::ucred>() => {
                    // SAFETY: the data of SCM_CREDENTIALS is a ucred, which need not
                    // be aligned.
                    let credentials =
                        unsafe { libc::CMSG_DATA(cm).cast::<libc::ucred>().read_unaligned() };

                    sender = credentials.pid;
                }
                _ => {}
            }
        }

        // SAFETY: `cm` is a header that the kernel has written, within the control
        // data of `msg`.
        cm = unsafe { libc::CMSG_NXTHDR(msg, cm) };
    }

    (first, sender)
}

/// Returns the first of `n` descriptors and closes the others.
///
/// # Safety
///
/// The data of `cm` are `n` descriptors without an owner.
unsafe fn take_descriptors(cm: *const libc::cmsghdr, n: usize) -> Option<OwnedFd> {
    let mut first = None;

    for i in 0..n {
        // SAFETY: `i` is less than `n`, so as this function demands there is a
        // descriptor without an owner; it need not be aligned.
        let fd = unsafe {
            let fds = libc::CMSG_DATA(cm).cast::<c_int>();
            take_fd(fds.add(i).read_unaligned())
        };

        first = first.or(fd);
    }

    first
}

/// Owns a descriptor that the kernel has written; `None` if it is negative: the
/// kernel writes an errno in place of a SCM_PIDFD that it could not make.
///
/// # Safety
///
/// `fd` is negative, or open and without an owner.
unsafe fn take_fd(fd: RawFd) -> Option<OwnedFd> {
    // SAFETY: `fd` is not negative, so as this function demands it has no owner.
    (fd >= 0).then(|| unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Repeats a system call that a signal has interrupted. Only a blocking socket
/// of the program's own can be interrupted.
fn retry(mut call: impl FnMut() -> isize) -> Result<usize, Errno> {
    loop {
        match Errno::result(call()) {
            Err(Errno::EINTR) => {}
            result => return result.map(|n| usize::try_from(n).unwrap_or_default()),
        }
    }
}
