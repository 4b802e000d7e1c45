//! Starting several processes at once, `ngx_start_worker_processes`.
//!
//! Of N processes that are spawned one after the other each is announced to
//! all before it: N²/2 messages with as many descriptors. Here all channels
//! are made before the first fork, so that each process inherits those of the
//! others. Once all run, one message has it enter them into its table, with
//! the pids that the master has left in shared memory.

use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::sync::atomic::Ordering::Relaxed;

use super::admit::enter;
use super::announce::{announce, announce_to, send};
use crate::channel::close;
use crate::channel::command::NGX_IPC_CMD_OPEN_CHANNELS;
use crate::channel::message::ngx_channel_t;
use crate::config::{AtomicSocket, ngx_int_t};
use crate::log::{Debug, Log};
use crate::process::mode::Respawn;
use crate::process::socketpair::channel_aside;
use crate::process::spawn::{self, Spawn};
use crate::sys::fd;
use crate::table::globals::Globals;
use crate::table::slots::{CLOSED, MAX_PROCESSES, Work};
use crate::table::{info, role};

/// Runs the function that a slot remembers, with the caller's cycle.
pub type Start<'a> = &'a dyn Fn(Work);

/// In a process that was started with others: the channels of those that were
/// started after it, until it is told to enter them.
static INHERITED: [AtomicSocket; MAX_PROCESSES] =
    [const { AtomicSocket::new(CLOSED) }; MAX_PROCESSES];

/// A process that is about to be started.
struct Pending {
    slot: usize,
    channel: [OwnedFd; 2],
}

/// Starts a process for each of `works`, and tells all of each other.
///
/// `prepare` is called with the number among `works`, and the slot, of each
/// before it is started. Returns the numbers of those that could not be
/// started; the log says why.
pub fn spawn_processes(
    g: &Globals,
    log: Log,
    works: &[Work],
    respawn: Respawn,
    start: Start<'_>,
    prepare: &mut dyn FnMut(usize, usize),
) -> Vec<usize> {
    let mut failed = Vec::new();
    let mut first = 0;

    while let Some(rest @ [work, ..]) = works.get(first..) {
        let batch = make_channels(g, log, rest);
        let n = batch.len().max(1);

        if batch.is_empty() {
            prepare(first, g.table.first_free());

            if !spawn_one(g, log, *work, respawn, start) {
                failed.push(first);
            }
        } else {
            let prepare = &mut |k, slot| prepare(first + k, slot);
            let missing = spawn_batch(g, log, rest, batch, respawn, start, prepare);

            failed.extend(missing.iter().map(|k| first + k));
        }

        first += n;

        if g.own_slot() == MAX_PROCESSES {
            // One line tells that the table is full.
            failed.extend(first..works.len());
            break;
        }
    }

    failed
}

/// Makes the channels of as many of `works` as there are slots and
/// descriptors for; of none if it is better to start one after the other.
fn make_channels(g: &Globals, log: Log, works: &[Work]) -> Vec<Pending> {
    let mut batch = Vec::new();

    if works.len() < 2 || !info::is_shared() || !role::acts_as_master(g) {
        return batch;
    }

    // The ends that all but one process close lie side by side, behind those
    // that are kept.
    let mut aside = None;

    for (work, slot) in works.iter().zip(g.table.free()) {
        let Ok(channel) = channel_aside(g, log, work.name, aside) else {
            break;
        };

        let theirs = channel[1].as_raw_fd();

        aside = Some(match aside {
            None => theirs.saturating_add(works.len() as RawFd),
            Some(_) => theirs.saturating_add(1),
        });
        batch.push(Pending { slot, channel });
    }

    batch
}

fn spawn_one(g: &Globals, log: Log, work: Work, respawn: Respawn, start: Start<'_>) -> bool {
    let spawn = Spawn {
        work,
        start: &mut || start(work),
    };

    if spawn::spawn(g, log, spawn, respawn).is_err() {
        return false;
    }

    announce(g, log);
    true
}

/// Returns the numbers of those that could not be started.
fn spawn_batch(
    g: &Globals,
    log: Log,
    works: &[Work],
    batch: Vec<Pending>,
    respawn: Respawn,
    start: Start<'_>,
    prepare: &mut dyn FnMut(usize, usize),
) -> Vec<usize> {
    let before: Vec<_> = g.table.iter().filter(|(_, slot)| slot.occupied()).collect();
    let mut running = Vec::with_capacity(batch.len());
    let mut failed = Vec::new();
    let last = batch.last().map(|of| of.slot);
    let theirs: Vec<RawFd> = batch.iter().map(|of| of.channel[1].as_raw_fd()).collect();

    for of in &batch {
        inherit(of.slot, of.channel[0].as_raw_fd());
    }

    for (k, (of, &work)) in batch.into_iter().zip(works).enumerate() {
        let of_later = theirs.get(k + 1..).unwrap_or_default();
        let mut spawn = Spawn {
            work,
            start: &mut || {
                fd::close_all(of_later);
                start(work);
            },
        };

        g.process_slot.store(of.slot as ngx_int_t, Relaxed);
        inherit(of.slot, CLOSED);
        prepare(k, of.slot);

        match spawn::fork_into(g, log, of.slot, Some(of.channel), &mut spawn, respawn) {
            Ok(_) => {
                running.push(of.slot);
                announce_to(g, log, before.iter().copied());
            }
            Err(_) => failed.push(k),
        }
    }

    // The last one knows all the others, unless it could not be started.
    for slot in running.into_iter().filter(|&slot| Some(slot) != last) {
        open_all(g, log, slot);
    }

    failed
}

fn inherit(slot: usize, fd: RawFd) {
    if let Some(inherited) = INHERITED.get(slot) {
        inherited.store(fd, Relaxed);
    }
}

/// Has a process of a batch enter the others.
fn open_all(g: &Globals, log: Log, slot: usize) {
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

/// In a process of a batch: enters those that were started after it.
///
/// One that has exited meanwhile is left out; if it has been started again,
/// that is announced next.
pub fn opened_all(g: &Globals, log: Log) {
    for (i, inherited) in INHERITED.iter().enumerate() {
        let fd = inherited.swap(CLOSED, Relaxed);

        if fd == CLOSED {
            continue;
        }

        match info::of(i).first_pid() {
            Some(pid) => enter(g, log, i, pid, fd),
            None => close::close_end(g, log, fd),
        }
    }
}
