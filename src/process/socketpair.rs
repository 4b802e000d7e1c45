//! The socket pair that becomes the channel of a new process.

use std::os::fd::{AsRawFd, OwnedFd, RawFd};

use nix::errno::Errno;

use crate::log::{Level, Log};
use crate::status::Result;
use crate::sys::fd;
use crate::sys::socket;
use crate::sys::text::Text;

/// Makes a channel: non-blocking, close-on-exec, of whole messages. Returns this
/// process's end and the child's. A failure is an alert in the log.
///
/// nginx makes the kernel send SIGIO to the master when its end becomes ready.
/// Other processes have this end too, and could choose the signal (`D30`).
pub(super) fn open_channel(log: Log, name: Text) -> Result<[OwnedFd; 2]> {
    socket::socketpair().map_err(|err| {
        log.fail(
            Level::Alert,
            err,
            format_args!("socketpair() failed while spawning \"{name}\""),
        )
    })
}

/// Makes a channel for one of several processes that are started together. The
/// child's end gets the first free number from `aside` on, if it is given. A
/// failure is not logged.
pub fn channel_aside(aside: Option<RawFd>) -> std::result::Result<[OwnedFd; 2], Errno> {
    let [ours, theirs] = socket::socketpair()?;
    let theirs = match aside.map(|from| fd::duplicate_from(theirs.as_raw_fd(), from)) {
        Some(Ok(moved)) => moved,
        _ => theirs,
    };

    Ok([ours, theirs])
}
