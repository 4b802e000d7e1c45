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
use crate::sys::fd;
use crate::table::globals::Globals;
use crate::table::minus_one::MinusOneI32;
use crate::table::slot::{NGX_MAX_PROCESSES, Slot};
use crate::table::slots::{CLOSED, Work};
use crate::table::stats;

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
    channel: [OwnedFd; 2],
}

/// Starts the processes `wanted`, and announces each of them to the other
/// processes.
///
/// Returns the indices of the processes in `wanted` that could not be started.
/// The failures have been logged.
pub fn spawn_processes(
    g: &Globals,
    log: Log,
    wanted: &[Wanted],
    mode: Mode,
    start: Start<'_>,
) -> Vec<usize> {
    let mut failed = Vec::new();
    let mut first = 0;

    while let Some(rest @ [next, ..]) = wanted.get(first..) {
        let batch = prepare_channels(g, rest);
        let n = batch.len().max(1);

        if batch.is_empty() {
            if !spawn_one(g, log, *next, mode, start) {
                failed.push(first);
            }
        } else {
            let of_batch = spawn_batch(g, log, rest, batch, mode, start);

            failed.extend(of_batch.iter().map(|k| first + k));
        }

        first += n;

        if g.process_slot() == Slot::NONE {
            // The table is full, so no more processes can be started. This has
            // been logged once.
            failed.extend(first..wanted.len());
            break;
        }
    }

    failed
}

/// Makes channels for the first processes of `wanted`, as many as there are
/// free slots and descriptors. Returns an empty list if the processes have to
/// be started one by one.
fn prepare_channels(g: &Globals, wanted: &[Wanted]) -> Vec<Prepared> {
    let mut batch = Vec::new();

    stats::keep_shared(g);

    if wanted.len() < 2 || !stats::is_publisher(g) {
        return batch;
    }

    // The children's ends get descriptor numbers that follow each other, behind
    // the numbers of the parent's ends. So a child can close the other
    // children's ends with one call of close_range(2).
    let mut aside = None;

    for (_, slot) in wanted.iter().zip(g.table.free()) {
        let Ok(channel) = channel_aside(aside) else {
            break;
        };

        let theirs = channel[1].as_raw_fd();

        aside = Some(match aside {
            None => theirs.saturating_add(wanted.len() as RawFd),
            Some(_) => theirs.saturating_add(1),
        });
        batch.push(Prepared { slot, channel });
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

/// Starts the first processes of `wanted`, one for each element of `batch`.
/// Returns the indices of the processes that could not be started.
fn spawn_batch(
    g: &Globals,
    log: Log,
    wanted: &[Wanted],
    batch: Vec<Prepared>,
    mode: Mode,
    start: Start<'_>,
) -> Vec<usize> {
    let before: Vec<_> = g
        .table
        .iter()
        .filter(|(_, entry)| entry.occupied())
        .collect();
    let slots: Vec<Slot> = batch.iter().map(|prepared| prepared.slot).collect();
    let theirs: Vec<RawFd> = batch
        .iter()
        .map(|prepared| prepared.channel[1].as_raw_fd())
        .collect();
    let mut failed = Vec::new();

    for prepared in &batch {
        set_inherited(prepared.slot, prepared.channel[0].as_raw_fd());
    }

    for (k, (prepared, &wanted)) in batch.into_iter().zip(wanted).enumerate() {
        let later = theirs.get(k + 1..).unwrap_or_default();

        if spawn_prepared(g, log, wanted, prepared, later, mode, start) {
            announce_to(g, log, before.iter().copied());
        } else {
            failed.push(k);
        }
    }

    // The last process needs no OPEN_CHANNELS: it has inherited a table that
    // has all other processes.
    if let Some((_, others)) = slots.split_last() {
        for (_, &slot) in others
            .iter()
            .enumerate()
            .filter(|(k, _)| !failed.contains(k))
        {
            send_open_channels(g, log, slot);
        }
    }

    failed
}

/// Starts one process of a batch. The child closes the descriptors `later`:
/// they are the own ends of the processes that are started after it. Returns
/// whether the process was started.
fn spawn_prepared(
    g: &Globals,
    log: Log,
    wanted: Wanted,
    Prepared { slot, channel }: Prepared,
    later: &[RawFd],
    mode: Mode,
    start: Start<'_>,
) -> bool {
    let mut spawn = Spawn {
        wanted,
        start: &mut || {
            fd::close_all(later);
            start(wanted.work);
        },
    };

    g.set_process_slot(slot);
    set_inherited(slot, CLOSED);

    spawn::fork_into(g, log, slot, Some(channel), &mut spawn, mode).is_ok()
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
