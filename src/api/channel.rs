//! [`Channel`]: a pair of sockets for typed messages and descriptors.

use std::fmt;
use std::io;
use std::marker::PhantomData;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};

use nix::errno::Errno;

use super::payload::Payload;
use super::{commands, error};
use crate::sys::descriptors::Received;
use crate::sys::wait::{For, wait};
use crate::sys::{descriptors, socket};

/// The first byte of each message. Without it an empty message would look like the end
/// of the channel.
const MARK: u8 = 1;

/// One end of a channel: a connected pair of Unix sockets that keep the bounds of
/// messages, SOCK_SEQPACKET of `unix(7)`.
///
/// Both ends send and receive. The other end gets [`io::ErrorKind::UnexpectedEof`] when
/// no process has this end any more. So move an end into the closure of its process: then
/// the parent closes it. A process that is spawned inherits the end that the parent
/// keeps, too. A process that waits for its master learns in another way that the master
/// has exited: it gets [`io::ErrorKind::ConnectionAborted`]. In another thread than the
/// first one that has used the library, this does not end the wait.
///
/// ```
/// use ngx_ipc::api::{Channel, Program};
///
/// # fn main() -> std::io::Result<()> {
/// let program = Program::init()?;
/// let (ours, theirs) = Channel::<u64>::pair()?;
///
/// program.spawn(c"square", move |_| -> std::io::Result<()> {
///     let n = theirs.recv()?;
///
///     theirs.send(&(n * n))
/// })?;
///
/// ours.send(&7)?;
/// assert_eq!(ours.recv()?, 49);
/// program.wait()
/// # }
/// ```
pub struct Channel<T> {
    socket: OwnedFd,
    payload: PhantomData<fn(T) -> T>,
}

impl<T: Payload> Channel<T> {
    /// The largest payload of a message in bytes.
    pub const MAX_PAYLOAD: usize = 64 * 1024;

    /// The largest number of descriptors of a message.
    pub const MAX_FDS: usize = descriptors::MAX;

    /// Makes a channel and returns its two ends. The descriptors are close-on-exec.
    pub fn pair() -> io::Result<(Self, Self)> {
        let [one, other] = socket::socketpair()?.map(|socket| Self {
            socket,
            payload: PhantomData,
        });

        Ok((one, other))
    }

    /// Sends a message, and waits while the socket is full.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::BrokenPipe`] if the other end is closed, `EMSGSIZE` if the
    /// payload is larger than [`Channel::MAX_PAYLOAD`],
    /// [`io::ErrorKind::ConnectionAborted`] if this process was told to exit meanwhile.
    pub fn send(&self, value: &T) -> io::Result<()> {
        self.send_fds(value, &[])
    }

    /// Sends a message with copies of descriptors, and waits while the socket is full.
    ///
    /// # Errors
    ///
    /// The errors of [`Channel::send`], and [`io::ErrorKind::InvalidInput`] if there are
    /// more than [`Channel::MAX_FDS`] descriptors.
    pub fn send_fds(&self, value: &T, fds: &[BorrowedFd<'_>]) -> io::Result<()> {
        let mut bytes = vec![MARK];

        value.encode(&mut bytes);

        if bytes.len() > Self::MAX_PAYLOAD + 1 {
            return Err(Errno::EMSGSIZE.into());
        }

        if fds.len() > Self::MAX_FDS {
            return Err(io::ErrorKind::InvalidInput.into());
        }

        let fds: Vec<RawFd> = fds.iter().map(AsRawFd::as_raw_fd).collect();

        self.retry(For::Writing, || {
            descriptors::send(self.socket.as_raw_fd(), &bytes, &fds)
        })
    }

    /// Waits for a message and returns it. Closes descriptors that come with it.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::UnexpectedEof`] if the other end is closed,
    /// [`io::ErrorKind::InvalidData`] if `T::decode` refuses the message, or if a part of
    /// the message is lost: it is too large, or this process cannot have as many
    /// descriptors. [`io::ErrorKind::ConnectionAborted`] if this process is told to exit
    /// meanwhile, or its master exits.
    pub fn recv(&self) -> io::Result<T> {
        Ok(self.recv_fds()?.0)
    }

    /// Waits for a message, and returns it with its descriptors, which are
    /// close-on-exec.
    ///
    /// # Errors
    ///
    /// The errors of [`Channel::recv`].
    pub fn recv_fds(&self) -> io::Result<(T, Vec<OwnedFd>)> {
        self.retry(For::Reading, || self.receive())?
    }

    /// Returns a message that has arrived, with its descriptors; `None` if none has
    /// arrived.
    ///
    /// # Errors
    ///
    /// The errors of [`Channel::recv`], without `ConnectionAborted`.
    pub fn try_recv_fds(&self) -> io::Result<Option<(T, Vec<OwnedFd>)>> {
        match self.receive() {
            Err(Errno::EAGAIN) => Ok(None),
            Err(err) => Err(err.into()),
            Ok(received) => received.map(Some),
        }
    }

    /// Returns a message that has arrived; `None` if none has arrived. Closes
    /// descriptors that come with it.
    ///
    /// # Errors
    ///
    /// The errors of [`Channel::recv`], without `ConnectionAborted`.
    pub fn try_recv(&self) -> io::Result<Option<T>> {
        Ok(self.try_recv_fds()?.map(|(value, _)| value))
    }

    /// Receives a message without waiting. The outer error is that of the system call,
    /// and the inner one is about the message.
    fn receive(&self) -> Result<io::Result<(T, Vec<OwnedFd>)>, Errno> {
        let mut bytes = vec![0; Self::MAX_PAYLOAD + 1];
        let Received { len, fds, is_cut } =
            descriptors::receive(self.socket.as_raw_fd(), &mut bytes)?;
        let fds = fds.into_iter().flatten().collect();

        Ok(match bytes.get(..len) {
            _ if is_cut => Err(io::ErrorKind::InvalidData.into()),
            None | Some([]) => Err(io::ErrorKind::UnexpectedEof.into()),
            Some([MARK, payload @ ..]) => match T::decode(payload) {
                Some(value) => Ok((value, fds)),
                None => Err(io::ErrorKind::InvalidData.into()),
            },
            Some(_) => Err(io::ErrorKind::InvalidData.into()),
        })
    }

    /// Calls `f` until it does not fail with EAGAIN, and waits before each new call.
    fn retry<R>(&self, what: For, mut f: impl FnMut() -> Result<R, Errno>) -> io::Result<R> {
        loop {
            match f() {
                Err(Errno::EAGAIN) => self.wait(what)?,
                Err(Errno::EINTR) => {}
                result => return Ok(result?),
            }
        }
    }

    /// Waits until the socket is ready. Fails if this process is told to exit meanwhile,
    /// by a signal or by its master, or if its master exits. The kind of the error is not
    /// `Interrupted`: functions of the standard library call again after this kind.
    fn wait(&self, what: For) -> io::Result<()> {
        loop {
            let master = commands::descriptor();

            match wait(self.socket.as_fd(), what, master, commands::is_told_to_exit) {
                Ok(true) => return Ok(()),
                Ok(false) => commands::obey(),
                Err(Errno::EINTR) => {
                    let text = "the process was told to exit";

                    return Err(io::Error::new(io::ErrorKind::ConnectionAborted, text));
                }
                Err(err) => return Err(err.into()),
            }
        }
    }
}

impl<T> AsFd for Channel<T> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl<T> fmt::Debug for Channel<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Channel")
            .field("fd", &self.socket.as_raw_fd())
            .finish()
    }
}

impl<T: Payload> TryFrom<OwnedFd> for Channel<T> {
    type Error = io::Error;

    /// Makes an end of a channel from a descriptor that has come with a message.
    fn try_from(socket: OwnedFd) -> io::Result<Self> {
        if !socket::is_of_messages(socket.as_raw_fd()) {
            return Err(error::other("not a socket of a channel"));
        }

        Ok(Self {
            socket,
            payload: PhantomData,
        })
    }
}

impl<T> From<Channel<T>> for OwnedFd {
    fn from(channel: Channel<T>) -> Self {
        channel.socket
    }
}
