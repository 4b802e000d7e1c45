//! Socket pairs, and messages with descriptors.

use std::ffi::c_int;
use std::mem::{MaybeUninit, size_of, size_of_val};
use std::os::fd::{FromRawFd, OwnedFd, RawFd};
use std::ptr;

use nix::errno::Errno;
use nix::sys::socket::{AddressFamily, SockFlag, SockType};

use super::buffer::Buffer;
use super::control::{CONTROL, Control, cmsg_space, only_descriptor, take_control};
use super::fd::above_stdio;

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

/// Makes the kernel send SIGIO when `sock` becomes ready, `ioctl(FIOASYNC)`.
pub fn set_async(sock: RawFd) -> Result<(), Errno> {
    let on: c_int = 1;

    // SAFETY: FIOASYNC reads an int, which `on` is.
    Errno::result(unsafe { libc::ioctl(sock, libc::FIOASYNC, &raw const on) }).map(drop)
}

/// Sets the process that gets the SIGIO of `sock`, `fcntl(F_SETOWN)`.
pub fn set_owner(sock: RawFd, pid: libc::pid_t) -> Result<(), Errno> {
    // SAFETY: F_SETOWN accesses no memory.
    Errno::result(unsafe { libc::fcntl(sock, libc::F_SETOWN, pid) }).map(drop)
}

/// Enables SO_PASSCRED of `unix(7)`, so that data that arrives at `sock`
/// carries the pid of its sender, and one call returns data of one sender only.
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

    // SAFETY: the kernel writes at most `len` bytes to `size`, and the length
    // to `len`; both are local.
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

/// A `msghdr` for a message in one buffer, without control data.
fn msghdr(iov: &mut libc::iovec) -> libc::msghdr {
    // SAFETY: an all-zero msghdr is valid: it has no name, no buffer, and no
    // control data.
    let mut msg: libc::msghdr = unsafe { std::mem::zeroed() };

    msg.msg_iov = iov;
    msg.msg_iovlen = 1;

    msg
}

/// Sends `bytes`, and with them a copy of the descriptor `fd` if `fd` is given.
/// SIGPIPE is not raised. Returns the number of bytes that were sent.
///
/// `bytes` can contain padding that is not initialised, because the kernel only
/// copies the bytes. The function calls `sendmsg(2)`, or without a descriptor
/// `send(2)`, which takes less time. A signal
/// can end the call with EINTR.
pub fn send(sock: RawFd, bytes: &[MaybeUninit<u8>], fd: Option<RawFd>) -> Result<usize, Errno> {
    const SPACE: usize = cmsg_space(size_of::<c_int>());

    let Some(fd) = fd else {
        // SAFETY: `bytes` is a slice, so the kernel can read all of its bytes.
        return count(unsafe {
            libc::send(sock, bytes.as_ptr().cast(), bytes.len(), libc::MSG_NOSIGNAL)
        });
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

    // SAFETY: `msg` points to `iov`, `bytes` and `control`, which live until the
    // end of this function.
    count(unsafe { libc::sendmsg(sock, &raw const msg, libc::MSG_NOSIGNAL) })
}

/// The data about the message that [`recv`] has received.
pub struct Received {
    /// The number of bytes that were received; 0 if the other end is closed.
    pub len: usize,
    /// The first descriptor that the message carried. Other descriptors have
    /// been closed.
    pub fd: Option<OwnedFd>,
    /// The pid of the sender; 0 if [`enable_sender_pid`] was not called for the
    /// socket.
    pub sender: libc::pid_t,
    /// True if the kernel has dropped control data, because the buffer was too
    /// small or because no descriptor was free.
    pub truncated: bool,
}

/// Receives data into the part of `buffer` that is not filled yet,
/// `recvmsg(2)`. Descriptors that arrive are close-on-exec. A signal can end
/// the call with EINTR.
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

    // SAFETY: `msg` points to `iov`, `rest` and `control`, which live until the
    // end of this function and may be written.
    let len = count(unsafe { libc::recvmsg(sock, &raw mut msg, libc::MSG_CMSG_CLOEXEC) })?;

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

/// The pid of the sender of the data that [`recv`] would return next,
/// `MSG_PEEK` of `recvmsg(2)`; 0 if [`enable_sender_pid`] was not called for
/// the socket.
pub fn next_sender(sock: RawFd) -> Result<libc::pid_t, Errno> {
    // The kernel writes the sender's credentials first. If the kernel also
    // writes a descriptor, it is a copy of the one that `recv` will get, and is
    // closed at once.
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

    let flags = libc::MSG_PEEK | libc::MSG_CMSG_CLOEXEC;

    // SAFETY: `msg` points to `iov`, `byte` and `control`, which live until the
    // end of this function and may be written.
    count(unsafe { libc::recvmsg(sock, &raw mut msg, flags) })?;

    // SAFETY: recvmsg() has just written `msg` and its control data.
    let (_, sender) = unsafe { take_control(&msg) };

    Ok(sender)
}

/// Receives at most `size` bytes, `recv(2)`. Returns the number of bytes that
/// were received.
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

/// Repeats a system call that a signal has interrupted, as nginx does for the
/// sockets of connections. The calls for channels are not repeated: the caller
/// can have set a timer whose signal is to end a call on a blocking channel.
fn retry(mut call: impl FnMut() -> isize) -> Result<usize, Errno> {
    loop {
        match count(call()) {
            Err(Errno::EINTR) => {}
            result => return result,
        }
    }
}

/// The number of bytes that a system call has returned, or its errno.
#[inline(always)]
fn count(result: isize) -> Result<usize, Errno> {
    Errno::result(result).map(|n| usize::try_from(n).unwrap_or_default())
}
