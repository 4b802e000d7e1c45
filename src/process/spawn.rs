//! Starting a process, `ngx_spawn_process`.

use std::os::fd::{AsRawFd, IntoRawFd, OwnedFd};
use std::sync::atomic::Ordering::Relaxed;

use nix::errno::Errno;

#[cfg(feature = "standalone")]
use super::exit_fd;
use super::mode::Mode;
use super::reap;
use super::socketpair::open_channel;
use super::wanted::Wanted;
use crate::config::ngx_pid_t;
use crate::log::{Debug, Level, Log};
use crate::status::{Result, Status};
use crate::sys::process::{self, Fork};
use crate::sys::text::Text;
use crate::sys::time;
#[cfg(feature = "standalone")]
use crate::table::children;
use crate::table::globals::Globals;
use crate::table::places::Counter;
use crate::table::slot::{NGX_MAX_PROCESSES, Slot};
use crate::table::slots::{CLOSED, Flag, Work, ngx_process_t};
use crate::table::{generation, own_slot, restart, role, stats};

/// The description of a process for [`spawn`].
pub struct Spawn<'a> {
    /// The function that the process runs, the role and the worker number. A
    /// process that is started again keeps the role and the number that it had.
    pub wanted: Wanted,
    /// A closure that runs `wanted.work.proc` in the child.
    pub start: &'a mut dyn FnMut(),
}

impl Spawn<'_> {
    fn name(&self) -> Text {
        self.wanted.work.name
    }
}

/// Refuses to start a process, because it has no function or because its slot
/// cannot be used. Logs an alert. Sets `ngx_process_slot` to `Slot::NONE`:
/// nginx's callers announce the process of that slot without a check, and the
/// library does not announce an empty slot.
pub fn refuse(g: &Globals, log: Log, why: std::fmt::Arguments<'_>) -> Status {
    g.set_process_slot(Slot::NONE);

    log.refuse(why)
}

/// Starts a process in an empty slot, or starts a process again in the slot
/// that it had.
///
/// A failure is logged. After a failure the slot is empty, no descriptor is
/// left open, and `ngx_process_slot` is the number of the slot (`D1`, `D3`).
pub fn spawn(g: &Globals, log: Log, mut spawn: Spawn<'_>, mode: Mode) -> Result<ngx_pid_t> {
    let name = spawn.name();
    let slot = slot_for(g, log, name, mode)?;
    let channel = match mode {
        Mode::Detached => None,
        _ => Some(open_channel(log, name).inspect_err(|_| g.table.get(slot).vacate())?),
    };

    fork_into(g, log, slot, channel, &mut spawn, mode)
}

/// Forks the process of `slot`. The caller has made its channel before;
/// `channel` is `None` for a process without a channel.
pub fn fork_into(
    g: &Globals,
    log: Log,
    slot: Slot,
    channel: Option<[OwnedFd; 2]>,
    spawn: &mut Spawn<'_>,
    mode: Mode,
) -> Result<ngx_pid_t> {
    let _deferred = reap::Deferred::new(g, log);
    let entry = g.table.get(slot);

    enter_channel(log, entry, channel.as_ref());
    describe(g, slot, &spawn.wanted, mode);
    (g.starting)(g, log, slot, !mode.is_first_start());

    let parent = g.own_pid();

    match process::fork() {
        Err(err) => {
            (g.gone)(slot, !mode.is_first_start());

            Err(fork_failed(log, entry, err, spawn.name()))
        }

        Ok(Fork::Child) => {
            if let Some(channel) = channel {
                keep_channel_in_child(g, channel);
            }

            run_child(g, log, slot, spawn, mode, parent)
        }

        Ok(Fork::Parent(pid)) => {
            started(g, log, slot, pid, spawn.wanted.work, mode);

            if let Some(channel) = channel {
                keep_channel_in_parent(entry, channel);
            }

            Ok(pid)
        }
    }
}

/// In the child: hands the descriptors over to C variables: the parent's end to
/// the table, and the child's end to `ngx_channel`.
fn keep_channel_in_child(g: &Globals, [ours, theirs]: [OwnedFd; 2]) {
    let _ = ours.into_raw_fd();

    g.channel.store(theirs.into_raw_fd(), Relaxed);
}

/// In the parent: hands the parent's end over to the table, and closes the
/// child's end. If the parent kept the child's end open, the kernel would not
/// report to the parent that the child has closed it (`D13`).
fn keep_channel_in_parent(entry: &ngx_process_t, [ours, theirs]: [OwnedFd; 2]) {
    let _ = ours.into_raw_fd();
    let _ = entry.take_channel(1);

    drop(theirs);
}

fn enter_channel(log: Log, entry: &ngx_process_t, channel: Option<&[OwnedFd; 2]>) {
    let Some(channel) = channel else {
        entry.set_channel([CLOSED, CLOSED]);
        return;
    };

    let ends = channel.each_ref().map(AsRawFd::as_raw_fd);

    log.debug(Debug::Core, format_args!("channel {}:{}", ends[0], ends[1]));

    entry.set_channel(ends);
}

/// Chooses the slot for a process, and sets `ngx_process_slot`.
pub(super) fn slot_for(g: &Globals, log: Log, name: Text, mode: Mode) -> Result<Slot> {
    let slot = match mode {
        Mode::Again(slot) => {
            check_free(g, log, name, slot)?;
            slot
        }
        _ => g.table.first_free(),
    };

    // `ngx_process_slot` is set before anything can fail: nginx's callers
    // announce the process of this slot even after a failure, and the library
    // does not announce an empty slot.
    g.set_process_slot(slot);

    if slot == Slot::NONE {
        return Err(log.refuse(format_args!(
            "no more than {NGX_MAX_PROCESSES} processes can be spawned"
        )));
    }

    Ok(slot)
}

/// Refuses to start a process again in a slot that never had a process, or
/// whose process runs.
fn check_free(g: &Globals, log: Log, name: Text, slot: Slot) -> Result {
    let entry = g.table.get(slot);
    let why = if !g.table.is_used(slot) {
        "never had a process"
    } else if entry.occupied() && !entry.is(Flag::Exited) && !process::is_gone(entry.pid()) {
        "has a process"
    } else {
        return Ok(());
    };

    Err(refuse(
        g,
        log,
        format_args!("slot {slot} {why} while spawning \"{name}\""),
    ))
}

/// Sets name, role, worker number and generation in the slot's data before a
/// process is started for the first time. Does nothing if the process is started again.
pub fn describe(g: &Globals, slot: Slot, wanted: &Wanted, mode: Mode) {
    if mode.is_first_start() {
        role::set_of_child(slot, wanted.role);
        stats::describe(
            g,
            slot,
            wanted.work.name,
            wanted.role,
            wanted.worker,
            generation::current(),
        );
    }
}

/// In the parent: empties the slot after fork() has failed, and logs an alert.
pub(super) fn fork_failed(log: Log, entry: &ngx_process_t, err: Errno, name: Text) -> Status {
    entry.vacate();

    log.fail(
        Level::Alert,
        err,
        format_args!("fork() failed while spawning \"{name}\""),
    )
}

/// In the parent: logs that the process has been started, and enters it into
/// its slot.
pub(super) fn started(g: &Globals, log: Log, slot: Slot, pid: ngx_pid_t, work: Work, mode: Mode) {
    log.error(
        Level::Notice,
        None,
        format_args!("start {} {pid}", work.name),
    );

    record(g, slot, pid, work, mode);
    record_stats(g, slot, pid, mode);

    #[cfg(feature = "standalone")]
    {
        children::keep(g, slot, pid);
        exit_fd::watch(g, log, slot);
    }
}

/// Enters a process that has been started into its slot.
fn record(g: &Globals, slot: Slot, pid: ngx_pid_t, work: Work, mode: Mode) {
    let entry = g.table.get(slot);

    entry.set(Flag::Exited, false);
    mode.set_flags(entry);

    if mode.is_first_start() {
        entry.set_work(work);
        g.table.cover(slot);
    }

    entry.set_pid(pid);
}

fn record_stats(g: &Globals, slot: Slot, pid: ngx_pid_t, mode: Mode) {
    let now = restart::now();
    let stats = stats::of_child(g, slot);

    if mode.is_first_start() {
        stats.clear_counters();
        restart::of_child(slot).first_start(now);
    } else {
        stats::count(g, slot, Counter::Respawns, 1);
        restart::of_child(slot).restarted(now);
    }

    stats.set_running(pid);
    stats.started.store(time::realtime().sec, Relaxed);
}

/// In the child: sets the child's variables before `proc` is called (`D11`),
/// calls `proc`, and exits when `proc` returns (`D8`). Only async-signal-safe
/// code runs before `proc`.
fn run_child(
    g: &Globals,
    log: Log,
    slot: Slot,
    spawn: &mut Spawn<'_>,
    mode: Mode,
    parent: ngx_pid_t,
) -> ! {
    let own = g.table.get(slot).flags();

    forget_parents_work(g);
    g.table.get(slot).set_flags(own);

    g.parent.store(parent, Relaxed);

    if role::acts_as_master(g) {
        g.process.store(role::NGX_PROCESS_WORKER, Relaxed);
    }

    let pid = process::getpid();

    g.pid.store(pid, Relaxed);
    own_slot::keep(g, slot);
    record(g, slot, pid, spawn.wanted.work, mode);

    (spawn.start)();

    log_return(g, log, spawn.name());
    process::exit_now(0)
}

fn log_return(g: &Globals, log: Log, name: Text) {
    log.error(
        Level::Notice,
        None,
        format_args!(
            "{name} {} returned from its function, exit",
            g.pid.load(Relaxed)
        ),
    );
}

/// In a new child: clears the data by which the parent would reap, signal or
/// start other processes. The queue of control messages needs no such step,
/// because it stores the pid of its owner. Delays are 0 in the child: the event
/// loop and the timer of the parent cannot end a delay in the child.
fn forget_parents_work(g: &Globals) {
    reap::forget_deferred();
    restart::set_delays(false);
    (g.forked)();
    #[cfg(feature = "standalone")]
    exit_fd::forget();

    for (_, entry) in g.table.iter() {
        entry.clear_flags();
        entry.forget_later();
    }
}
