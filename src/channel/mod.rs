//! Messages of fixed size between processes, whole or not at all.

pub mod close;
pub mod partial;
pub mod queue;

use std::mem::{MaybeUninit, offset_of};
use std::os::fd::{IntoRawFd, OwnedFd, RawFd};

use nix::errno::Errno;

use crate::config::{ngx_fd_t, ngx_int_t, ngx_pid_t, ngx_uint_t};
use crate::log::{Debug, Level, Log};
use crate::status::{Result, Status};
use crate::sys::buffer::{Buffer, copy};
use crate::sys::fd::above_stdio;
use crate::sys::socket::{self, Received};
use crate::table::globals::Globals;
use crate::table::slots::CLOSED;

/// The message of nginx's channels; a caller's own may be longer, with this
/// in front.
#[allow(non_camel_case_types)]
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ngx_channel_t {
    /// NGX_CMD_OPEN_CHANNEL and so on, or a number of the caller's own.
    pub command: ngx_uint_t,
    /// The process that the message is about.
    pub pid: ngx_pid_t,
    /// Its slot.
    pub slot: ngx_int_t,
    /// A descriptor that travels with the message, or -1.
    pub fd: ngx_fd_t,
}

/// The size of the shortest message.
pub const MIN_SIZE: usize = size_of::<ngx_channel_t>();

/// `NGX_CMD_OPEN_CHANNEL`: a process has been spawned, here is its channel.
pub(crate) const CMD_OPEN_CHANNEL: ngx_uint_t = 1;
/// `NGX_CMD_CLOSE_CHANNEL`: a process has exited.
pub(crate) const CMD_CLOSE_CHANNEL: ngx_uint_t = 2;
/// `NGX_CMD_QUIT`: shut down gracefully.
pub(crate) const CMD_QUIT: ngx_uint_t = 3;
/// `NGX_CMD_TERMINATE`: exit.
pub(crate) const CMD_TERMINATE: ngx_uint_t = 4;
/// `NGX_CMD_REOPEN`: reopen the logs.
#[cfg(feature = "standalone")]
pub(crate) const CMD_REOPEN: ngx_uint_t = 5;
/// `NGX_IPC_CMD_OPEN_CHANNELS`: all processes that were to be spawned together
/// have been, their channels are there.
#[cfg(feature = "standalone")]
pub(crate) const CMD_OPEN_CHANNELS: ngx_uint_t = 0x6e67_7801;

impl ngx_channel_t {
    /// A command that carries no descriptor.
    pub fn command(command: ngx_uint_t) -> Self {
        Self {
            command,
            pid: 0,
            slot: 0,
            fd: CLOSED,
        }
    }

    /// What the first bytes of a message say; shorter ones are zero.
    #[cfg(not(feature = "standalone"))]
    pub fn head_of(message: &[u8]) -> Self {
        fn get<const N: usize>(message: &[u8], at: usize) -> [u8; N] {
            let value = message.get(at..).and_then(|rest| rest.first_chunk());

            value.copied().unwrap_or([0; N])
        }

        Self {
            command: usize::from_ne_bytes(get(message, offset_of!(Self, command))),
            pid: ngx_pid_t::from_ne_bytes(get(message, offset_of!(Self, pid))),
            slot: ngx_int_t::from_ne_bytes(get(message, offset_of!(Self, slot))),
            fd: ngx_fd_t::from_ne_bytes(get(message, offset_of!(Self, fd))),
        }
    }

    /// The message as the bytes that travel.
    pub fn bytes(&self) -> [MaybeUninit<u8>; MIN_SIZE] {
        let mut bytes = [MaybeUninit::new(0); MIN_SIZE];
        let mut put = |at: usize, value: &[u8]| {
            copy(bytes.get_mut(at..).unwrap_or_default(), value);
        };

        put(offset_of!(Self, command), &self.command.to_ne_bytes());
        put(offset_of!(Self, pid), &self.pid.to_ne_bytes());
        put(offset_of!(Self, slot), &self.slot.to_ne_bytes());
        put(offset_of!(Self, fd), &self.fd.to_ne_bytes());

        bytes
    }
}

/// A message of this size is one buffer of the kernel's whatever SO_SNDBUF
/// is, since no SO_SNDBUF is smaller than `SOCK_MIN_SNDBUF`.
const ALWAYS_WHOLE: usize = 2048;

/// The kernel takes at most half of SO_SNDBUF, less this, as one buffer,
const BUFFER_OVERHEAD: usize = 64;
/// and not more than the pages of one buffer.
const BUFFER_MAX: usize = 32 * 1024;

/// Sends one message, and a copy of `fd` with it unless that is -1.
///
/// The kernel takes a single buffer whole or not at all (`D15`). A message
/// that would need several is refused with EMSGSIZE; when the socket is full
/// `Status::Again` is returned. SIGPIPE is not raised; that nobody reads any
/// more is logged at the level `if_gone`.
#[inline(always)]
pub fn write(
    log: Log,
    sock: RawFd,
    message: &[MaybeUninit<u8>],
    command: ngx_uint_t,
    fd: RawFd,
    if_gone: Level,
) -> Result {
    if message.len() < MIN_SIZE {
        return Err(log.refuse(format_args!(
            "channel message of {} bytes is too small",
            message.len()
        )));
    }

    if command == CMD_OPEN_CHANNEL && fd == CLOSED {
        // D3: it would have the receiver open nothing.
        return Err(log.refuse(format_args!(
            "OPEN_CHANNEL without a descriptor is not sent"
        )));
    }

    let fd = (fd != CLOSED).then_some(fd);

    let sent = fits(sock, message.len()).and_then(|()| socket::send(sock, message, fd));

    match sent {
        Ok(n) if n == message.len() => Ok(()),
        Ok(n) => Err(log.refuse(format_args!(
            "sendmsg() sent only {n} of {} bytes",
            message.len()
        ))),
        Err(err) => Err(log.again_or_fail(if_gone, err, format_args!("sendmsg() failed"))),
    }
}

fn fits(sock: RawFd, size: usize) -> std::result::Result<(), Errno> {
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

/// Receives one message of exactly the size of `message`.
///
/// What has arrived of a message that is not whole yet is kept for the next
/// call, with its descriptor (`D13`, `D15`); meanwhile `Status::Again`. Where
/// the socket tells who has sent what, messages of others may come in between. The
/// descriptor of an OPEN_CHANNEL is handed over in the message's `fd`, -1 if
/// there was none (`D12`); any other that arrives is closed (`D16`), and
/// `fd` is -1.
///
/// Returns the message.
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
        fd = read_on(log, sock, &mut message)?;
    }

    hand_over(log, &mut message, fd);

    Ok(message.into_filled())
}

/// Receives what there is for `message`, of one sender.
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
    // The other end has been closed with something in it unread.
    if err == Errno::ECONNRESET {
        return end_of_stream(log, partial::forget(sock));
    }

    log.again_or_fail(Level::Alert, err, format_args!("recvmsg() failed"))
}

/// Receives the rest of a message of which a piece has arrived: whichever is
/// whole first. Returns its descriptor.
#[cold]
fn read_on(log: Log, sock: RawFd, message: &mut Buffer<'_>) -> Result<Option<OwnedFd>> {
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

fn end_of_stream(log: Log, len: usize) -> Status {
    if len == 0 {
        log.debug(Debug::Core, format_args!("recvmsg() returned zero"));
        return Status::Error;
    }

    log.refuse(format_args!("recvmsg() returned not enough data: {len}"))
}

/// Enters the descriptor that has arrived, or none, into the message.
#[inline(always)]
fn hand_over(log: Log, message: &mut Buffer<'_>, fd: Option<OwnedFd>) {
    let opens = message
        .filled()
        .starts_with(&CMD_OPEN_CHANNEL.to_ne_bytes());

    if opens && fd.is_none() {
        log.error(
            Level::Alert,
            None,
            format_args!("recvmsg() returned no ancillary data"),
        );
    }

    // A receiver without stdin would get it as 0, which is no channel (D11).
    let fd = fd
        .filter(|_| opens)
        .and_then(|fd| above_stdio(fd).ok())
        .map_or(CLOSED, IntoRawFd::into_raw_fd);

    message.put(offset_of!(ngx_channel_t, fd), fd.to_ne_bytes());
}

/// The slot of another process that a message names (`D18`).
pub fn others_slot(g: &Globals, log: Log, ch: &ngx_channel_t) -> Option<usize> {
    let slot = g.table.index(ch.slot).filter(|&i| i != g.own_slot());

    if slot.is_none() {
        log.error(
            Level::Alert,
            None,
            format_args!(
                "channel command {} for slot {} ignored",
                ch.command, ch.slot
            ),
        );
    }

    slot
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsRawFd;

    use super::*;
    use crate::sys::log::RawLog;

    fn log() -> Log {
        Log::new(RawLog::none())
    }

    fn receive(sock: RawFd, size: usize) -> Result<Vec<u8>> {
        let mut bytes = vec![MaybeUninit::new(0); size];

        read(log(), sock, &mut bytes)?;

        let mut buffer = Buffer::new(&mut bytes);

        // Everything was initialised above.
        #[allow(unsafe_code)]
        // SAFETY: as stated.
        unsafe {
            buffer.advance(size);
        }

        Ok(buffer.filled().to_vec())
    }

    fn message(command: ngx_uint_t, size: usize) -> Vec<MaybeUninit<u8>> {
        let mut bytes = ngx_channel_t::command(command).bytes().to_vec();

        bytes.resize(size, MaybeUninit::new(7));

        bytes
    }

    #[test]
    fn pieces_are_put_together() {
        let [a, b] = socket::socketpair().unwrap();
        let sent = message(31, 64);

        for piece in sent.chunks(5) {
            assert_eq!(
                receive(b.as_raw_fd(), 64).unwrap_err(),
                Status::Again,
                "nothing is handed out before it is whole"
            );
            socket::send(a.as_raw_fd(), piece, None).unwrap();
        }

        assert_eq!(receive(b.as_raw_fd(), 64).unwrap()[32..], [7; 32]);
        assert_eq!(receive(b.as_raw_fd(), 64).unwrap_err(), Status::Again);
    }

    #[test]
    fn a_piece_does_not_outlive_its_socket() {
        let [a, b] = socket::socketpair().unwrap();

        socket::send(a.as_raw_fd(), &message(31, 32)[..9], None).unwrap();
        assert_eq!(receive(b.as_raw_fd(), 32).unwrap_err(), Status::Again);

        // Another socket gets the same number, without close_channel().
        let [c, d] = socket::socketpair().unwrap();
        let number = b.as_raw_fd();

        #[allow(unsafe_code)]
        // SAFETY: both descriptors are ours.
        unsafe {
            libc::dup2(d.as_raw_fd(), number);
        }

        write(
            log(),
            c.as_raw_fd(),
            &message(32, 32),
            32,
            CLOSED,
            Level::Alert,
        )
        .unwrap();
        assert_eq!(receive(number, 32).unwrap()[0], 32);
    }

    #[test]
    fn large_messages_go_whole_or_not_at_all() {
        let [a, b] = socket::socketpair().unwrap();
        let mut sent = 0;

        while write(
            log(),
            a.as_raw_fd(),
            &message(31, BUFFER_MAX),
            31,
            CLOSED,
            Level::Alert,
        )
        .is_ok()
        {
            sent += 1;
        }

        assert!(sent > 1);

        for _ in 0..sent {
            assert_eq!(
                receive(b.as_raw_fd(), BUFFER_MAX).unwrap().len(),
                BUFFER_MAX
            );
        }

        assert_eq!(
            receive(b.as_raw_fd(), BUFFER_MAX).unwrap_err(),
            Status::Again,
            "no piece of the message that did not fit was sent"
        );
        assert_eq!(
            write(
                log(),
                a.as_raw_fd(),
                &message(31, BUFFER_MAX + 1),
                31,
                CLOSED,
                Level::Alert
            ),
            Err(Status::Error)
        );
    }

    #[test]
    fn a_small_send_buffer_lowers_the_bound() {
        let [a, _b] = socket::socketpair().unwrap();
        let size: libc::c_int = 1;

        #[allow(unsafe_code)]
        // SAFETY: `size` is readable; the kernel raises it to its minimum.
        unsafe {
            libc::setsockopt(
                a.as_raw_fd(),
                libc::SOL_SOCKET,
                libc::SO_SNDBUF,
                (&raw const size).cast(),
                size_of_val(&size) as libc::socklen_t,
            );
        }

        let least = socket::send_buffer(a.as_raw_fd()).unwrap();

        assert!(least / 2 - BUFFER_OVERHEAD >= ALWAYS_WHOLE);
        write(
            log(),
            a.as_raw_fd(),
            &message(31, ALWAYS_WHOLE),
            31,
            CLOSED,
            Level::Alert,
        )
        .unwrap();
        assert_eq!(
            write(
                log(),
                a.as_raw_fd(),
                &message(31, least),
                31,
                CLOSED,
                Level::Alert
            ),
            Err(Status::Error)
        );
    }
}
