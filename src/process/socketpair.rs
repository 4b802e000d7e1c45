//! The socket pair that becomes the channel of a new process.

use std::os::fd::{AsRawFd, OwnedFd, RawFd};

use nix::errno::Errno;

use crate::log::{Level, Log};
use crate::status::Result;
use crate::sys::fd;
use crate::sys::socket;
use crate::sys::text::Text;

/// Makes a channel: both ends are non-blocking and close-on-exec, and keep
/// messages apart. Returns this process's end and the child's end. If
/// `socketpair(2)` fails, an alert is logged.
///
/// nginx makes the kernel send SIGIO to the master when the master's end
/// becomes ready. The library does not, because other processes have copies of
/// this end and could choose another signal (`D30`).
pub(super) fn open_channel(log: Log, name: Text) -> Result<[OwnedFd; 2]> {
    socket::socketpair().map_err(|err| {
        log.fail(
            Level::Alert,
            err,
            format_args!("socketpair() failed while spawning \"{name}\""),
        )
    })
}

/// Makes a channel for one of several processes that are started together. If
/// `aside` is given, the child's end gets the first free descriptor number from
/// `aside` on. A failure is not logged here: the caller then starts the process
/// alone, and `open_channel` logs the failure.
pub fn channel_aside(aside: Option<RawFd>) -> std::result::Result<[OwnedFd; 2], Errno> {
    let [ours, theirs] = socket::socketpair()?;
    let theirs = match aside.map(|from| fd::duplicate_from(theirs.as_raw_fd(), from)) {
        Some(Ok(moved)) => moved,
        _ => theirs,
    };

    Ok([ours, theirs])
}
