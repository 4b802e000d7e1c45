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

use std::collections::VecDeque;
use std::mem::MaybeUninit;
use std::os::fd::RawFd;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;

use super::command::{NGX_CMD_CLOSE_CHANNEL, NGX_CMD_OPEN_CHANNEL, is_control};
use super::message::{MIN_SIZE, ngx_channel_t};
use super::wait::may_wait;
use super::write;
use crate::config::{AtomicPid, ngx_msec_t, ngx_pid_t};
use crate::log::{Debug, Level, Log};
use crate::status::{Result, Status};
use crate::sys::lock::Lock;
use crate::table::globals::Globals;
use crate::table::slot::Slot;
use crate::table::slots::ngx_process_t;
use crate::table::stats;

/// A process to which messages are sent: its slot and its pid.
type Receiver = (Slot, ngx_pid_t);

/// The messages that are queued for one receiver.
///
/// A queued OPEN_CHANNEL does not keep the descriptor that it carries: the
/// library takes the descriptor from the table when it sends the message. If
/// the process that the message announces has exited meanwhile, the library
/// drops the message. The receiver then gets only the CLOSE_CHANNEL of that
/// process, which is queued behind the OPEN_CHANNEL.
struct Queue {
    to: Receiver,
    messages: VecDeque<ngx_channel_t>,
}

static QUEUES: Lock<Vec<Queue>> = Lock::new(Vec::new());

/// The number of messages in all queues, which can be read without the lock.
static WAITING: AtomicUsize = AtomicUsize::new(0);

/// The pid of the process that has queued the messages. A child inherits the
/// queues of its parent, but only the parent must send these messages; the
/// child ignores the queues, because `OWNER` is not its own pid. The child
/// cannot free the queues right after fork(), where only async-signal-safe
/// functions may run. The child's first `push` frees them.
static OWNER: AtomicPid = AtomicPid::new(0);

/// The pid of the process while it sends the queued messages; 0 at other times.
/// Meanwhile the process does not hold the lock of `QUEUES`: a log line can
/// call a log writer of the program, and this writer can send messages.
static FLUSHING: AtomicPid = AtomicPid::new(0);

/// The delay in milliseconds after which the library retries the queued
/// messages. The retry is needed if nothing reports that a socket has room:
/// inside nginx, and after ETOOMANYREFS.
const RETRY: ngx_msec_t = 100;

/// Whether this process has queued messages.
#[inline]
fn any_waiting(g: &Globals) -> bool {
    WAITING.load(Relaxed) != 0 && OWNER.load(Relaxed) == g.own_pid()
}

fn is_flushing(g: &Globals) -> bool {
    FLUSHING.load(Relaxed) == g.own_pid()
}

/// Milliseconds until the library has to retry the queued messages; `None` if
/// no message is queued.
pub fn retry_in(g: &Globals) -> Option<ngx_msec_t> {
    any_waiting(g).then_some(RETRY)
}

/// The sockets of the processes for which messages are queued.
#[cfg(feature = "standalone")]
pub fn full_sockets(g: &Globals) -> Vec<RawFd> {
    if !any_waiting(g) {
        return Vec::new();
    }

    QUEUES
        .lock()
        .iter()
        .filter_map(|queue| g.table.get(queue.to.0).writable())
        .collect()
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
        .is_some_and(|(slot, entry)| is_flushing(g) || has_queue((slot, entry.pid())))
}

/// Counts a control message that has been sent. Queues a control message for
/// which `sent` is `Status::Again`.
#[inline(never)]
fn count_or_queue(g: &Globals, log: Log, sock: RawFd, ch: &ngx_channel_t, sent: Result) -> Result {
    let Some((slot, entry)) = find_receiver(g, sock) else {
        return sent;
    };

    if sent != Err(Status::Again) {
        stats::of_child(g, slot).sent.fetch_add(1, Relaxed);
        return sent;
    }

    if ch.command == NGX_CMD_OPEN_CHANNEL && channel_in_table(g, ch) != Some(ch.fd) {
        // The message carries a descriptor that is not in the table. The caller
        // can close the descriptor before a queued message is sent, so the
        // message is not queued.
        return sent;
    }

    push(g, (slot, entry.pid()), ch);
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

/// The descriptor `channel[0]`, from the table, of the process that the message
/// `ch` is about; `None` if this process has exited.
fn channel_in_table(g: &Globals, ch: &ngx_channel_t) -> Option<RawFd> {
    let about = g.table.get(Slot::from_c(ch.slot)?);

    about.writable().filter(|_| about.pid() == ch.pid)
}

fn has_queue(to: Receiver) -> bool {
    QUEUES.lock().iter().any(|queue| queue.to == to)
}

/// Queues a message.
fn push(g: &Globals, to: Receiver, ch: &ngx_channel_t) {
    let mut queues = QUEUES.lock();

    if !any_waiting(g) {
        // The queues are empty, or this process has inherited them from its
        // parent and must not send them.
        queues.clear();
        WAITING.store(0, Relaxed);
        OWNER.store(g.own_pid(), Relaxed);
    }

    let mut queue = (queues.iter().position(|queue| queue.to == to))
        .map_or_else(|| Queue::new(to), |at| queues.swap_remove(at));
    let stats = stats::of_child(g, to.0);

    queue.messages.push_back(*ch);
    stats.queued.fetch_add(1, Relaxed);
    stats.queued_max.fetch_max(queue.messages.len(), Relaxed);
    WAITING.fetch_add(1, Relaxed);
    WAITING.fetch_sub(queue.drop_stale(g), Relaxed);
    queues.push(queue);
}

impl Queue {
    fn new(to: Receiver) -> Self {
        Self {
            to,
            messages: VecDeque::new(),
        }
    }

    /// Drops each OPEN_CHANNEL of a process that has exited. The receiver never
    /// learns of such a process, so its CLOSE_CHANNEL is not needed either,
    /// unless it is the only one for its slot. So the queue of a receiver that
    /// does not read has at most two messages for each slot.
    ///
    /// Returns how many messages were dropped.
    fn drop_stale(&mut self, g: &Globals) -> usize {
        let before = self.messages.len();
        let is_stale = |ch: &ngx_channel_t| {
            ch.command == NGX_CMD_OPEN_CHANNEL && channel_in_table(g, ch).is_none()
        };

        let Some(last) = self.messages.back().copied() else {
            return 0;
        };
        let is_unknown = (self.messages.iter())
            .any(|ch| is_stale(ch) && ch.slot == last.slot && ch.pid == last.pid);

        self.messages.retain(|ch| !is_stale(ch));

        let closes =
            |ch: &ngx_channel_t| ch.command == NGX_CMD_CLOSE_CHANNEL && ch.slot == last.slot;

        if is_unknown && self.messages.iter().filter(|ch| closes(ch)).count() > 1 {
            self.messages.pop_back();
        }

        before - self.messages.len()
    }
}

/// Sends the queued messages of each receiver until the receiver's socket is
/// full again.
pub fn flush(g: &Globals, log: Log) {
    let own = g.own_pid();

    if !any_waiting(g) || FLUSHING.swap(own, Relaxed) == own {
        return;
    }

    let mut sending = std::mem::take(&mut *QUEUES.lock());

    for queue in &mut sending {
        flush_queue(g, log, queue);
    }

    put_back(sending);
    FLUSHING.store(0, Relaxed);
}

/// Puts the messages that could not be sent back into the queues, before the
/// messages that were queued meanwhile.
fn put_back(mut unsent: Vec<Queue>) {
    let mut queues = QUEUES.lock();

    for later in queues.drain(..) {
        match unsent.iter_mut().find(|queue| queue.to == later.to) {
            Some(queue) => queue.messages.extend(later.messages),
            None => unsent.push(later),
        }
    }

    unsent.retain(|queue| !queue.messages.is_empty());
    WAITING.store(
        unsent.iter().map(|queue| queue.messages.len()).sum(),
        Relaxed,
    );
    *queues = unsent;
}

fn flush_queue(g: &Globals, log: Log, queue: &mut Queue) {
    let (slot, pid) = queue.to;
    let entry = g.table.get(slot);

    let Some(sock) = entry.writable().filter(|_| entry.pid() == pid) else {
        // The receiver has exited, so its messages are dropped.
        stats::of_child(g, slot)
            .dropped
            .fetch_add(queue.messages.len(), Relaxed);
        queue.messages.clear();
        return;
    };

    while let Some(&(mut ch)) = queue.messages.front() {
        let opens = ch.command == NGX_CMD_OPEN_CHANNEL;

        if opens {
            ch.fd = channel_in_table(g, &ch).unwrap_or(-1);
        }

        if !opens || ch.fd != -1 {
            match write::write(log, sock, &ch.bytes(), &ch, Level::Info, || false) {
                Err(Status::Again) => return,
                // write() has logged the failure. The next message to this
                // process fails too, and the sender of that message gets the
                // error.
                Ok(()) | Err(Status::Error) => {
                    stats::of_child(g, slot).sent.fetch_add(1, Relaxed);
                }
            }
        }

        queue.messages.pop_front();
    }
}
