//! The socket pair that becomes the channel of a new process.

use std::os::fd::{AsRawFd, OwnedFd, RawFd};

use nix::errno::Errno;

use crate::log::{Level, Log};
use crate::status::{Result, Status};
use crate::sys::fd;
use crate::sys::socket;
use crate::sys::text::Text;
use crate::table::globals::Globals;

/// A channel as nginx makes it: non-blocking, close-on-exec, and SIGIO for
/// this process when its end becomes ready.
pub(super) fn open_channel(g: &Globals, log: Log, name: Text) -> Result<[OwnedFd; 2]> {
    let channel = socket::socketpair().map_err(|err| socketpair_failed(log, err, name))?;

    watch_channel(g, log, &channel, name);

    Ok(channel)
}

/// The same for one of several processes that are about to be started, its own
/// end with the first number from `aside` on that is free, if there is any.
/// Failures are left to the caller.
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

fn socketpair_failed(log: Log, err: Errno, name: Text) -> Status {
    log.fail(
        Level::Alert,
        err,
        format_args!("socketpair() failed while spawning \"{name}\""),
    )
}

/// Has this process get SIGIO when its end becomes ready.
fn watch_channel(g: &Globals, log: Log, channel: &[OwnedFd; 2], name: Text) {
    let ours: RawFd = channel[0].as_raw_fd();
    let warn = |err: Errno, call: &str| {
        log.error(
            Level::Warn,
            Some(err),
            format_args!("{call} failed while spawning \"{name}\""),
        );
    };

    // Channels are read through the event loop: a kernel that restricts
    // SIGIO is no reason not to spawn.
    if let Err(err) = socket::set_async(ours) {
        warn(err, "ioctl(FIOASYNC)");
    }

    if let Err(err) = socket::set_owner(ours, g.own_pid()) {
        warn(err, "fcntl(F_SETOWN)");
    }
}

/// In a child: its channel tells its senders apart, since its siblings write
/// there as well as its parent (`D13`).
pub(super) fn tell_senders(log: Log, channel: &OwnedFd, name: Text) {
    if let Err(err) = socket::tell_senders(channel.as_raw_fd()) {
        log.error(
            Level::Warn,
            Some(err),
            format_args!("setsockopt(SO_PASSCRED) failed while spawning \"{name}\""),
        );
    }
}
