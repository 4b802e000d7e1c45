//! Closing the descriptors of channels.

use std::os::fd::RawFd;
use std::sync::atomic::Ordering::Relaxed;

use super::partial;
use crate::config::AtomicSocket;
use crate::log::{Level, Log};
use crate::sys::fd;
use crate::table::globals::Globals;
use crate::table::slots::CLOSED;

/// Closes both ends of a channel and marks them so; -1 is never closed
/// (`D10`).
pub fn close_channel(g: &Globals, log: Log, ends: [&AtomicSocket; 2]) {
    for end in ends {
        close_end(g, log, end.swap(CLOSED, Relaxed));
    }
}

/// Closes one descriptor of a channel, if there is one.
pub fn close_end(g: &Globals, log: Log, end: RawFd) {
    if end == CLOSED {
        return;
    }

    (g.closing)(end);
    partial::forget(end);

    if let Err(err) = fd::close(end) {
        log.error(
            Level::Alert,
            Some(err),
            format_args!("close() channel failed"),
        );
    }
}
