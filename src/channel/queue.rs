//! Control messages to the processes of the table: none is lost (`D14`).
//!
//! OPEN_CHANNEL and CLOSE_CHANNEL that a full socket does not take are kept
//! for their slot, in order, and sent when it drains: the kernel says so with
//! SIGIO, and whoever writes to the slot or waits for events tries as well.
//! Other messages do not overtake them: they get `Status::Again`, on which
//! the senders of QUIT and TERMINATE turn to `kill`.

use std::collections::VecDeque;
use std::mem::MaybeUninit;
use std::os::fd::RawFd;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicUsize};

use super::{CMD_CLOSE_CHANNEL, CMD_OPEN_CHANNEL, MIN_SIZE, ngx_channel_t};
use crate::config::{ngx_msec_t, ngx_pid_t};
use crate::log::{Debug, Level, Log};
use crate::status::{Result, Status};
use crate::sys::lock::Lock;
use crate::table::globals::Globals;
use crate::table::info;
use crate::table::slots::ngx_process_t;

/// The messages that wait for one slot, whose process is `pid`.
///
/// The descriptor of an OPEN_CHANNEL is not kept, but taken from the table
/// when the message is sent. By then the process may have gone; its
/// CLOSE_CHANNEL, which follows, is enough.
struct Queue {
    slot: usize,
    pid: ngx_pid_t,
    messages: VecDeque<ngx_channel_t>,
}

static QUEUES: Lock<Vec<Queue>> = Lock::new(Vec::new());
/// How many messages wait in all; with none the list is of no account.
static WAITING: AtomicUsize = AtomicUsize::new(0);
/// The queues are being sent, without a lock: a log line may come to a writer
/// of the program's, which may send messages.
static FLUSHING: AtomicBool = AtomicBool::new(false);

/// Without SIGIO, and at a limit that no SIGIO tells the end of, the queues
/// are tried again after this many milliseconds.
const RETRY: ngx_msec_t = 100;

/// In a new child: what waits there is the parent's to send. The memory
/// cannot be freed here; the next `push` does.
pub fn forget_all() {
    WAITING.store(0, Relaxed);
    FLUSHING.store(false, Relaxed);
}

/// Milliseconds until the queues are to be tried again; `None` if nothing
/// waits.
pub fn retry_in() -> Option<ngx_msec_t> {
    (WAITING.load(Relaxed) != 0).then_some(RETRY)
}

/// Sends a message, which begins with `ch`, like [`super::write`]; if `sock` is
/// a process's channel in the table, control messages are queued instead of
/// refused.
#[inline]
pub fn write(
    g: &Globals,
    log: Log,
    sock: RawFd,
    message: &[MaybeUninit<u8>],
    ch: &ngx_channel_t,
    if_gone: Level,
) -> Result {
    if WAITING.load(Relaxed) != 0 {
        flush(g, log);
    }

    let sent = if WAITING.load(Relaxed) != 0 && has_to_wait(g, sock) {
        Err(Status::Again)
    } else {
        super::write(log, sock, message, ch.command, ch.fd, if_gone)
    };

    if message.len() == MIN_SIZE && is_control(ch) {
        count_or_queue(g, log, sock, ch, sent)
    } else {
        sent
    }
}

/// Whether a message tells of other processes, and must not be lost.
#[inline]
fn is_control(ch: &ngx_channel_t) -> bool {
    match ch.command {
        CMD_OPEN_CHANNEL | CMD_CLOSE_CHANNEL => true,
        #[cfg(feature = "standalone")]
        super::CMD_OPEN_CHANNELS => true,
        _ => false,
    }
}

/// Whether something waits already for the process whose channel `sock` is.
#[cold]
fn has_to_wait(g: &Globals, sock: RawFd) -> bool {
    slot_of(g, sock)
        .is_some_and(|(i, slot)| FLUSHING.load(Relaxed) || has_queue(&QUEUES.lock(), i, slot))
}

/// What becomes of a control message after the first attempt to send it.
#[inline(never)]
fn count_or_queue(g: &Globals, log: Log, sock: RawFd, ch: &ngx_channel_t, sent: Result) -> Result {
    let Some((i, slot)) = slot_of(g, sock) else {
        return sent;
    };

    if sent != Err(Status::Again) {
        info::of_child(g, i).sent.fetch_add(1, Relaxed);
        return sent;
    }

    if ch.command == CMD_OPEN_CHANNEL && of_table(g, ch) != Some(ch.fd) {
        // The descriptor is the caller's own, and may be gone when it is sent.
        return sent;
    }

    push(g, i, slot, ch);
    log.debug(
        Debug::Core,
        format_args!(
            "channel command {} waits for s:{i} pid:{}",
            ch.command,
            slot.pid()
        ),
    );

    Ok(())
}

/// The process whose channel `sock` is.
///
/// Whoever tells all processes something goes through the table in order, so
/// the search begins behind the slot that was found last.
pub fn slot_of(g: &Globals, sock: RawFd) -> Option<(usize, &'static ngx_process_t)> {
    static LAST: AtomicUsize = AtomicUsize::new(0);

    let used = g.table.used();
    let from = LAST.load(Relaxed).min(used);

    let found = (from..used)
        .chain(0..from)
        .map(|i| (i, g.table.get(i)))
        .find(|(_, slot)| slot.occupied() && slot.writable() == Some(sock))?;

    LAST.store(found.0, Relaxed);

    Some(found)
}

/// The channel of the process that a message is about, if that still runs.
fn of_table(g: &Globals, ch: &ngx_channel_t) -> Option<RawFd> {
    let about = g.table.get(g.table.index(ch.slot)?);

    about.writable().filter(|_| about.pid() == ch.pid)
}

fn has_queue(queues: &[Queue], slot: usize, of: &ngx_process_t) -> bool {
    queues
        .iter()
        .any(|queue| queue.slot == slot && queue.pid == of.pid())
}

fn push(g: &Globals, slot: usize, of: &ngx_process_t, ch: &ngx_channel_t) {
    let mut queues = QUEUES.lock();

    if WAITING.load(Relaxed) == 0 {
        // What a child has of its parent.
        queues.clear();
    }

    let pid = of.pid();

    if !has_queue(&queues, slot, of) {
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

        let info = info::of_child(g, slot);

        info.queued.fetch_add(1, Relaxed);
        info.queued_max.fetch_max(queue.messages.len(), Relaxed);
    }
}

/// Sends what waits, as far as the sockets take it.
pub fn flush(g: &Globals, log: Log) {
    if WAITING.load(Relaxed) == 0 || FLUSHING.swap(true, Relaxed) {
        return;
    }

    let mut sending = std::mem::take(&mut *QUEUES.lock());

    for queue in &mut sending {
        flush_queue(g, log, queue);
    }

    let mut queues = QUEUES.lock();

    // What was queued meanwhile comes after what was there.
    for later in queues.drain(..) {
        match sending
            .iter_mut()
            .find(|queue| queue.slot == later.slot && queue.pid == later.pid)
        {
            Some(queue) => queue.messages.extend(later.messages),
            None => sending.push(later),
        }
    }

    sending.retain(|queue| !queue.messages.is_empty());
    WAITING.store(
        sending.iter().map(|queue| queue.messages.len()).sum(),
        Relaxed,
    );
    *queues = sending;
    FLUSHING.store(false, Relaxed);
}

fn flush_queue(g: &Globals, log: Log, queue: &mut Queue) {
    let to = g.table.get(queue.slot);

    let Some(sock) = to.writable().filter(|_| to.pid() == queue.pid) else {
        // The process has gone, and what was for it.
        info::of_child(g, queue.slot)
            .dropped
            .fetch_add(queue.messages.len(), Relaxed);
        queue.messages.clear();
        return;
    };

    while let Some(&(mut ch)) = queue.messages.front() {
        let opens = ch.command == CMD_OPEN_CHANNEL;

        if opens {
            ch.fd = of_table(g, &ch).unwrap_or(-1);
        }

        if !opens || ch.fd != -1 {
            match super::write(log, sock, &ch.bytes(), ch.command, ch.fd, Level::Info) {
                Err(Status::Again) => return,
                // An error has been logged; the next write to this process
                // fails as well, and its sender learns of it.
                Ok(()) | Err(Status::Error) => {
                    info::of_child(g, queue.slot).sent.fetch_add(1, Relaxed);
                }
            }
        }

        queue.messages.pop_front();
    }
}
