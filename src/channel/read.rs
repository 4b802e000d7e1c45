//! Receiving one message, `ngx_read_channel`.

use std::mem::{MaybeUninit, offset_of};
use std::os::fd::{IntoRawFd, OwnedFd, RawFd};

use nix::errno::Errno;

use super::command::NGX_CMD_OPEN_CHANNEL;
use super::message::{MIN_SIZE, ngx_channel_t};
use super::partial;
use crate::log::{Debug, Level, Log};
use crate::status::{Result, Status};
use crate::sys::buffer::Buffer;
use crate::sys::fd::above_stdio;
use crate::sys::socket::{self, Received};
use crate::table::slots::CLOSED;

/// Receives one message of exactly the size of `message`, and returns the bytes
/// of the message.
///
/// If only a part of a message has arrived, the library keeps the part and its
/// descriptor until the rest arrives, and returns `Status::Again` (`D13`,
/// `D15`). On a socket with SO_PASSCRED, the parts of messages from several
/// senders can arrive in any order.
///
/// In an OPEN_CHANNEL, the field `fd` is the descriptor that arrived with the
/// message, or -1 if no descriptor arrived (`D12`). In a message with any other
/// command, the field `fd` is -1, and a descriptor that arrived is closed
/// (`D16`).
///
/// `Status::Error` means that the other end of the channel is closed, or that
/// `recvmsg(2)` failed, which is logged as an alert.
#[inline(always)]
pub fn read(log: Log, sock: RawFd, message: &mut [MaybeUninit<u8>]) -> Result<&[u8]> {
    let mut message = Buffer::new(message);

    if message.capacity() < MIN_SIZE {
        return Err(log.refuse(format_args!(
            "channel buffer of {} bytes is too small",
            message.capacity()
        )));
    }

    let mut fd = None;

    if !partial::any(sock) {
        let received = receive(log, sock, &mut message)?;

        fd = received.fd;

        if !message.is_full() {
            partial::keep(sock, received.sender, message.filled(), fd.take());
            message.clear();
        }
    }

    if !message.is_full() {
        fd = complete(log, sock, &mut message)?;
    }

    set_descriptor(log, &mut message, fd);

    Ok(message.into_filled())
}

/// Receives data of one sender into the part of `message` that is not filled
/// yet.
#[inline(always)]
fn receive(log: Log, sock: RawFd, message: &mut Buffer<'_>) -> Result<Received> {
    let received = socket::recv(sock, message).map_err(|err| receive_failed(log, sock, err))?;

    if received.truncated {
        log.error(Level::Alert, None, format_args!("recvmsg() truncated data"));
    }

    if received.len == 0 {
        let len = message.filled().len() + partial::forget(sock);
        return Err(end_of_stream(log, len));
    }

    Ok(received)
}

fn receive_failed(log: Log, sock: RawFd, err: Errno) -> Status {
    // The kernel reports ECONNRESET if the other process closed its end before
    // it had read all data.
    if err == Errno::ECONNRESET {
        return end_of_stream(log, partial::forget(sock));
    }

    log.again_or_fail(Level::Alert, err, format_args!("recvmsg() failed"))
}

/// Receives data until one message is complete, of which a part has arrived
/// before. Returns the descriptor of this message.
#[cold]
fn complete(log: Log, sock: RawFd, message: &mut Buffer<'_>) -> Result<Option<OwnedFd>> {
    let mut fd = partial::take_whole(sock, message);

    while !message.is_full() {
        let sender = socket::next_sender(sock).map_err(|err| receive_failed(log, sock, err))?;

        fd = partial::take(sock, sender, message);

        let received = receive(log, sock, message)?;

        fd = fd.or(received.fd);

        if !message.is_full() {
            partial::keep(sock, sender, message.filled(), fd.take());
            message.clear();
        }
    }

    Ok(fd)
}

/// Logs that the other end of the channel is closed. An alert if `len` is not
/// 0: `len` bytes of an unfinished message are lost then.
fn end_of_stream(log: Log, len: usize) -> Status {
    if len == 0 {
        log.debug(Debug::Core, format_args!("recvmsg() returned zero"));
        return Status::Error;
    }

    log.refuse(format_args!("recvmsg() returned not enough data: {len}"))
}

/// Sets the field `fd` of the message to the descriptor if the command is
/// OPEN_CHANNEL, else to -1.
#[inline(always)]
fn set_descriptor(log: Log, message: &mut Buffer<'_>, fd: Option<OwnedFd>) {
    let opens = message
        .filled()
        .starts_with(&NGX_CMD_OPEN_CHANNEL.to_ne_bytes());

    if opens && fd.is_none() {
        log.error(
            Level::Alert,
            None,
            format_args!("recvmsg() returned no ancillary data"),
        );
    }

    // In a process whose stdin is closed, the kernel can give the descriptor
    // the number 0, which nginx treats as "no channel" (D11). So the descriptor
    // is moved to a higher number.
    let fd = fd
        .filter(|_| opens)
        .and_then(|fd| above_stdio(fd).ok())
        .map_or(CLOSED, IntoRawFd::into_raw_fd);

    message.put(offset_of!(ngx_channel_t, fd), fd.to_ne_bytes());
}
