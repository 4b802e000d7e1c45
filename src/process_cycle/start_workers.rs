//! Starting several processes at once, `ngx_start_worker_processes`.
//!
//! nginx starts N processes one after the other, and announces each of them to
//! all processes that were started before: N²/2 messages, each with a
//! descriptor. This file makes all channels before the first fork(), so that
//! each process inherits the channels of the others. When all processes run,
//! the master sends each process one message, OPEN_CHANNELS. A process that
//! receives OPEN_CHANNELS enters the others into its table, and reads their
//! pids from shared memory.

use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::sync::atomic::Ordering::Relaxed;

use super::admit::enter;
use super::announce::{announce, announce_to, send};
use crate::channel::close;
use crate::channel::command::NGX_IPC_CMD_OPEN_CHANNELS;
use crate::channel::message::ngx_channel_t;
use crate::log::{Debug, Log};
use crate::process::mode::Mode;
use crate::process::socketpair::channel_aside;
use crate::process::spawn::{self, Spawn};
use crate::process::wanted::Wanted;
use crate::sys::{fd, heap};
use crate::table::globals::Globals;
use crate::table::minus_one::MinusOneI32;
use crate::table::slot::{NGX_MAX_PROCESSES, Slot};
use crate::table::slots::{CLOSED, Work};
use crate::table::stats;

/// Processes that are to be started together.
pub struct Batch<'a> {
    /// The number of processes.
    pub n: usize,
    /// Returns the process with an index. It returns a process for each index
    /// that is less than `n`.
    pub get: &'a dyn Fn(usize) -> Option<Wanted>,
    /// Is called with the index of each process that could not be started, in
    /// the order of the indices. The failure has been logged.
    pub failed: &'a mut dyn FnMut(usize),
}

/// A closure that runs the function of a [`Work`] in the child, with the cycle
/// of the caller.
pub type Start<'a> = &'a dyn Fn(Work);

/// In a process that was started together with others: the inherited channels
/// of the processes that were started later than this process. They are kept
/// here, one for each slot, until OPEN_CHANNELS arrives.
static INHERITED: [MinusOneI32; NGX_MAX_PROCESSES] =
    [const { MinusOneI32::new() }; NGX_MAX_PROCESSES];

/// A slot and a channel for a process that is about to be started.
struct Prepared {
    slot: Slot,
    /// The channel; `None` once the process has been started, or has failed.
    channel: Option<[OwnedFd; 2]>,
    /// The child's end of the channel.
    theirs: RawFd,
    /// Whether the process runs.
    runs: bool,
}

/// Starts the processes of `batch`, and announces each of them to the other
/// processes.
pub fn spawn_processes(g: &Globals, log: Log, batch: Batch<'_>, mode: Mode, start: Start<'_>) {
    let Batch { n, get, failed } = batch;
    let mut first = 0;

    while first < n {
        let mut prepared = prepare_channels(g, n - first);

        if prepared.is_empty() {
            if !get(first).is_some_and(|wanted| spawn_one(g, log, wanted, mode, start)) {
                failed(first);
            }
        } else {
            let get = |k| get(first + k);

            spawn_prepared(g, log, &mut prepared, &get, mode, start);
            (first..)
                .zip(&prepared)
                .filter(|(_, prepared)| !prepared.runs)
                .for_each(|(index, _)| failed(index));
        }

        first += prepared.len().max(1);

        if g.process_slot() == Slot::NONE {
            // The table is full, so no more processes can be started. This has
            // been logged once.
            (first..n).for_each(failed);
            break;
        }
    }
}

/// Makes channels for the first of `n` processes, as many as there are free
/// slots and descriptors. Returns an empty list if the processes have to be
/// started one by one, for example because there is no memory for the list.
fn prepare_channels(g: &Globals, n: usize) -> Vec<Prepared> {
    let mut batch = Vec::new();

    stats::keep_shared(g);

    if n < 2 || !stats::is_publisher(g) {
        return batch;
    }

    // The children's ends get descriptor numbers that follow each other, behind
    // the numbers of the parent's ends. So a child can close the other
    // children's ends with one call of close_range(2).
    let mut aside = None;

    for slot in g.table.free().take(n) {
        let Ok(channel) = channel_aside(aside) else {
            break;
        };

        let theirs = channel[1].as_raw_fd();

        aside = Some(match aside {
            None => theirs.saturating_add(n as RawFd),
            Some(_) => theirs.saturating_add(1),
        });

        let prepared = Prepared {
            slot,
            channel: Some(channel),
            theirs,
            runs: false,
        };

        if heap::push(&mut batch, prepared).is_err() {
            break;
        }
    }

    batch
}

fn spawn_one(g: &Globals, log: Log, wanted: Wanted, mode: Mode, start: Start<'_>) -> bool {
    let spawn = Spawn {
        wanted,
        start: &mut || start(wanted.work),
    };

    if spawn::spawn(g, log, spawn, mode).is_err() {
        return false;
    }

    announce(g, log);
    true
}

/// Starts the first processes of `get`, one for each element of `batch`, and
/// sets `runs` of those that run.
fn spawn_prepared(
    g: &Globals,
    log: Log,
    batch: &mut [Prepared],
    get: &dyn Fn(usize) -> Option<Wanted>,
    mode: Mode,
    start: Start<'_>,
) {
    let mut before = [false; NGX_MAX_PROCESSES];

    for (before, (_, entry)) in before.iter_mut().zip(g.table.iter()) {
        *before = entry.occupied();
    }

    for (k, prepared) in batch.iter().enumerate() {
        let ours = prepared
            .channel
            .as_ref()
            .map_or(CLOSED, |[ours, _]| ours.as_raw_fd());

        set_inherited(prepared.slot, ours);

        // The first process can send messages to the last one as soon as it runs.
        if let Some(wanted) = get(k) {
            spawn::describe(g, prepared.slot, &wanted, mode);
            (g.starting)(g, log, prepared.slot, false);
        }
    }

    let mut rest = &mut *batch;
    let mut k = 0;

    while let [prepared, later @ ..] = rest {
        prepared.runs =
            get(k).is_some_and(|wanted| spawn_into(g, log, wanted, prepared, later, mode, start));

        if prepared.runs {
            let older = before
                .iter()
                .zip(g.table.iter())
                .filter(|(before, _)| **before);

            announce_to(g, log, older.map(|(_, entry)| entry));
        }

        rest = later;
        k += 1;
    }

    // The last process needs no OPEN_CHANNELS: it has inherited a table that
    // has all other processes.
    if let Some((_, others)) = batch.split_last() {
        for prepared in others.iter().filter(|prepared| prepared.runs) {
            send_open_channels(g, log, prepared.slot);
        }
    }
}

/// Starts one process of a batch. The child closes its own copies of the ends of
/// the processes `later`, which are started after it. Returns whether the
/// process was started.
fn spawn_into(
    g: &Globals,
    log: Log,
    wanted: Wanted,
    prepared: &mut Prepared,
    later: &[Prepared],
    mode: Mode,
    start: Start<'_>,
) -> bool {
    let slot = prepared.slot;
    let mut spawn = Spawn {
        wanted,
        start: &mut || {
            fd::close_all(later.iter().map(|prepared| prepared.theirs));
            start(wanted.work);
        },
    };

    g.set_process_slot(slot);
    set_inherited(slot, CLOSED);

    spawn::fork_into(g, log, slot, prepared.channel.take(), &mut spawn, mode).is_ok()
}

fn set_inherited(slot: Slot, fd: RawFd) {
    if let Some(inherited) = INHERITED.get(slot.index()) {
        inherited.store(fd, Relaxed);
    }
}

/// Sends OPEN_CHANNELS to the process in `slot`: all processes that were
/// started together with it run.
fn send_open_channels(g: &Globals, log: Log, slot: Slot) {
    let to = g.table.get(slot);

    let Some(sock) = to.writable() else {
        return;
    };

    log.debug(
        Debug::Core,
        format_args!("pass channels to s:{slot} pid:{} fd:{sock}", to.pid()),
    );

    let _ = send(
        g,
        log,
        sock,
        &ngx_channel_t::command(NGX_IPC_CMD_OPEN_CHANNELS),
    );
}

/// Handles OPEN_CHANNELS in a process that was started together with others:
/// enters the processes that were started later than this process into the
/// table.
///
/// A process that has exited meanwhile is not entered. If the master has
/// started it again, its OPEN_CHANNEL arrives next.
pub(super) fn enter_inherited(g: &Globals, log: Log) {
    for (i, inherited) in INHERITED.iter().enumerate() {
        let fd = inherited.swap(CLOSED, Relaxed);

        if fd == CLOSED {
            continue;
        }

        let slot = Slot::new(i);

        match stats::of(slot).first_pid() {
            Some(pid) => enter(g, log, slot, pid, fd),
            None => close::close_end(g, log, fd),
        }
    }
}
