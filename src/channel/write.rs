//! Sending one message, `ngx_write_channel`.

use std::mem::MaybeUninit;
use std::os::fd::RawFd;

use nix::errno::Errno;

use super::command::NGX_CMD_OPEN_CHANNEL;
use super::message::{MIN_SIZE, ngx_channel_t};
use crate::log::{Level, Log};
use crate::status::{Result, Status};
use crate::sys::socket::{self, Sent, Wait};
use crate::table::slots::CLOSED;

/// A message of at most this number of bytes always fits into one buffer of the
/// kernel, because the kernel makes SO_SNDBUF at least `SOCK_MIN_SNDBUF`.
pub(super) const ALWAYS_WHOLE: usize = 2048;

/// The number of bytes by which the largest message that fits into one buffer
/// of the kernel is smaller than half of SO_SNDBUF.
pub(super) const BUFFER_OVERHEAD: usize = 64;

/// The size in bytes of the largest message that fits into one buffer of the
/// kernel, even if SO_SNDBUF is larger.
pub(super) const BUFFER_MAX: usize = 32 * 1024;

/// Sends `message`, whose first fields are `ch`, and with it a copy of the
/// descriptor `ch.fd` unless this is -1.
///
/// The kernel accepts a message that fits into one of its buffers either
/// completely or not at all. The kernel can accept a part of a longer message
/// (`D15`), so this function refuses a longer message with EMSGSIZE.
///
/// `may_wait` tells whether the function may wait for room in the socket. It is
/// called only if the socket is full.
///
/// `Status::Again` means that the socket is full. `Status::Error` means that the
/// message was not sent, and that the failure is in the log: at the level
/// `if_gone` if the other end is closed, else as an alert. SIGPIPE is not
/// raised.
#[inline(always)]
pub fn write(
    log: Log,
    sock: RawFd,
    message: &[MaybeUninit<u8>],
    ch: &ngx_channel_t,
    if_gone: Level,
    may_wait: impl Fn() -> bool,
) -> Result {
    if ch.fd == CLOSED && ch.command == NGX_CMD_OPEN_CHANNEL {
        // The receiver would enter a process into its table that has no channel
        // (D3).
        return Err(log.refuse(format_args!(
            "OPEN_CHANNEL without a descriptor is not sent"
        )));
    }

    if message.len() > ALWAYS_WHOLE
        && let Err(err) = check_large(sock, message.len())
    {
        return Err(log.fail(Level::Alert, err, format_args!("sendmsg() failed")));
    }

    let sent = send(sock, message, ch.fd, Wait::Never);

    if sent.is(message.len()) {
        Ok(())
    } else {
        send_again(log, sock, message, ch.fd, if_gone, sent, may_wait)
    }
}

/// Sends `message` as [`write()`] does, with one system call and without a check.
/// The message has at most `ALWAYS_WHOLE` bytes, carries no descriptor, and
/// is no OPEN_CHANNEL.
#[inline(always)]
pub fn write_plain(
    log: Log,
    sock: RawFd,
    message: &[MaybeUninit<u8>],
    if_gone: Level,
    may_wait: impl Fn() -> bool,
) -> Result {
    let sent = socket::send(sock, message, Wait::Never);

    if sent.is(message.len()) {
        Ok(())
    } else {
        send_again(log, sock, message, CLOSED, if_gone, sent, may_wait)
    }
}

/// Refuses a message that is smaller than `ngx_channel_t`, or larger than any
/// object in memory, with an alert.
#[cold]
#[inline(never)]
pub fn refuse_size(log: Log, size: usize) -> Status {
    if size < MIN_SIZE {
        log.refuse(format_args!("channel message of {size} bytes is too small"))
    } else {
        let err = Errno::EMSGSIZE;

        log.fail(Level::Alert, err, format_args!("sendmsg() failed"))
    }
}

/// Sends `message`, and with it a copy of the descriptor `fd` unless this is -1.
#[inline(always)]
fn send(sock: RawFd, message: &[MaybeUninit<u8>], fd: RawFd, wait: Wait) -> Sent {
    if fd == CLOSED {
        socket::send(sock, message, wait)
    } else {
        socket::send_with(sock, message, fd, wait)
    }
}

/// Sends `message` again if the next call can succeed. `sent` is the result of
/// the first call.
#[cold]
fn send_again(
    log: Log,
    sock: RawFd,
    message: &[MaybeUninit<u8>],
    fd: RawFd,
    if_gone: Level,
    sent: Sent,
    may_wait: impl Fn() -> bool,
) -> Result {
    let mut sent = sent.result();

    // The other process has closed its end before it had read all messages. The
    // kernel reports this once as ECONNRESET, unix(7). The next call fails with
    // EPIPE.
    if sent == Err(Errno::ECONNRESET) {
        sent = send(sock, message, fd, Wait::Never).result();
    }

    if sent == Err(Errno::EAGAIN) && may_wait() {
        sent = send(sock, message, fd, Wait::AsFlagSays).result();
    }

    let size = message.len();

    match sent {
        Ok(n) if n == size => Ok(()),
        Ok(n) => Err(log.refuse(format_args!("sendmsg() sent only {n} of {size} bytes"))),
        Err(err) => Err(log.again_or_fail(if_gone, err, format_args!("sendmsg() failed"))),
    }
}

/// Returns EMSGSIZE if a message of `size` bytes, more than [`ALWAYS_WHOLE`],
/// does not fit into one buffer of the kernel.
#[cold]
fn check_large(sock: RawFd, size: usize) -> std::result::Result<(), Errno> {
    let whole = (socket::send_buffer(sock)? / 2).saturating_sub(BUFFER_OVERHEAD);

    if size <= whole.min(BUFFER_MAX) {
        Ok(())
    } else {
        Err(Errno::EMSGSIZE)
    }
}
