//! A worker's part of the channels that it has inherited.

use std::os::fd::RawFd;
use std::sync::atomic::Ordering::Relaxed;

use crate::channel::close;
use crate::log::Log;
use crate::table::globals::Globals;
use crate::table::slots::CLOSED;

/// A new worker closes what it has inherited and is not its own: its
/// parent's end of its channel, and the other workers' own ends.
pub fn init_channel(g: &Globals, log: Log) {
    let own = g.own_slot();

    for (i, slot) in g.table.iter() {
        let end = if i == own { 0 } else { 1 };

        if let Some(fd) = slot.take_channel(end).filter(|_| slot.occupied()) {
            close::close_end(g, log, fd);
        }
    }
}

/// In a worker whose channel is about to be closed: nothing names it any more.
pub fn forget_channel(g: &Globals, fd: RawFd) {
    if g.channel.load(Relaxed) != fd {
        return;
    }

    g.channel.store(CLOSED, Relaxed);

    let own = g.table.get(g.own_slot());

    if own.channel(1) == fd {
        let _ = own.take_channel(1);
    }
}
