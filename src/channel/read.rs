//! Receiving one message, `ngx_read_channel`.

use std::mem::{MaybeUninit, offset_of};
use std::os::fd::{IntoRawFd, OwnedFd, RawFd};

use nix::errno::Errno;

use super::command::NGX_CMD_OPEN_CHANNEL;
use super::message::{MIN_SIZE, is_possible, ngx_channel_t};
use super::turn::Turn;
use crate::config::ngx_uint_t;
use crate::log::{Debug, Level, Log};
use crate::status::{Result, Status};
use crate::sys::buffer::Buffer;
use crate::sys::fd::above_stdio;
use crate::sys::socket::{self, Received, Wait};
use crate::table::slots::CLOSED;

/// Receives one message of exactly the size of `message`, and returns the bytes
/// of the message.
///
/// A channel of the process table keeps messages apart. There the function
/// drops a message of another size and its descriptors, logs an alert, and
/// receives the next message. A stream socket of the program's own does not
/// keep messages apart. There less data than `message` has room for is an error
/// (`D15`).
///
/// In an OPEN_CHANNEL, the field `fd` is the descriptor that arrived with the
/// message, or -1 if no descriptor arrived (`D12`). In a message with any other
/// command, the field `fd` is -1, and a descriptor that arrived is closed
/// (`D16`).
///
/// The caller has counted one message in `turn`. If the function drops a message,
/// it counts the next message that it receives. `turn` is `None` if the caller
/// receives only this message.
///
/// `may_wait` tells whether the function may wait for a message. It is called
/// only if no message has arrived.
///
/// `Status::Again` means that no message has arrived, or that the function has
/// dropped a message and `turn` is over. `Status::Error` means that the other
/// end of the channel is closed, or that `recvmsg(2)` failed, which is logged as
/// an alert.
#[inline(always)]
pub fn read<'a>(
    log: Log,
    sock: RawFd,
    message: &'a mut [MaybeUninit<u8>],
    turn: Option<&Turn>,
    may_wait: impl Fn() -> bool,
) -> Result<&'a [u8]> {
    let mut message = Buffer::new(message);

    if !is_possible(message.capacity()) {
        return Err(refuse_size(log, message.capacity()));
    }

    let received = socket::recv(sock, &mut message, Wait::Never);

    if message.is_full() && !received.is_truncated() {
        Ok(finish(log, message, received.fd))
    } else {
        receive(log, sock, message, turn, received, may_wait)
    }
}

/// Refuses a buffer that is smaller than `ngx_channel_t`, or larger than any
/// object in memory, with an alert.
#[cold]
#[inline(never)]
pub fn refuse_size(log: Log, size: usize) -> Status {
    let what = if size < MIN_SIZE { "small" } else { "large" };

    log.refuse(format_args!("channel buffer of {size} bytes is too {what}"))
}

/// Receives messages until a message fills `message`. `received` is the result
/// of the first call.
#[cold]
fn receive<'a>(
    log: Log,
    sock: RawFd,
    mut message: Buffer<'a>,
    turn: Option<&Turn>,
    mut received: Received,
    may_wait: impl Fn() -> bool,
) -> Result<&'a [u8]> {
    let one_message = Turn::of_one_message();
    let turn = turn.unwrap_or(&one_message);
    let mut wait = Wait::Never;

    loop {
        match received.result() {
            Ok(len) => match complete(log, sock, &message, len, received) {
                Ok(fd) => return Ok(finish(log, message, fd)),
                Err(Status::Again) => {}
                Err(Status::Error) => return Err(Status::Error),
            },
            // The kernel reports ECONNRESET if the other process closed its end
            // before it had read all messages, unix(7). The messages that the
            // other process has sent before follow.
            Err(Errno::ECONNRESET) => {}
            Err(Errno::EAGAIN) if wait == Wait::Never && may_wait() => wait = Wait::AsFlagSays,
            Err(err) => {
                return Err(log.again_or_fail(Level::Alert, err, format_args!("recvmsg() failed")));
            }
        }

        if !turn.take() {
            return Err(Status::Again);
        }

        received = socket::recv(sock, &mut message, wait);
    }
}

/// Returns the descriptor of a message that fills `message`. `Status::Again`
/// means that the message has another size and is dropped.
fn complete(
    log: Log,
    sock: RawFd,
    message: &Buffer<'_>,
    len: usize,
    received: Received,
) -> Result<Option<OwnedFd>> {
    if received.is_truncated() {
        log.error(Level::Alert, None, format_args!("recvmsg() truncated data"));
    }

    if received.is_longer() {
        return Err(Status::Again);
    }

    if message.is_full() {
        return Ok(received.fd);
    }

    let is_stream = socket::is_stream(sock);

    if len == 0 && (is_stream || socket::is_at_end(sock)) {
        log.debug(Debug::Core, format_args!("recvmsg() returned zero"));
        return Err(Status::Error);
    }

    let status = log.refuse(format_args!("recvmsg() returned not enough data: {len}"));

    Err(if is_stream { status } else { Status::Again })
}

/// Returns the bytes of a complete message. Sets the field `fd` of the message
/// to the descriptor if the command is OPEN_CHANNEL, else to -1.
#[inline(always)]
fn finish<'a>(log: Log, mut message: Buffer<'a>, fd: Option<OwnedFd>) -> &'a [u8] {
    let opens = (message.filled().first_chunk())
        .is_some_and(|&command| ngx_uint_t::from_ne_bytes(command) == NGX_CMD_OPEN_CHANNEL);

    let fd = match fd {
        // In a process whose stdin is closed, the kernel can give the descriptor
        // the number 0, which nginx treats as "no channel" (D11). So the
        // descriptor is moved to a higher number.
        Some(fd) if opens => above_stdio(fd).map_or(CLOSED, IntoRawFd::into_raw_fd),
        None if opens => {
            log_no_descriptor(log);
            CLOSED
        }
        _ => CLOSED,
    };

    message.put(offset_of!(ngx_channel_t, fd), fd.to_ne_bytes());
    message.into_filled()
}

#[cold]
fn log_no_descriptor(log: Log) {
    log.error(
        Level::Alert,
        None,
        format_args!("recvmsg() returned no ancillary data"),
    );
}
