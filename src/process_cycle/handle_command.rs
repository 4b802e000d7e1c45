//! Handles the messages that a worker receives from its channel,
//! `ngx_channel_handler`.

use std::os::fd::{IntoRawFd, OwnedFd, RawFd};
use std::sync::atomic::Ordering::Relaxed;

use super::admit::{enter, prepare, slot_of_other};
use super::start_workers;
use crate::channel::close;
use crate::channel::command::{
    NGX_CMD_CLOSE_CHANNEL, NGX_CMD_OPEN_CHANNEL, NGX_CMD_QUIT, NGX_CMD_REOPEN, NGX_CMD_TERMINATE,
    NGX_IPC_CMD_OPEN_CHANNELS,
};
use crate::channel::message::ngx_channel_t;
use crate::log::{Debug, Log};
use crate::table::globals::Globals;
use crate::table::slots::CLOSED;

/// Handles the message `ch` if its command is one of nginx's or of the
/// library's. Returns `false` for any other command. `fd` is the descriptor
/// that came with the message.
pub fn channel_command(g: &Globals, log: Log, ch: &ngx_channel_t, fd: Option<OwnedFd>) -> bool {
    log.debug(Debug::Core, format_args!("channel command: {}", ch.command));

    match ch.command {
        NGX_CMD_QUIT => g.quit.store(1, Relaxed),
        NGX_CMD_TERMINATE => g.terminate.store(1, Relaxed),
        NGX_CMD_REOPEN => g.reopen.store(1, Relaxed),
        NGX_CMD_OPEN_CHANNEL => opened(g, log, ch, fd),
        NGX_CMD_CLOSE_CHANNEL => closed(g, log, ch),
        NGX_IPC_CMD_OPEN_CHANNELS => start_workers::enter_inherited(g, log),
        _ => return false,
    }

    true
}

/// Handles OPEN_CHANNEL: enters the process that has been started into the
/// table.
fn opened(g: &Globals, log: Log, ch: &ngx_channel_t, fd: Option<OwnedFd>) {
    let Some(slot) = slot_of_other(g, log, ch) else {
        return;
    };
    let fd: RawFd = fd.map_or(CLOSED, IntoRawFd::into_raw_fd);

    enter(g, log, slot, ch.pid, fd);
}

/// Handles CLOSE_CHANNEL: closes the channel of the process that has exited,
/// and empties its slot.
fn closed(g: &Globals, log: Log, ch: &ngx_channel_t) {
    let Some(slot) = slot_of_other(g, log, ch) else {
        return;
    };
    let entry = g.table.get(slot);

    log.debug(
        Debug::Core,
        format_args!(
            "close channel s:{} pid:{} our:{} fd:{}",
            ch.slot,
            ch.pid,
            entry.pid(),
            entry.channel(0)
        ),
    );

    if prepare(g, log, slot, ch)
        && let Some(fd) = entry.take_channel(0)
    {
        close::close_end(g, log, fd);
    }
}
