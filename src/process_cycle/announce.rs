//! Tells the processes that another process has been started or has exited,
//! `ngx_pass_open_channel`.

use std::os::fd::RawFd;
use std::sync::atomic::Ordering::Relaxed;

use crate::channel::command::{NGX_CMD_CLOSE_CHANNEL, NGX_CMD_OPEN_CHANNEL};
use crate::channel::message::ngx_channel_t;
use crate::channel::queue;
use crate::log::{Debug, Level, Log};
use crate::status::Result;
use crate::table::globals::Globals;
use crate::table::slot::Slot;
use crate::table::slots::{CLOSED, Flag, ngx_process_t};

/// Sends the message `ch` to all processes except the process in the slot
/// `ngx_process_slot`, which the message is about.
pub fn pass_open_channel(g: &Globals, log: Log, ch: &ngx_channel_t) {
    pass_to(g, log, ch, g.table.iter());
}

fn pass_to(
    g: &Globals,
    log: Log,
    ch: &ngx_channel_t,
    receivers: impl Iterator<Item = (Slot, &'static ngx_process_t)>,
) {
    if ch.fd == CLOSED {
        // The message announces a process that could not be started, which has
        // been logged (D3).
        return;
    }

    for (slot, entry) in receivers {
        let Some(sock) = entry.writable().filter(|_| entry.occupied()) else {
            continue;
        };

        if slot == g.process_slot() {
            continue;
        }

        log.debug(
            Debug::Core,
            format_args!(
                "pass channel s:{} pid:{} fd:{} to s:{slot} pid:{} fd:{sock}",
                ch.slot,
                ch.pid,
                ch.fd,
                entry.pid(),
            ),
        );

        let _ = send(g, log, sock, ch);
    }
}

/// Announces the process that was started last to all other processes.
pub fn announce(g: &Globals, log: Log) {
    announce_to(g, log, g.table.iter());
}

pub(super) fn announce_to(
    g: &Globals,
    log: Log,
    receivers: impl Iterator<Item = (Slot, &'static ngx_process_t)>,
) {
    let entry = g.table.get(g.process_slot());
    let ch = ngx_channel_t {
        command: NGX_CMD_OPEN_CHANNEL,
        pid: entry.pid(),
        slot: g.process_slot.load(Relaxed),
        fd: entry.channel(0),
    };

    pass_to(g, log, &ch, receivers);
}

/// Makes the other processes close their copies of the channel of a process
/// that has exited.
pub(super) fn announce_exit(g: &Globals, log: Log, slot: Slot) {
    let ch = ngx_channel_t {
        pid: g.table.get(slot).pid(),
        slot: slot.to_c(),
        ..ngx_channel_t::command(NGX_CMD_CLOSE_CHANNEL)
    };

    for (_, receiver) in g.table.iter() {
        let Some(sock) = receiver.writable() else {
            continue;
        };

        if receiver.is(Flag::Exited) || !receiver.occupied() {
            continue;
        }

        log.debug(
            Debug::Core,
            format_args!(
                "pass close channel s:{} pid:{} to:{}",
                ch.slot,
                ch.pid,
                receiver.pid()
            ),
        );

        let _ = send(g, log, sock, &ch);
    }
}

/// Sends a message to a process in the table. A failure because the process has
/// closed its end is logged at the level "info", not as an alert: such a
/// process is about to exit.
pub(super) fn send(g: &Globals, log: Log, sock: RawFd, ch: &ngx_channel_t) -> Result {
    queue::write(g, log, sock, &ch.bytes(), ch, Level::Info)
}
