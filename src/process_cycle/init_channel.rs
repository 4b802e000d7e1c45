//! What a worker does with the channels that it has inherited.

use std::os::fd::RawFd;
use std::sync::atomic::Ordering::Relaxed;

use crate::channel::close;
use crate::log::Log;
use crate::table::globals::Globals;
use crate::table::slots::CLOSED;

/// Closes the descriptors of the table that a new worker has no use for: its
/// parent's end of its own channel, and the other workers' own ends.
pub fn init_channel(g: &Globals, log: Log) {
    let own = g.process_slot();

    for (slot, entry) in g.table.iter() {
        let end = if slot == own { 0 } else { 1 };

        if let Some(fd) = entry.take_channel(end).filter(|_| entry.occupied()) {
            close::close_end(g, log, fd);
        }
    }
}

/// Removes a worker's own channel, which is about to be closed, from its
/// variables.
pub fn forget_channel(g: &Globals, fd: RawFd) {
    if g.channel.load(Relaxed) != fd {
        return;
    }

    g.channel.store(CLOSED, Relaxed);

    let own = g.table.get(g.process_slot());

    if own.channel(1) == fd {
        let _ = own.take_channel(1);
    }
}
