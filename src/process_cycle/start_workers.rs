//! Starting several processes at once, `ngx_start_worker_processes`.
//!
//! If N processes are started one after the other, each is announced to all
//! that were started before: N²/2 messages with a descriptor each. Here all
//! channels are made before the first fork(), so each process inherits those
//! of the others. When all processes run, each gets one message,
//! OPEN_CHANNELS. It enters the others into its table then; their pids are in
//! shared memory.

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
use crate::table::{role, stats};

/// Runs the function that a slot remembers, with the caller's cycle.
pub type Start<'a> = &'a dyn Fn(Work);

/// In a process that was started together with others: the channels of those
/// that were started after it, until OPEN_CHANNELS arrives.
static INHERITED: [MinusOneI32; NGX_MAX_PROCESSES] =
    [const { MinusOneI32::new() }; NGX_MAX_PROCESSES];

/// A slot and a channel for a process that is about to be started.
struct Prepared {
    slot: Slot,
    channel: [OwnedFd; 2],
}

/// Starts all of `wanted`, and announces them to each other and to the
/// processes that run already.
///
/// Returns the indices of those that could not be started, which has been
/// logged.
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
            // The table is full, which has been logged once.
            failed.extend(first..wanted.len());
            break;
        }
    }

    failed
}

/// Makes channels for as many of `wanted` as there are free slots and
/// descriptors. Makes none if the processes have to be started one by one.
fn prepare_channels(g: &Globals, wanted: &[Wanted]) -> Vec<Prepared> {
    let mut batch = Vec::new();

    if wanted.len() < 2 || !stats::is_shared() || !role::acts_as_master(g) {
        return batch;
    }

    // The children's ends get numbers that follow each other, behind those
    // that are kept: so a child closes the ends of the others with one system
    // call.
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

/// Starts the first of `wanted`, one for each element of `batch`. Returns the
/// indices of those that could not be started.
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

    // The last process has inherited the table with all others in it.
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

/// Starts one process of a batch. The child closes `later`: the own ends of the
/// processes that are started after it. Returns whether it was started.
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

/// Tells a process that all that were started together with it run.
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

/// In a process that was started together with others: enters those that were
/// started after it.
///
/// A process that has exited meanwhile is left out. If it has been started
/// again its OPEN_CHANNEL arrives next.
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
