//! Telling the processes of each other, `ngx_pass_open_channel`.

use std::os::fd::RawFd;
use std::sync::atomic::Ordering::Relaxed;

use crate::channel::command::{NGX_CMD_CLOSE_CHANNEL, NGX_CMD_OPEN_CHANNEL};
use crate::channel::message::ngx_channel_t;
use crate::channel::queue;
use crate::config::ngx_int_t;
use crate::log::{Debug, Level, Log};
use crate::status::Result;
use crate::table::globals::Globals;
use crate::table::slots::{CLOSED, Flag, ngx_process_t};

/// Sends `ch` to all the processes but the one that `ngx_process_slot` names.
pub fn pass_open_channel(g: &Globals, log: Log, ch: &ngx_channel_t) {
    pass_to(g, log, ch, g.table.iter());
}

fn pass_to(
    g: &Globals,
    log: Log,
    ch: &ngx_channel_t,
    to: impl Iterator<Item = (usize, &'static ngx_process_t)>,
) {
    if ch.fd == CLOSED {
        // The spawn has failed, and has said so (D3).
        return;
    }

    for (i, slot) in to {
        let Some(sock) = slot.writable().filter(|_| slot.occupied()) else {
            continue;
        };

        if i == g.own_slot() {
            continue;
        }

        log.debug(
            Debug::Core,
            format_args!(
                "pass channel s:{} pid:{} fd:{} to s:{i} pid:{} fd:{sock}",
                ch.slot,
                ch.pid,
                ch.fd,
                slot.pid(),
            ),
        );

        let _ = send(g, log, sock, ch);
    }
}

/// Announces the process spawned last to all the others.
pub fn announce(g: &Globals, log: Log) {
    announce_to(g, log, g.table.iter());
}

pub(super) fn announce_to(
    g: &Globals,
    log: Log,
    to: impl Iterator<Item = (usize, &'static ngx_process_t)>,
) {
    let slot = g.table.get(g.own_slot());
    let ch = ngx_channel_t {
        command: NGX_CMD_OPEN_CHANNEL,
        pid: slot.pid(),
        slot: g.process_slot.load(Relaxed),
        fd: slot.channel(0),
    };

    pass_to(g, log, &ch, to);
}

/// A process that has closed its end is about to exit: that is no alert.
pub(super) fn send(g: &Globals, log: Log, sock: RawFd, ch: &ngx_channel_t) -> Result {
    queue::write(g, log, sock, &ch.bytes(), ch, Level::Info)
}

/// Has the other processes close their copies of the channel of a process
/// that has exited.
pub fn announce_exit(g: &Globals, log: Log, i: usize, slot: &ngx_process_t) {
    let ch = ngx_channel_t {
        pid: slot.pid(),
        slot: i as ngx_int_t,
        ..ngx_channel_t::command(NGX_CMD_CLOSE_CHANNEL)
    };

    for (_, other) in g.table.iter() {
        let Some(sock) = other.writable() else {
            continue;
        };

        if other.is(Flag::Exited) || !other.occupied() {
            continue;
        }

        log.debug(
            Debug::Core,
            format_args!(
                "pass close channel s:{} pid:{} to:{}",
                ch.slot,
                ch.pid,
                other.pid()
            ),
        );

        let _ = send(g, log, sock, &ch);
    }
}
