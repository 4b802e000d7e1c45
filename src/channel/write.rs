//! Sending one message, `ngx_write_channel`.

use std::mem::MaybeUninit;
use std::os::fd::RawFd;

use nix::errno::Errno;

use super::command::NGX_CMD_OPEN_CHANNEL;
use super::message::ngx_channel_t;
use crate::log::{Level, Log};
use crate::status::{Result, Status};
use crate::sys::socket::{self, Wait};
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
    let fd = (ch.fd != CLOSED).then_some(ch.fd);

    if fd.is_none() && ch.command == NGX_CMD_OPEN_CHANNEL {
        // The receiver would enter a process into its table that has no channel
        // (D3).
        return Err(log.refuse(format_args!(
            "OPEN_CHANNEL without a descriptor is not sent"
        )));
    }

    let send = move |wait| socket::send(sock, message, fd, wait);

    let sent = if message.len() <= ALWAYS_WHOLE {
        send(Wait::Never)
    } else {
        check_large(sock, message.len()).and_then(|()| send(Wait::Never))
    };

    match sent {
        Ok(n) if n == message.len() => Ok(()),
        sent => send_again(log, message.len(), if_gone, sent, send, may_wait),
    }
}

/// Refuses a message that is smaller than `ngx_channel_t`, with an alert.
#[cold]
pub fn refuse_small(log: Log, size: usize) -> Status {
    log.refuse(format_args!("channel message of {size} bytes is too small"))
}

/// Repeats a call of `send` that can succeed when it is repeated. `sent` is the
/// result of the first call.
#[cold]
fn send_again(
    log: Log,
    size: usize,
    if_gone: Level,
    mut sent: std::result::Result<usize, Errno>,
    send: impl Fn(Wait) -> std::result::Result<usize, Errno>,
    may_wait: impl Fn() -> bool,
) -> Result {
    // The other process has closed its end before it had read all messages. The
    // kernel reports this once as ECONNRESET, unix(7). The next call fails with
    // EPIPE.
    if sent == Err(Errno::ECONNRESET) {
        sent = send(Wait::Never);
    }

    if sent == Err(Errno::EAGAIN) && may_wait() {
        sent = send(Wait::AsFlagSays);
    }

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
