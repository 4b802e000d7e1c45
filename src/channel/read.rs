//! Receiving one message, `ngx_read_channel`.

use std::mem::{MaybeUninit, offset_of};
use std::os::fd::{IntoRawFd, OwnedFd, RawFd};

use nix::errno::Errno;

use super::command::NGX_CMD_OPEN_CHANNEL;
use super::message::{MIN_SIZE, ngx_channel_t};
use crate::log::{Debug, Level, Log};
use crate::status::{Result, Status};
use crate::sys::buffer::Buffer;
use crate::sys::fd::above_stdio;
use crate::sys::socket::{self, Received, Wait};
use crate::table::slots::CLOSED;

/// The largest number of messages that are handled one after the other, before
/// a process does something else. A channel holds fewer, but other processes
/// may fill it as fast as this one reads it.
pub const TURN: usize = 512;

/// Receives one message of exactly the size of `message`, and returns it.
///
/// A channel of the table keeps the bounds of messages. There a message of
/// another size is dropped with its descriptors, which is an alert in the log,
/// and the next one is received. A stream socket of the program's own does not
/// keep them: there less data than `message` has room for is an error (`D15`).
///
/// `fd` of the message is the descriptor of an OPEN_CHANNEL, or -1 if none
/// arrived (`D12`). With any other command a descriptor is closed (`D16`) and
/// `fd` is -1.
///
/// `may_wait` says whether the call waits if O_NONBLOCK is not set. It is called
/// only if no message has arrived.
///
/// `Status::Again` means that no message has arrived, or that as many as
/// [`TURN`] were dropped. `Status::Error` means that the other end is closed, or
/// that the call failed, which is an alert in the log.
#[inline(always)]
pub fn read(
    log: Log,
    sock: RawFd,
    message: &mut [MaybeUninit<u8>],
    may_wait: impl FnOnce() -> bool,
) -> Result<&[u8]> {
    let mut message = Buffer::new(message);

    if message.capacity() < MIN_SIZE {
        return Err(log.refuse(format_args!(
            "channel buffer of {} bytes is too small",
            message.capacity()
        )));
    }

    let fd = match socket::recv(sock, &mut message, Wait::Never) {
        Ok(received) if message.is_full() && !received.is_truncated() => received.fd,
        Err(Errno::EAGAIN) if may_wait() => {
            let waited = socket::recv(sock, &mut message, Wait::AsFlagSays);

            receive(log, sock, &mut message, waited, Wait::AsFlagSays)?
        }
        received => receive(log, sock, &mut message, received, Wait::Never)?,
    };

    set_descriptor(log, &mut message, fd);

    Ok(message.into_filled())
}

/// Receives until a message fills `message`. `received` is the result of the
/// first call. Returns the descriptor of the message.
#[cold]
fn receive(
    log: Log,
    sock: RawFd,
    message: &mut Buffer<'_>,
    mut received: std::result::Result<Received, Errno>,
    wait: Wait,
) -> Result<Option<OwnedFd>> {
    for _ in 1..TURN {
        match received {
            Ok(received) => match complete(log, sock, message, received) {
                Ok(fd) => return Ok(fd),
                Err(Status::Again) => {}
                Err(Status::Error) => return Err(Status::Error),
            },
            // The other end was closed before it had read all messages:
            // unix(7). Those that it has sent before follow.
            Err(Errno::ECONNRESET) => {}
            Err(err) => {
                return Err(log.again_or_fail(Level::Alert, err, format_args!("recvmsg() failed")));
            }
        }

        message.clear();
        received = socket::recv(sock, message, wait);
    }

    Err(Status::Again)
}

/// Returns the descriptor of a message that fills `message`. `Status::Again`
/// means that the message has another size and is dropped.
fn complete(
    log: Log,
    sock: RawFd,
    message: &Buffer<'_>,
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

    if received.len == 0 && (is_stream || socket::is_at_end(sock)) {
        log.debug(Debug::Core, format_args!("recvmsg() returned zero"));
        return Err(Status::Error);
    }

    let status = log.refuse(format_args!(
        "recvmsg() returned not enough data: {}",
        received.len
    ));

    Err(if is_stream { status } else { Status::Again })
}

/// Sets `fd` of the message: the descriptor of an OPEN_CHANNEL, else -1.
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

    // In a process whose stdin is closed the kernel may choose 0, which nginx
    // takes for "no channel" (D11).
    let fd = fd
        .filter(|_| opens)
        .and_then(|fd| above_stdio(fd).ok())
        .map_or(CLOSED, IntoRawFd::into_raw_fd);

    message.put(offset_of!(ngx_channel_t, fd), fd.to_ne_bytes());
}
