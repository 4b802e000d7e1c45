//! The queue of control messages, so that no control message is lost while a
//! socket is full (`D14`).
//!
//! A control message tells a process about another process: OPEN_CHANNEL,
//! CLOSE_CHANNEL. If the socket is full, the library queues the message for the
//! slot of the receiver, in the order in which the messages were sent. The
//! library sends the queued messages each time this process sends another
//! message or has waited for events. The event loop of the standalone host also
//! wakes up when the socket has room; on both hosts a timer expires.
//!
//! While messages are queued for a receiver, a message that is not a control
//! message does not overtake them: the send fails with `Status::Again`. A
//! master that gets `Status::Again` for QUIT or TERMINATE sends a signal
//! instead.
//!
//! If there is no memory to queue a message, the file `lacking.rs` remembers
//! which messages the receiver lacks.

use std::mem::MaybeUninit;
use std::os::fd::RawFd;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;

use nix::errno::Errno;

use super::command::{NGX_CMD_OPEN_CHANNEL, is_control};
use super::lacking::{self, Noted};
use super::message::{MIN_SIZE, ngx_channel_t};
use super::wait::may_wait;
use super::waiting::{self, Front, any_waiting, channel_in_table, may_be_waiting};
use super::write::{self, ALWAYS_WHOLE};
use crate::config::{AtomicPid, ngx_pid_t};
use crate::log::{Debug, Level, Log};
use crate::status::{Result, Status};
use crate::table::globals::Globals;
use crate::table::places::Counter;
use crate::table::slot::Slot;
use crate::table::slots::{CLOSED, ngx_process_t};
use crate::table::stats;

/// The pid of the process while it sends the queued messages; 0 at other times.
/// Meanwhile the process does not hold the lock of `QUEUES`: a log line can
/// call a log writer of the program, and this writer can send messages.
static FLUSHING: AtomicPid = AtomicPid::new(0);

fn is_flushing(g: &Globals) -> bool {
    FLUSHING.load(Relaxed) == g.own_pid()
}

/// Sends `message`, whose first fields are `ch`, as [`write::write`] does. A
/// control message is queued if the socket is full and `sock` is the channel of
/// a process in the table.
#[inline(always)]
pub fn write(
    g: &Globals,
    log: Log,
    sock: RawFd,
    message: &[MaybeUninit<u8>],
    ch: &ngx_channel_t,
    if_gone: Level,
) -> Result {
    // Most messages take this path.
    if message.len() <= ALWAYS_WHOLE
        && ch.fd == CLOSED
        && !is_control(ch.command)
        && !may_be_waiting()
    {
        write::write_plain(log, sock, message, if_gone, || may_wait(g, sock))
    } else {
        write_in_order(g, log, sock, message, ch, if_gone)
    }
}

/// Does what [`write`] does, for any message: sends it after the messages that
/// are queued for its receiver, and counts or queues a control message.
#[inline(always)]
fn write_in_order(
    g: &Globals,
    log: Log,
    sock: RawFd,
    message: &[MaybeUninit<u8>],
    ch: &ngx_channel_t,
    if_gone: Level,
) -> Result {
    let sent = if any_waiting(g) && has_to_wait(g, log, sock) {
        Err(Status::Again)
    } else {
        write::write(log, sock, message, ch, if_gone, || may_wait(g, sock))
    };

    if message.len() == MIN_SIZE && is_control(ch.command) {
        count_or_queue(g, log, sock, ch, sent)
    } else {
        sent
    }
}

/// Sends the queued messages. Returns whether messages are still queued for the
/// process whose channel is `sock`.
#[cold]
fn has_to_wait(g: &Globals, log: Log, sock: RawFd) -> bool {
    flush(g, log);

    find_receiver(g, sock)
        .is_some_and(|(slot, entry)| is_flushing(g) || waiting::has_messages(slot, entry.pid()))
}

/// Counts a control message that has been sent. Queues a control message for
/// which `sent` is `Status::Again`.
#[inline(never)]
fn count_or_queue(g: &Globals, log: Log, sock: RawFd, ch: &ngx_channel_t, sent: Result) -> Result {
    let Some((slot, entry)) = find_receiver(g, sock) else {
        return sent;
    };

    if sent != Err(Status::Again) {
        stats::count(g, slot, Counter::Sent, 1);
        return sent;
    }

    if ch.command == NGX_CMD_OPEN_CHANNEL && channel_in_table(g, ch) != Some(ch.fd) {
        // The message carries a descriptor that is not in the table. The caller
        // can close the descriptor before a queued message is sent, so the
        // message is not queued.
        return sent;
    }

    if waiting::push(g, slot, entry.pid(), ch).is_err() {
        return remember(log, slot, entry.pid(), ch);
    }

    log.debug(
        Debug::Core,
        format_args!(
            "channel command {} waits for s:{slot} pid:{}",
            ch.command,
            entry.pid()
        ),
    );

    Ok(())
}

/// Remembers a control message that could not be queued, because there was no
/// memory. The first such message to a process is logged as an alert.
#[cold]
fn remember(log: Log, slot: Slot, pid: ngx_pid_t, ch: &ngx_channel_t) -> Result {
    match waiting::note_lacking(slot, pid, ch) {
        Noted::No => return Err(Status::Again),
        Noted::More => {}
        Noted::First => log.error(
            Level::Alert,
            Some(Errno::ENOMEM),
            format_args!(
                "channel command {} to s:{slot} pid:{pid} cannot be queued, \
                 the state of slot {} is sent later",
                ch.command, ch.slot
            ),
        ),
    }

    Ok(())
}

/// Finds the process in the table whose channel is `sock`.
///
/// A caller that sends a message to all processes goes through the table in
/// order. So the search begins at the slot that the last search has found.
pub fn find_receiver(g: &Globals, sock: RawFd) -> Option<(Slot, &'static ngx_process_t)> {
    static LAST: AtomicUsize = AtomicUsize::new(0);

    let used = g.table.used();
    let from = LAST.load(Relaxed).min(used);

    let found = (from..used)
        .chain(0..from)
        .map(|i| (Slot::new(i), g.table.get(Slot::new(i))))
        .find(|(_, entry)| entry.occupied() && entry.writable() == Some(sock))?;

    LAST.store(found.0.index(), Relaxed);

    Some(found)
}

/// Sends the queued messages of each receiver until the receiver's socket is
/// full again.
pub fn flush(g: &Globals, log: Log) {
    let own = g.own_pid();

    if !any_waiting(g) || FLUSHING.swap(own, Relaxed) == own {
        return;
    }

    let mut index = 0;

    // A log writer can queue messages meanwhile. They are sent by a later call
    // of this function.
    for _ in 0..waiting::count() {
        let Some(front) = waiting::front(index) else {
            break;
        };

        index = front.index;

        if send_front(g, log, &front) == Err(Status::Again) {
            index += 1;
        }
    }

    waiting::clean_up(lacking::send_all(g, |sock, ch| send(log, sock, ch)));
    FLUSHING.store(0, Relaxed);
}

/// Sends a message, and removes it from its queue unless the receiver's socket
/// is full. The lock is not held while the message is sent, see [`FLUSHING`].
fn send_front(g: &Globals, log: Log, front: &Front) -> Result {
    let to = g.table.get(front.slot);
    let mut ch = front.message;

    if let Some(sock) = to.writable().filter(|_| to.pid() == front.pid) {
        let opens = ch.command == NGX_CMD_OPEN_CHANNEL;

        if opens {
            ch.fd = channel_in_table(g, &ch).unwrap_or(-1);
        }

        if !opens || ch.fd != -1 {
            send(log, sock, &ch)?;
            stats::count(g, front.slot, Counter::Sent, 1);
        }
    } else {
        // The receiver has exited, so its messages are dropped.
        stats::count(g, front.slot, Counter::Dropped, 1);
    }

    waiting::remove_front(front);

    Ok(())
}

/// Sends a message whose receiver is in the table. Only a full socket is an
/// error: write() has logged any other failure. The next message to this
/// process fails too, and the sender of that message gets the error.
fn send(log: Log, sock: RawFd, ch: &ngx_channel_t) -> Result {
    match write::write(log, sock, &ch.bytes(), ch, Level::Info, || false) {
        Err(Status::Again) => Err(Status::Again),
        Ok(()) | Err(Status::Error) => Ok(()),
    }
}
