//! The queues in which control messages wait, one for each receiver.

use std::collections::{TryReserveError, VecDeque};
use std::os::fd::RawFd;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;

use super::command::{NGX_CMD_CLOSE_CHANNEL, NGX_CMD_OPEN_CHANNEL};
use super::lacking::{self, Noted};
use super::message::ngx_channel_t;
use crate::config::{AtomicPid, ngx_msec_t, ngx_pid_t};
use crate::sys::lock::Lock;
use crate::table::globals::Globals;
use crate::table::places::Counter;
use crate::table::slot::Slot;
use crate::table::stats;

/// The messages that are queued for one receiver: the process `pid` in the slot
/// `slot`.
///
/// A queued OPEN_CHANNEL does not keep the descriptor that it carries: the
/// library takes the descriptor from the table when it sends the message. If
/// the process that the message announces has exited meanwhile, the library
/// drops the message. The receiver then gets only the CLOSE_CHANNEL of that
/// process, which is queued behind the OPEN_CHANNEL.
struct Queue {
    slot: Slot,
    pid: ngx_pid_t,
    messages: VecDeque<ngx_channel_t>,
}

static QUEUES: Lock<Vec<Queue>> = Lock::new(Vec::new());

/// The number of messages in all queues, and of processes that lack messages. It
/// can be read without the lock.
static WAITING: AtomicUsize = AtomicUsize::new(0);

/// The pid of the process that has queued the messages. A child inherits the
/// queues of its parent, but only the parent must send these messages; the
/// child ignores the queues, because `OWNER` is not its own pid. The child
/// cannot free the queues right after fork(), where only async-signal-safe
/// functions may run. The child's first `push` frees them.
static OWNER: AtomicPid = AtomicPid::new(0);

/// The delay in milliseconds after which the library retries the queued
/// messages. The retry is needed if nothing reports that a socket has room:
/// inside nginx, and after ETOOMANYREFS.
const RETRY: ngx_msec_t = 100;

/// Whether this process, or a process from which it has inherited the queues,
/// has queued messages.
#[inline]
pub fn may_be_waiting() -> bool {
    WAITING.load(Relaxed) != 0
}

/// Whether this process has queued messages.
#[inline]
pub fn any_waiting(g: &Globals) -> bool {
    may_be_waiting() && OWNER.load(Relaxed) == g.own_pid()
}

/// Milliseconds until the library has to retry the queued messages; `None` if
/// no message is queued.
pub fn retry_in(g: &Globals) -> Option<ngx_msec_t> {
    any_waiting(g).then_some(RETRY)
}

/// The sockets of the processes for which messages are queued. Without memory
/// for the list it is empty: then a timer makes the library retry the messages.
#[cfg(feature = "standalone")]
pub fn full_sockets(g: &Globals) -> Vec<RawFd> {
    let mut sockets = Vec::new();

    if !any_waiting(g) {
        return sockets;
    }

    let queues = QUEUES.lock();

    if sockets.try_reserve_exact(queues.len()).is_ok() {
        sockets.extend(
            queues
                .iter()
                .filter_map(|queue| g.table.get(queue.slot).writable()),
        );
    }

    sockets
}

/// The descriptor `channel[0]`, from the table, of the process that the message
/// `ch` is about; `None` if this process has exited.
pub fn channel_in_table(g: &Globals, ch: &ngx_channel_t) -> Option<RawFd> {
    let about = g.table.get(Slot::from_c(ch.slot)?);

    about.writable().filter(|_| about.pid() == ch.pid)
}

/// Whether messages wait for the process `pid` in `slot`.
pub fn has_messages(slot: Slot, pid: ngx_pid_t) -> bool {
    has_queue(&QUEUES.lock(), slot, pid)
}

fn has_queue(queues: &[Queue], slot: Slot, pid: ngx_pid_t) -> bool {
    queues
        .iter()
        .any(|queue| queue.slot == slot && queue.pid == pid)
}

/// Queues a message for the process `pid` in `slot`. Without memory nothing is
/// queued.
pub fn push(
    g: &Globals,
    slot: Slot,
    pid: ngx_pid_t,
    ch: &ngx_channel_t,
) -> std::result::Result<(), TryReserveError> {
    let mut queues = QUEUES.lock();

    if !any_waiting(g) {
        // The queues are empty, or this process has inherited them from its
        // parent and must not send them.
        queues.clear();
        lacking::clear();
        WAITING.store(0, Relaxed);
        OWNER.store(g.own_pid(), Relaxed);
    }

    if !has_queue(&queues, slot, pid) {
        queues.try_reserve(1)?;
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
        queue.messages.try_reserve(1)?;
        queue.messages.push_back(*ch);
        WAITING.fetch_add(1, Relaxed);

        let stats = stats::of_child(g, slot);

        stats::count(g, slot, Counter::Queued, 1);
        stats.queued_max.fetch_max(queue.messages.len(), Relaxed);
        WAITING.fetch_sub(queue.drop_stale(g), Relaxed);
    }

    Ok(())
}

/// Remembers that the process `pid` in `slot` lacks the message `ch`, which
/// could not be queued.
pub fn note_lacking(slot: Slot, pid: ngx_pid_t, ch: &ngx_channel_t) -> Noted {
    let noted = lacking::note(slot, pid, ch);

    if noted == Noted::First {
        WAITING.fetch_add(1, Relaxed);
    }

    noted
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

/// A message at the front of a queue.
pub struct Front {
    /// The position of the queue in `QUEUES`.
    pub index: usize,
    /// The slot of the receiver.
    pub slot: Slot,
    /// The pid of the receiver.
    pub pid: ngx_pid_t,
    /// The message.
    pub message: ngx_channel_t,
}

/// The front of the first queue from the position `from` on that has a message.
pub fn front(from: usize) -> Option<Front> {
    let queues = QUEUES.lock();

    queues
        .iter()
        .enumerate()
        .skip(from)
        .find_map(|(index, queue)| {
            Some(Front {
                index,
                slot: queue.slot,
                pid: queue.pid,
                message: *queue.messages.front()?,
            })
        })
}

/// Removes a message from its queue, unless a log writer has made the queue drop
/// the message while it was sent.
pub fn remove_front(front: &Front) {
    let mut queues = QUEUES.lock();

    if let Some(queue) = queues.get_mut(front.index)
        && queue.messages.front() == Some(&front.message)
    {
        queue.messages.pop_front();
        WAITING.fetch_sub(1, Relaxed);
    }
}

/// The number of queued messages, and of processes that lack messages.
pub fn count() -> usize {
    WAITING.load(Relaxed)
}

/// Removes the queues that have no message, and subtracts `told`, the number of
/// processes that lack no message any more.
pub fn clean_up(told: usize) {
    QUEUES.lock().retain(|queue| !queue.messages.is_empty());
    WAITING.fetch_sub(told, Relaxed);
}
