//! Sending one message, `ngx_write_channel`.

use std::mem::MaybeUninit;
use std::os::fd::RawFd;

use nix::errno::Errno;

use super::command::NGX_CMD_OPEN_CHANNEL;
use super::message::MIN_SIZE;
use crate::config::ngx_uint_t;
use crate::log::{Level, Log};
use crate::status::Result;
use crate::sys::socket::{self, Wait};
use crate::table::slots::CLOSED;

/// The kernel puts a message of this size, in bytes, into one of its buffers
/// whatever SO_SNDBUF is, since SO_SNDBUF is at least `SOCK_MIN_SNDBUF`.
pub(super) const ALWAYS_WHOLE: usize = 2048;

/// One buffer of the kernel takes at most half of SO_SNDBUF less this number
/// of bytes.
pub(super) const BUFFER_OVERHEAD: usize = 64;

/// One buffer of the kernel takes at most this number of bytes.
pub(super) const BUFFER_MAX: usize = 32 * 1024;

/// Sends one message, with a copy of the descriptor `fd` unless that is -1.
///
/// The kernel takes a message that fits into one of its buffers whole or not
/// at all (`D15`). A longer one is refused with EMSGSIZE. `Status::Again`
/// means that the socket is full. If `wait` allows it, a call on a blocking
/// socket waits then. SIGPIPE is not raised; a failure because the other end is
/// closed is logged at the level `if_gone`, other failures are alerts.
#[inline(always)]
pub fn write(
    log: Log,
    sock: RawFd,
    message: &[MaybeUninit<u8>],
    command: ngx_uint_t,
    fd: RawFd,
    if_gone: Level,
    wait: Wait,
) -> Result {
    if message.len() < MIN_SIZE {
        return Err(log.refuse(format_args!(
            "channel message of {} bytes is too small",
            message.len()
        )));
    }

    if command == NGX_CMD_OPEN_CHANNEL && fd == CLOSED {
        // The receiver would enter a process without a channel (D3).
        return Err(log.refuse(format_args!(
            "OPEN_CHANNEL without a descriptor is not sent"
        )));
    }

    let fd = (fd != CLOSED).then_some(fd);
    let mut sent =
        check_size(sock, message.len()).and_then(|()| socket::send(sock, message, fd, wait));

    // The other end was closed before it had read all messages: unix(7). The
    // kernel says so once; after that it says that the other end is closed.
    if sent == Err(Errno::ECONNRESET) {
        sent = socket::send(sock, message, fd, wait);
    }

    match sent {
        Ok(n) if n == message.len() => Ok(()),
        Ok(n) => Err(log.refuse(format_args!(
            "sendmsg() sent only {n} of {} bytes",
            message.len()
        ))),
        Err(err) => Err(log.again_or_fail(if_gone, err, format_args!("sendmsg() failed"))),
    }
}

/// EMSGSIZE if a message of `size` bytes needs more than one buffer.
fn check_size(sock: RawFd, size: usize) -> std::result::Result<(), Errno> {
    if size <= ALWAYS_WHOLE {
        return Ok(());
    }

    let whole = (socket::send_buffer(sock)? / 2).saturating_sub(BUFFER_OVERHEAD);

    if size <= whole.min(BUFFER_MAX) {
        Ok(())
    } else {
        Err(Errno::EMSGSIZE)
    }
}
