//! The queue of control messages: none is lost while a socket is full (`D14`).
//!
//! A control message tells a process of another one: OPEN_CHANNEL,
//! CLOSE_CHANNEL. If the socket is full the message is kept for the receiver's
//! slot, in order. It is sent whenever this process sends another message or has
//! waited for events: the host's event loop also waits until the socket has
//! room, or a timer of the host expires.
//!
//! Other messages do not overtake queued ones: they get `Status::Again`. The
//! senders of QUIT and TERMINATE send a signal instead then.

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
use crate::sys::socket::Wait;
use crate::table::globals::Globals;
use crate::table::slot::Slot;
use crate::table::slots::ngx_process_t;
use crate::table::stats;

/// The messages for the process `pid` in one slot.
///
/// A queued OPEN_CHANNEL keeps no descriptor: the table has it when the message
/// is sent. If the process has exited by then the message is not sent; its
/// CLOSE_CHANNEL, which follows, is enough.
struct Queue {
    slot: Slot,
    pid: ngx_pid_t,
    messages: VecDeque<ngx_channel_t>,
}

static QUEUES: Lock<Vec<Queue>> = Lock::new(Vec::new());

/// The number of messages in all queues, to be read without the lock.
static WAITING: AtomicUsize = AtomicUsize::new(0);

/// The process that has queued the messages. In a child, which inherits this
/// memory, it is another process: the messages are the parent's to send. A
/// child cannot free them right after fork(), where only async-signal-safe
/// functions may run; its first `push` does.
static OWNER: AtomicPid = AtomicPid::new(0);

/// The process that is sending the queues now; 0: none is. It does not hold
/// the lock meanwhile: a log line may call a writer of the program's, which
/// may send messages.
static FLUSHING: AtomicPid = AtomicPid::new(0);

/// The delay in milliseconds after which the queues are sent again where nothing
/// tells that a socket has room: inside nginx, and at ETOOMANYREFS.
const RETRY: ngx_msec_t = 100;

/// Whether this process has queued messages.
#[inline]
fn any_waiting(g: &Globals) -> bool {
    WAITING.load(Relaxed) != 0 && OWNER.load(Relaxed) == g.own_pid()
}

fn is_flushing(g: &Globals) -> bool {
    FLUSHING.load(Relaxed) == g.own_pid()
}

/// Milliseconds until the queues must be sent again; `None` if they are empty.
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
        .filter_map(|queue| g.table.get(queue.slot).writable())
        .collect()
}

/// Sends a message, whose first fields are `ch`, like [`write::write`]. If
/// `sock` is the channel of a process of the table and is full, a control
/// message is queued.
#[inline]
pub fn write(
    g: &Globals,
    log: Log,
    sock: RawFd,
    message: &[MaybeUninit<u8>],
    ch: &ngx_channel_t,
    if_gone: Level,
) -> Result {
    if any_waiting(g) {
        flush(g, log);
    }

    let sent = if any_waiting(g) && has_to_wait(g, sock) {
        Err(Status::Again)
    } else {
        write::write(log, sock, message, ch.command, ch.fd, if_gone, Wait::Never)
    };

    let sent = match sent {
        Err(Status::Again) => write_if_waiting(g, log, sock, message, ch, if_gone),
        sent => sent,
    };

    if message.len() == MIN_SIZE && is_control(ch.command) {
        count_or_queue(g, log, sock, ch, sent)
    } else {
        sent
    }
}

/// Sends a message to a socket that is full, if the call may wait for room.
#[cold]
fn write_if_waiting(
    g: &Globals,
    log: Log,
    sock: RawFd,
    message: &[MaybeUninit<u8>],
    ch: &ngx_channel_t,
    if_gone: Level,
) -> Result {
    if may_wait(g, sock) {
        let wait = Wait::AsFlagSays;

        write::write(log, sock, message, ch.command, ch.fd, if_gone, wait)
    } else {
        Err(Status::Again)
    }
}

/// Whether messages are queued for the process whose channel is `sock`.
#[cold]
fn has_to_wait(g: &Globals, sock: RawFd) -> bool {
    find_receiver(g, sock)
        .is_some_and(|(slot, entry)| is_flushing(g) || has_queue(&QUEUES.lock(), slot, entry.pid()))
}

/// Counts a control message that has been sent; queues one that got
/// `Status::Again`.
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
        // The descriptor is the caller's own: it may be closed before the
        // message is sent.
        return sent;
    }

    push(g, slot, entry.pid(), ch);
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

/// The process of the table whose channel is `sock`.
///
/// A caller that sends a message to all processes goes through the table in
/// order, so the search begins at the slot that was found last.
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

/// The channel, as the table has it, of the process that a message is about;
/// `None` if that has exited.
fn channel_in_table(g: &Globals, ch: &ngx_channel_t) -> Option<RawFd> {
    let about = g.table.get(Slot::from_c(ch.slot)?);

    about.writable().filter(|_| about.pid() == ch.pid)
}

fn has_queue(queues: &[Queue], slot: Slot, pid: ngx_pid_t) -> bool {
    queues
        .iter()
        .any(|queue| queue.slot == slot && queue.pid == pid)
}

/// Queues a message for the process `pid` in `slot`.
fn push(g: &Globals, slot: Slot, pid: ngx_pid_t, ch: &ngx_channel_t) {
    let mut queues = QUEUES.lock();

    if !any_waiting(g) {
        // The queues of the parent, from which this process was forked.
        queues.clear();
        WAITING.store(0, Relaxed);
        OWNER.store(g.own_pid(), Relaxed);
    }

    if !has_queue(&queues, slot, pid) {
        queues.push(Queue {
            slot,
            pid,
            messages: VecDeque::new(),
        });
    }

    for queue in queues
        .iter_mut()
        .filter(|queue| queue.slot == slot && queue.pid == pid)
    {
        queue.messages.push_back(*ch);
        WAITING.fetch_add(1, Relaxed);

        let stats = stats::of_child(g, slot);

        stats.queued.fetch_add(1, Relaxed);
        stats.queued_max.fetch_max(queue.messages.len(), Relaxed);
        WAITING.fetch_sub(queue.drop_stale(g), Relaxed);
    }
}

impl Queue {
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

/// Sends the queued messages until the sockets are full again.
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

/// Keeps what has not been sent, before what was queued meanwhile.
fn put_back(mut unsent: Vec<Queue>) {
    let mut queues = QUEUES.lock();

    for later in queues.drain(..) {
        match unsent
            .iter_mut()
            .find(|queue| queue.slot == later.slot && queue.pid == later.pid)
        {
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
    let to = g.table.get(queue.slot);

    let Some(sock) = to.writable().filter(|_| to.pid() == queue.pid) else {
        // The receiver has exited.
        stats::of_child(g, queue.slot)
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
            let (bytes, wait) = (ch.bytes(), Wait::Never);
            let sent = write::write(log, sock, &bytes, ch.command, ch.fd, Level::Info, wait);

            match sent {
                Err(Status::Again) => return,
                // A failure has been logged. The next message to this process
                // fails too, and its sender gets the error.
                Ok(()) | Err(Status::Error) => {
                    stats::of_child(g, queue.slot).sent.fetch_add(1, Relaxed);
                }
            }
        }

        queue.messages.pop_front();
    }
}
