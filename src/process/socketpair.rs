//! The socket pair that becomes the channel of a new process.

use std::os::fd::{AsRawFd, OwnedFd, RawFd};

use nix::errno::Errno;

use crate::log::{Level, Log};
use crate::status::Result;
use crate::sys::fd;
use crate::sys::socket;
use crate::sys::text::Text;
use crate::table::globals::Globals;

/// Makes a channel as nginx does: both ends are non-blocking and close-on-exec,
/// and the kernel sends SIGIO to this process when this process's end becomes
/// ready. Returns this process's end and the child's end. If `socketpair(2)`
/// fails, an alert is logged.
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

/// Makes a channel for one of several processes that are started together. If
/// `aside` is given, the child's end gets the first free descriptor number from
/// `aside` on. A failure is not logged here: the caller then starts the process
/// alone, and `open_channel` logs the failure.
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

/// Makes the kernel send SIGIO to this process when this process's end of the
/// channel becomes ready.
///
/// If a call fails, only a warning is logged: the event loop reads the channel
/// without SIGIO too, so the process can be started.
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

/// In a child: enables SO_PASSCRED on the child's channel, so that data carries
/// the pid of its sender. The parent and the siblings of the child write to the
/// channel, and the child has to tell their messages apart (`D13`).
pub(super) fn enable_sender_pid(log: Log, channel: &OwnedFd, name: Text) {
    if let Err(err) = socket::enable_sender_pid(channel.as_raw_fd()) {
        log.error(
            Level::Warn,
            Some(err),
            format_args!("setsockopt(SO_PASSCRED) failed while spawning \"{name}\""),
        );
    }
}
