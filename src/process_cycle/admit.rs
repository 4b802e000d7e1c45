//! Entering another process into the table, and taking it out.

use std::os::fd::{IntoRawFd, OwnedFd, RawFd};

use crate::channel::message::ngx_channel_t;
use crate::channel::{close, partial};
use crate::config::{NGX_INVALID_PID, ngx_pid_t};
use crate::log::{Debug, Level, Log};
use crate::table::globals::Globals;
use crate::table::slots::CLOSED;

/// The slot of another process that a message names (`D18`).
pub fn others_slot(g: &Globals, log: Log, ch: &ngx_channel_t) -> Option<usize> {
    let slot = g.table.index(ch.slot).filter(|&i| i != g.own_slot());

    if slot.is_none() {
        log.error(
            Level::Alert,
            None,
            format_args!(
                "channel command {} for slot {} ignored",
                ch.command, ch.slot
            ),
        );
    }

    slot
}

pub(super) fn opened(g: &Globals, log: Log, ch: &ngx_channel_t, fd: Option<OwnedFd>) {
    if let Some(i) = others_slot(g, log, ch) {
        enter(g, log, i, ch.pid, fd.map_or(CLOSED, IntoRawFd::into_raw_fd));
    }
}

/// Enters another process, with its channel.
pub(super) fn enter(g: &Globals, log: Log, i: usize, pid: ngx_pid_t, fd: RawFd) {
    log.debug(
        Debug::Core,
        format_args!("get channel s:{i} pid:{pid} fd:{fd}"),
    );

    let slot = g.table.get(i);

    if let Some(old) = slot.replace_channel(fd) {
        close::close_end(g, log, old);
    }

    slot.forget_parents_flags();
    slot.set_pid(pid);
    g.table.cover(i);
}

pub(super) fn closed(g: &Globals, log: Log, ch: &ngx_channel_t) {
    partial::forget_sender(ch.pid);

    let Some(i) = others_slot(g, log, ch) else {
        return;
    };

    let slot = g.table.get(i);

    log.debug(
        Debug::Core,
        format_args!(
            "close channel s:{} pid:{} our:{} fd:{}",
            ch.slot,
            ch.pid,
            slot.pid(),
            slot.channel(0)
        ),
    );

    if slot.occupied() && slot.pid() != ch.pid {
        // It is about a process that had the slot before.
        return;
    }

    if let Some(old) = slot.take_channel(0) {
        close::close_end(g, log, old);
    }

    slot.forget_parents_flags();
    slot.set_pid(NGX_INVALID_PID);
}
