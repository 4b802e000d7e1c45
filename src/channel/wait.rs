//! Tells whether a call on a socket may wait. No call on a channel of the
//! process table waits.
//!
//! Processes that have copies of a descriptor share its flag O_NONBLOCK. A
//! worker that clears the flag must not make its master wait (`D31`).

use std::os::fd::RawFd;
use std::sync::atomic::Ordering::Relaxed;

use crate::sys::socket;
use crate::table::globals::Globals;

/// Whether a call on `sock` may wait: `sock` is not a channel of the process
/// table, and O_NONBLOCK is not set.
#[cold]
pub fn may_wait(g: &Globals, sock: RawFd) -> bool {
    !is_of_table(g, sock) && socket::is_blocking(sock)
}

fn is_of_table(g: &Globals, sock: RawFd) -> bool {
    let is_in = |end| g.table.iter().any(|(_, entry)| entry.channel(end) == sock);

    sock == g.channel.load(Relaxed) || is_in(0) || is_in(1)
}
