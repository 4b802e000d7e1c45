//! Closes the channels that a worker has inherited and does not need.

use std::os::fd::RawFd;
use std::sync::atomic::Ordering::Relaxed;

use crate::channel::close;
use crate::log::Log;
use crate::table::globals::Globals;
use crate::table::own_slot;
use crate::table::slots::CLOSED;

/// In a new worker: closes the inherited descriptors that the worker does not
/// need. These are the parent's end of the worker's own channel, and the other
/// workers' own ends of their channels.
pub fn init_channel(g: &Globals, log: Log) {
    let own = own_slot::get(g);

    for (slot, entry) in g.table.iter() {
        let end = if slot == own { 0 } else { 1 };

        if let Some(fd) = entry.take_channel(end).filter(|_| entry.occupied()) {
            close::close_end(g, log, fd);
        }
    }
}

/// Sets `ngx_channel` and the worker's own entry of the table to -1, because
/// the worker's channel `fd` is about to be closed. Does nothing if `fd` is
/// another descriptor.
pub fn forget_channel(g: &Globals, fd: RawFd) {
    if g.channel.load(Relaxed) != fd {
        return;
    }

    g.channel.store(CLOSED, Relaxed);

    let own = g.table.get(own_slot::get(g));

    if own.channel(1) == fd {
        let _ = own.take_channel(1);
    }
}
