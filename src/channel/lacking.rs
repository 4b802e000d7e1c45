//! Control messages that could not be queued, because there was no memory.
//!
//! The library must not lose such a message (`D14`). A control message tells a
//! process about the process in a slot, so it is enough to remember which
//! processes lack a message, and about which slots messages are lacking. This
//! file remembers both in static variables. When the sockets have room, each of
//! these processes gets a message with the present state of each of these slots:
//! OPEN_CHANNEL if the slot has a process, else CLOSE_CHANNEL. A process that
//! knows the state already is told again, which changes nothing.

use std::os::fd::RawFd;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicUsize};

use super::command::{NGX_CMD_CLOSE_CHANNEL, NGX_CMD_OPEN_CHANNEL, NGX_IPC_CMD_OPEN_CHANNELS};
use super::message::ngx_channel_t;
use crate::config::{AtomicPid, NGX_INVALID_PID, ngx_pid_t};
use crate::status::Result;
use crate::table::globals::Globals;
use crate::table::slot::{NGX_MAX_PROCESSES, Slot};

/// The messages that the process in a slot lacks.
struct Receiver {
    /// The pid of the process; 0 if the slot has no process that lacks messages.
    pid: AtomicPid,
    /// Whether the process lacks the message `NGX_IPC_CMD_OPEN_CHANNELS`.
    open_channels: AtomicBool,
    /// The first slot about which the process can lack a message.
    next: AtomicUsize,
}

static RECEIVERS: [Receiver; NGX_MAX_PROCESSES] = [const {
    Receiver {
        pid: AtomicPid::new(0),
        open_channels: AtomicBool::new(false),
        next: AtomicUsize::new(0),
    }
}; NGX_MAX_PROCESSES];

/// The slots about which messages are lacking.
static ABOUT: [AtomicBool; NGX_MAX_PROCESSES] =
    [const { AtomicBool::new(false) }; NGX_MAX_PROCESSES];

/// The result of [`note`].
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Noted {
    /// The message is remembered. The process lacked other messages before.
    More,
    /// The message is remembered. It is the first that the process lacks.
    First,
    /// The message is about no slot, so it cannot be remembered.
    No,
}

/// Remembers that the process `pid` in `slot` lacks the message `ch`.
pub fn note(slot: Slot, pid: ngx_pid_t, ch: &ngx_channel_t) -> Noted {
    let Some(receiver) = RECEIVERS.get(slot.index()) else {
        return Noted::No;
    };
    let about = if ch.command == NGX_IPC_CMD_OPEN_CHANNELS {
        None
    } else if let Some(about) = Slot::from_c(ch.slot) {
        Some(about.index())
    } else {
        return Noted::No;
    };

    let is_first = receiver.pid.swap(pid, Relaxed) != pid;

    if is_first {
        receiver.open_channels.store(false, Relaxed);
        receiver.next.store(NGX_MAX_PROCESSES, Relaxed);
    }

    match about {
        None => receiver.open_channels.store(true, Relaxed),
        Some(about) => {
            receiver.next.fetch_min(about, Relaxed);

            if let Some(lacking) = ABOUT.get(about) {
                lacking.store(true, Relaxed);
            }
        }
    }

    if is_first { Noted::First } else { Noted::More }
}

/// Forgets all messages that are lacking.
pub fn clear() {
    for receiver in &RECEIVERS {
        receiver.pid.store(0, Relaxed);
    }

    for about in &ABOUT {
        about.store(false, Relaxed);
    }
}

/// Calls `send` for each message that is lacking, with the receiver's socket,
/// until `send` fails because the socket is full. `send` may call [`note`].
///
/// Returns the number of processes that lacked messages before the call, and lack
/// no message after it.
pub fn send_all(g: &Globals, mut send: impl FnMut(RawFd, &ngx_channel_t) -> Result) -> usize {
    let mut done = 0;

    for (index, receiver) in RECEIVERS.iter().enumerate() {
        let pid = receiver.pid.load(Relaxed);

        if pid == 0 {
            continue;
        }

        let to = g.table.get(Slot::new(index));
        let sent = match to.writable().filter(|_| to.pid() == pid) {
            Some(sock) => send_to(g, index, receiver, |ch| send(sock, ch)),
            // The receiver has exited.
            None => Ok(()),
        };

        if sent.is_ok() {
            receiver.pid.store(0, Relaxed);
            done += 1;
        }
    }

    // `send` can have called `note` for a receiver before the present one.
    if RECEIVERS
        .iter()
        .all(|receiver| receiver.pid.load(Relaxed) == 0)
    {
        clear();
    }

    done
}

/// Sends the messages that one process lacks.
fn send_to(
    g: &Globals,
    index: usize,
    receiver: &Receiver,
    mut send: impl FnMut(&ngx_channel_t) -> Result,
) -> Result {
    if receiver.open_channels.load(Relaxed) {
        send(&ngx_channel_t::command(NGX_IPC_CMD_OPEN_CHANNELS))?;
        receiver.open_channels.store(false, Relaxed);
    }

    loop {
        let next = receiver.next.load(Relaxed);
        let Some(about) = ABOUT.get(next) else {
            return Ok(());
        };

        if about.load(Relaxed) && next != index {
            send(&state_of(g, Slot::new(next)))?;
        }

        // `send` can have called `note` for a slot before this one. Then `next`
        // is that slot, and the loop continues there.
        let _ = receiver
            .next
            .compare_exchange(next, next + 1, Relaxed, Relaxed);
    }
}

/// Returns a message with the present state of `slot`. The pid in a CLOSE_CHANNEL
/// is -1. With this pid, the receiver closes the channel of any process that its
/// table has in the slot.
fn state_of(g: &Globals, slot: Slot) -> ngx_channel_t {
    let about = g.table.get(slot);
    let (command, pid, fd) = match about.writable().filter(|_| about.occupied()) {
        Some(fd) => (NGX_CMD_OPEN_CHANNEL, about.pid(), fd),
        None => (NGX_CMD_CLOSE_CHANNEL, NGX_INVALID_PID, -1),
    };

    ngx_channel_t {
        command,
        pid,
        slot: slot.to_c(),
        fd,
    }
}
