//! The socket pair that becomes the channel of a new process.

use std::os::fd::{AsRawFd, OwnedFd, RawFd};

use nix::errno::Errno;

use crate::log::{Level, Log};
use crate::status::Result;
use crate::sys::fd;
use crate::sys::socket;
use crate::sys::text::Text;
use crate::table::globals::Globals;

/// Makes a channel as nginx does: non-blocking, close-on-exec, with SIGIO to
/// this process when its end becomes ready. Returns this process's end and the
/// child's. A failure is an alert in the log.
pub(super) fn open_channel(g: &Globals, log: Log, name: Text) -> Result<[OwnedFd; 2]> {
    let channel = socket::socketpair().map_err(|err| {
        log.fail(
            Level::Alert,
            err,
            format_args!("socketpair() failed while spawning \"{name}\""),
        )
    })?;

    watch_channel(g, log, &channel, name);

    Ok(channel)
}

/// Makes a channel for one of several processes that are started together. The
/// child's end gets the first free number from `aside` on, if it is given. A
/// failure is not logged.
pub fn channel_aside(
    g: &Globals,
    log: Log,
    name: Text,
    aside: Option<RawFd>,
) -> std::result::Result<[OwnedFd; 2], Errno> {
    let [ours, theirs] = socket::socketpair()?;
    let theirs = match aside.map(|from| fd::duplicate_from(theirs.as_raw_fd(), from)) {
        Some(Ok(moved)) => moved,
        _ => theirs,
    };
    let channel = [ours, theirs];

    watch_channel(g, log, &channel, name);

    Ok(channel)
}

/// Makes the kernel send SIGIO to this process when its end becomes ready.
///
/// A failure is a warning only: channels are read by the event loop, and a
/// kernel that restricts SIGIO is no reason not to start a process.
fn watch_channel(g: &Globals, log: Log, channel: &[OwnedFd; 2], name: Text) {
    let ours: RawFd = channel[0].as_raw_fd();
    let warn = |err: Errno, call: &str| {
        log.error(
            Level::Warn,
            Some(err),
            format_args!("{call} failed while spawning \"{name}\""),
        );
    };

    if let Err(err) = socket::set_async(ours) {
        warn(err, "ioctl(FIOASYNC)");
    }

    if let Err(err) = socket::set_owner(ours, g.own_pid()) {
        warn(err, "fcntl(F_SETOWN)");
    }
}

/// In a child: enables SO_PASSCRED on its channel, so that data carries the
/// sender's pid: its siblings write to the channel as well as its parent
/// (`D13`).
pub(super) fn enable_sender_pid(log: Log, channel: &OwnedFd, name: Text) {
    if let Err(err) = socket::enable_sender_pid(channel.as_raw_fd()) {
        log.error(
            Level::Warn,
            Some(err),
            format_args!("setsockopt(SO_PASSCRED) failed while spawning \"{name}\""),
        );
    }
}
