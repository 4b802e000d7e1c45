//! Closing the descriptors of channels, `ngx_close_channel`.

use std::os::fd::RawFd;
use std::sync::atomic::Ordering::Relaxed;

use crate::config::AtomicSocket;
use crate::log::{Level, Log};
use crate::sys::fd;
use crate::table::globals::Globals;
use crate::table::slots::CLOSED;

/// Closes both descriptors of a channel and sets both variables to -1. A
/// descriptor that is -1 already is not passed to `close(2)`, which would fail
/// (`D10`).
pub fn close_channel(g: &Globals, log: Log, ends: [&AtomicSocket; 2]) {
    for end in ends {
        close_end(g, log, end.swap(CLOSED, Relaxed));
    }
}

/// Closes one descriptor of a channel, unless the descriptor is -1. If
/// `close(2)` fails, an alert is logged.
pub fn close_end(g: &Globals, log: Log, end: RawFd) {
    if end == CLOSED {
        return;
    }

    (g.closing)(end);

    if let Err(err) = fd::close(end) {
        log.error(
            Level::Alert,
            Some(err),
            format_args!("close() channel failed"),
        );
    }
}
