//! Admits messages about another process: checks a message before the process
//! table changes.
//!
//! The check is needed, because any process that has the channel can be the
//! sender, and because the process that the message is about can have exited
//! meanwhile.

#[cfg(feature = "standalone")]
use std::os::fd::RawFd;

use crate::channel::close;
use crate::channel::command::NGX_CMD_OPEN_CHANNEL;
use crate::channel::message::ngx_channel_t;
use crate::config::NGX_INVALID_PID;
#[cfg(feature = "standalone")]
use crate::config::ngx_pid_t;
#[cfg(feature = "standalone")]
use crate::log::Debug;
use crate::log::{Level, Log};
use crate::table::globals::Globals;
use crate::table::own_slot;
use crate::table::slot::Slot;
use crate::table::slots::ngx_process_t;

/// The slot that a message is about. If there is no such slot, or if the slot
/// is this process's own, an alert is logged and the result is `None` (`D18`).
pub fn slot_of_other(g: &Globals, log: Log, ch: &ngx_channel_t) -> Option<Slot> {
    let slot = Slot::from_c(ch.slot).filter(|&slot| slot != own_slot::get(g));

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

/// Prepares `slot`, the result of [`slot_of_other`], for an OPEN_CHANNEL or a
/// CLOSE_CHANNEL. Returns true if the caller has to finish the change of the
/// table.
///
/// After an OPEN_CHANNEL the slot is empty, and the caller sets its pid and its
/// channel. After a CLOSE_CHANNEL the caller closes `channel[0]` of the slot.
/// The result is false if a CLOSE_CHANNEL is stale, or if the slot has no
/// channel.
pub fn prepare(g: &Globals, log: Log, slot: Slot, ch: &ngx_channel_t) -> bool {
    let entry = g.table.get(slot);

    if ch.command == NGX_CMD_OPEN_CHANNEL {
        prepare_open(g, log, slot, entry);
        return true;
    }

    prepare_close(entry, ch)
}

/// Empties the slot for a new process. If the CLOSE_CHANNEL of the process that
/// had the slot before has not arrived, closes the channel of that process.
fn prepare_open(g: &Globals, log: Log, slot: Slot, entry: &ngx_process_t) {
    if let Some(stale) = entry.take_channel(0) {
        close::close_end(g, log, stale);
    }

    entry.clear_flags();
    g.table.cover(slot);
}

fn prepare_close(entry: &ngx_process_t, ch: &ngx_channel_t) -> bool {
    // The pid is -1 if the sender had no memory to queue the messages about this
    // slot, see `channel/lacking.rs`.
    if entry.occupied() && entry.pid() != ch.pid && ch.pid != NGX_INVALID_PID {
        // The message is stale: another process has the slot now.
        return false;
    }

    let has_channel = entry.writable().is_some();

    entry.clear_flags();
    entry.set_pid(NGX_INVALID_PID);

    if !has_channel {
        // If no process was announced in this slot, its `channel[0]` is 0,
        // which is not a channel (D11).
        let _ = entry.take_channel(0);
    }

    has_channel
}

/// Enters the process `pid` into `slot`, with the descriptor `fd` of its
/// channel.
#[cfg(feature = "standalone")]
pub(super) fn enter(g: &Globals, log: Log, slot: Slot, pid: ngx_pid_t, fd: RawFd) {
    log.debug(
        Debug::Core,
        format_args!("get channel s:{slot} pid:{pid} fd:{fd}"),
    );

    let entry = g.table.get(slot);

    prepare_open(g, log, slot, entry);
    entry.set_writable(fd);
    entry.set_pid(pid);
}
