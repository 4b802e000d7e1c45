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

/// Whether a call waits for a socket that is full, or empty.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// It fails with EAGAIN, `MSG_DONTWAIT` of `send(2)`.
    Never,
    /// It waits unless O_NONBLOCK is set.
    AsFlagSays,
}

impl Wait {
    fn flag(self) -> c_int {
        match self {
            Self::Never => libc::MSG_DONTWAIT,
            Self::AsFlagSays => 0,
        }
    }
}

/// Makes a connected pair of Unix sockets that keep the bounds of messages,
/// SOCK_SEQPACKET of `unix(7)`: close-on-exec, non-blocking, with numbers above
/// stderr, `socketpair(2)`.
pub fn socketpair() -> Result<[OwnedFd; 2], Errno> {
    pair_of(SockType::SeqPacket)
}

/// Makes a connected pair of stream sockets in the same way.
pub fn stream_pair() -> Result<[OwnedFd; 2], Errno> {
    pair_of(SockType::Stream)
}

fn pair_of(kind: SockType) -> Result<[OwnedFd; 2], Errno> {
    let (a, b) = nix::sys::socket::socketpair(
        AddressFamily::Unix,
        kind,
        None,
        SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK,
    )?;

    Ok([above_stdio(a)?, above_stdio(b)?])
}

/// Whether a call on `sock` waits: O_NONBLOCK of `fcntl(2)` is not set.
pub fn is_blocking(sock: RawFd) -> bool {
    // SAFETY: F_GETFL accesses no memory.
    let flags = unsafe { libc::fcntl(sock, libc::F_GETFL) };

    flags != -1 && flags & libc::O_NONBLOCK == 0
}

/// Whether `sock` is a stream, which does not keep the bounds of messages,
/// SO_TYPE of `socket(7)`.
pub fn is_stream(sock: RawFd) -> bool {
    int_option(sock, libc::SO_TYPE).is_ok_and(|kind| kind == libc::SOCK_STREAM)
}

/// Whether `sock` is a Unix socket that keeps the bounds of messages, as
/// [`socketpair`] makes it.
pub fn is_of_messages(sock: RawFd) -> bool {
    int_option(sock, libc::SO_DOMAIN) == Ok(libc::AF_UNIX)
        && int_option(sock, libc::SO_TYPE) == Ok(libc::SOCK_SEQPACKET)
}

/// Whether `sock` is a Unix stream socket that does not listen.
pub fn is_connected_stream(sock: RawFd) -> bool {
    int_option(sock, libc::SO_DOMAIN) == Ok(libc::AF_UNIX)
        && int_option(sock, libc::SO_TYPE) == Ok(libc::SOCK_STREAM)
        && int_option(sock, libc::SO_ACCEPTCONN) == Ok(0)
}

/// Whether the other end of `sock` is closed, and nothing is left to receive.
pub fn is_at_end(sock: RawFd) -> bool {
    let mut fds = libc::pollfd {
        fd: sock,
        events: libc::POLLRDHUP,
        revents: 0,
    };
    let mut unread: c_int = 0;

    // SAFETY: poll() reads and writes one pollfd, and FIONREAD writes an int;
    // both are local.
    unsafe {
        libc::poll(&raw mut fds, 1, 0);
        libc::ioctl(sock, libc::FIONREAD, &raw mut unread);
    }

    fds.revents != 0 && unread == 0
}

/// The size of the send buffer of `sock` in bytes, SO_SNDBUF of `socket(7)`.
pub fn send_buffer(sock: RawFd) -> Result<usize, Errno> {
    int_option(sock, libc::SO_SNDBUF).map(|size| usize::try_from(size).unwrap_or_default())
}

/// An option of `socket(7)` that is an int, `getsockopt(2)`.
pub fn int_option(sock: RawFd, option: c_int) -> Result<c_int, Errno> {
    let mut value: c_int = 0;
    let mut len = size_of_val(&value) as libc::socklen_t;

    // SAFETY: the kernel writes at most `len` bytes to `value`, and the length
    // to `len`; both are local.
    Errno::result(unsafe {
        libc::getsockopt(
            sock,
            libc::SOL_SOCKET,
            option,
            (&raw mut value).cast(),
            &raw mut len,
        )
    })?;

    Ok(value)
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

/// The result of [`send`] or [`send_with`].
#[derive(Clone, Copy)]
pub struct Sent(isize);

impl Sent {
    /// Whether `n` bytes were sent.
    #[inline(always)]
    pub fn is(self, n: usize) -> bool {
        self.0 == n.cast_signed()
    }

    /// The number of bytes that were sent, or the errno. Call this function
    /// before another system call changes the errno.
    pub fn result(self) -> Result<usize, Errno> {
        count(self.0)
    }
}

/// Sends `bytes`, `send(2)`. SIGPIPE is not raised. A signal can end the call
/// with EINTR.
///
/// `bytes` can contain padding that is not initialised, because the kernel only
/// copies the bytes.
#[inline(always)]
pub fn send(sock: RawFd, bytes: &[MaybeUninit<u8>], wait: Wait) -> Sent {
    let flags = libc::MSG_NOSIGNAL | wait.flag();

    // SAFETY: `bytes` is a slice, so the kernel can read all of its bytes.
    Sent(unsafe { libc::send(sock, bytes.as_ptr().cast(), bytes.len(), flags) })
}

/// Sends `bytes` as [`send`] does, and with them a copy of the descriptor `fd`,
/// `sendmsg(2)`. This takes more time than [`send`].
#[inline(always)]
pub fn send_with(sock: RawFd, bytes: &[MaybeUninit<u8>], fd: RawFd, wait: Wait) -> Sent {
    const SPACE: usize = cmsg_space(size_of::<c_int>());

    let flags = libc::MSG_NOSIGNAL | wait.flag();
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
    Sent(unsafe { libc::sendmsg(sock, &raw const msg, flags) })
}

/// The result of [`recv`], and the data about the message that was received.
pub struct Received {
    /// The result of `recvmsg(2)`.
    result: isize,
    /// The first descriptor that the message carried. Other descriptors have
    /// been closed.
    pub fd: Option<OwnedFd>,
    /// `msg_flags` of `recvmsg(2)`.
    flags: c_int,
}

impl Received {
    /// The number of bytes that were received, or the errno. The number is 0 if
    /// the message is empty, or if the other end is closed. Call this function
    /// before another system call changes the errno.
    pub fn result(&self) -> Result<usize, Errno> {
        count(self.result)
    }

    /// Whether the kernel has dropped control data, because the buffer was too
    /// small or because no descriptor was free, or whether the message [is
    /// longer](Self::is_longer).
    pub fn is_truncated(&self) -> bool {
        self.flags & (libc::MSG_TRUNC | libc::MSG_CTRUNC) != 0
    }

    /// Whether the message was longer than the buffer, and the kernel has
    /// dropped the rest of the message.
    pub fn is_longer(&self) -> bool {
        self.flags & libc::MSG_TRUNC != 0
    }
}

/// Receives a message into `buffer`, `recvmsg(2)`. If this fails, the buffer is
/// empty afterwards. Descriptors that arrive are close-on-exec. A signal can end
/// the call with EINTR.
#[inline(always)]
pub fn recv(sock: RawFd, buffer: &mut Buffer<'_>, wait: Wait) -> Received {
    let flags = libc::MSG_CMSG_CLOEXEC | wait.flag();
    let mut control = Control([MaybeUninit::<u8>::uninit(); CONTROL]);
    let memory = buffer.memory();
    let mut iov = libc::iovec {
        iov_base: memory.as_mut_ptr().cast(),
        iov_len: memory.len(),
    };
    let mut msg = msghdr(&mut iov);

    msg.msg_control = (&raw mut control).cast();
    msg.msg_controllen = CONTROL as _;

    // SAFETY: `msg` points to `iov`, `memory` and `control`, which live until
    // the end of this function and may be written.
    let result = unsafe { libc::recvmsg(sock, &raw mut msg, flags) };

    // SAFETY: the kernel has written `result` bytes of the buffer, unless
    // `result` is -1.
    unsafe { buffer.set_filled(usize::try_from(result).unwrap_or_default()) };

    let fd = if result < 0 || msg.msg_controllen == 0 {
        None
    } else if let Some(fd) = only_descriptor(&msg, &control) {
        // SAFETY: the kernel has just made the descriptor, so it has no owner.
        Some(unsafe { OwnedFd::from_raw_fd(fd) })
    } else {
        // SAFETY: recvmsg() has just written `msg` and its control data.
        unsafe { take_control(&msg) }
    };

    Received {
        result,
        fd,
        flags: msg.msg_flags,
    }
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

/// Sends one byte without waiting, `send(2)`. SIGPIPE is not raised.
pub fn send_byte(sock: RawFd) -> Result<(), Errno> {
    let byte = 0_u8;
    let flags = libc::MSG_NOSIGNAL | libc::MSG_DONTWAIT;

    // SAFETY: the kernel reads one byte of `byte`, which is local.
    count(unsafe { libc::send(sock, (&raw const byte).cast(), 1, flags) }).map(drop)
}

/// Drops bytes that have arrived on a stream, without waiting, and the descriptors
/// that came with them. Returns how many bytes were dropped, at most 4096; 0 if
/// the other end is closed. Async-signal-safe.
pub fn drop_bytes(sock: RawFd) -> Result<usize, Errno> {
    let mut bytes = [0_u8; 4096];

    // SAFETY: the kernel writes at most the bytes of `bytes`, which is local.
    count(unsafe {
        libc::recv(
            sock,
            bytes.as_mut_ptr().cast(),
            bytes.len(),
            libc::MSG_DONTWAIT,
        )
    })
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

/// The number of bytes that a system call has returned, or its errno if the
/// result is negative.
#[inline(always)]
fn count(result: isize) -> Result<usize, Errno> {
    usize::try_from(result).map_err(|_| last_error())
}

/// The errno of the system call that has just failed.
#[cold]
#[inline(never)]
fn last_error() -> Errno {
    Errno::last()
}

#[cfg(test)]
mod tests;
