//! Starting a process, `ngx_spawn_process`.

use std::os::fd::{AsRawFd, IntoRawFd, OwnedFd};
use std::sync::atomic::Ordering::Relaxed;

use nix::errno::Errno;

use super::mode::Respawn;
use super::reap;
use super::socketpair::{open_channel, tell_senders};
use crate::config::{ngx_int_t, ngx_pid_t};
use crate::log::{Debug, Level, Log};
use crate::status::{Result, Status};
use crate::sys::process::{self, Fork};
use crate::sys::text::Text;
use crate::sys::time;
use crate::table::globals::Globals;
use crate::table::restart;
use crate::table::slots::{CLOSED, Flag, MAX_PROCESSES, Work, ngx_process_t};
use crate::table::{info, role};

/// A process to be spawned.
pub struct Spawn<'a> {
    /// What the slot remembers.
    pub work: Work,
    /// Runs `work.proc` in the child.
    pub start: &'a mut dyn FnMut(),
}

/// A spawn that cannot be, for want of a function or a slot: what is announced
/// afterwards is nothing.
pub fn refuse(g: &Globals, log: Log, why: std::fmt::Arguments<'_>) -> Status {
    g.process_slot.store(MAX_PROCESSES as ngx_int_t, Relaxed);

    log.refuse(why)
}

/// Starts a process in a slot of its own, or again in the slot it had.
///
/// On failure, which is logged, the slot is empty, `ngx_process_slot` names
/// it nevertheless, and no descriptor is left behind (`D1`, `D3`).
pub fn spawn(g: &Globals, log: Log, mut spawn: Spawn<'_>, respawn: Respawn) -> Result<ngx_pid_t> {
    let s = slot_for(g, log, spawn.work.name, respawn)?;
    let name = spawn.work.name;
    let channel = match respawn {
        Respawn::Detached => None,
        _ => Some(open_channel(g, log, name).inspect_err(|_| g.table.get(s).vacate())?),
    };

    fork_into(g, log, s, channel, &mut spawn, respawn)
}

/// Starts the process of slot `s`, with a channel that has been made.
pub fn fork_into(
    g: &Globals,
    log: Log,
    s: usize,
    channel: Option<[OwnedFd; 2]>,
    spawn: &mut Spawn<'_>,
    respawn: Respawn,
) -> Result<ngx_pid_t> {
    let _deferred = reap::Deferred::new(g, log);
    let slot = g.table.get(s);

    if let Some(channel) = &channel {
        let ends = channel.each_ref().map(AsRawFd::as_raw_fd);

        log.debug(Debug::Core, format_args!("channel {}:{}", ends[0], ends[1]));

        slot.set_channel(ends);
    } else {
        slot.set_channel([CLOSED, CLOSED]);
    }

    let parent = g.own_pid();

    match process::fork() {
        Err(err) => Err(fork_failed(log, slot, err, spawn.work.name)),

        Ok(Fork::Child) => {
            // From here on the table keeps the numbers.
            if let Some([ours, theirs]) = channel {
                let _ = ours.into_raw_fd();
                tell_senders(log, &theirs, spawn.work.name);
                g.channel.store(theirs.into_raw_fd(), Relaxed);
            }

            run_child(g, log, s, spawn, respawn, parent)
        }

        Ok(Fork::Parent(pid)) => {
            started(g, log, s, pid, spawn.work, respawn);

            if let Some([ours, theirs]) = channel {
                let _ = ours.into_raw_fd();

                // With a copy of the child's end the parent would never
                // learn that the child has closed its own (`D13`).
                let _ = slot.take_channel(1);
                drop(theirs);
            }

            Ok(pid)
        }
    }
}

/// The slot for a process that is to be started; `ngx_process_slot` names it.
pub(super) fn slot_for(g: &Globals, log: Log, name: Text, respawn: Respawn) -> Result<usize> {
    let s = match respawn {
        Respawn::Slot(s) => s,
        _ => g.table.first_free(),
    };

    if matches!(respawn, Respawn::Slot(_)) {
        let slot = g.table.get(s);
        let why = if s >= g.table.used() {
            "never had a process"
        } else if slot.occupied() && !slot.is(Flag::Exited) {
            "has a process"
        } else {
            ""
        };

        if !why.is_empty() {
            return Err(refuse(
                g,
                log,
                format_args!("slot {s} {why} while spawning \"{name}\""),
            ));
        }
    }

    // Named before anything can fail: what nginx's callers then announce is
    // this slot, and nothing is announced of an empty one.
    g.process_slot.store(s as ngx_int_t, Relaxed);

    if s == MAX_PROCESSES {
        return Err(log.refuse(format_args!(
            "no more than {MAX_PROCESSES} processes can be spawned"
        )));
    }

    Ok(s)
}

/// In the parent: there is no process.
pub(super) fn fork_failed(log: Log, slot: &ngx_process_t, err: Errno, name: Text) -> Status {
    slot.vacate();

    log.fail(
        Level::Alert,
        err,
        format_args!("fork() failed while spawning \"{name}\""),
    )
}

/// In the parent: the process runs.
pub(super) fn started(
    g: &Globals,
    log: Log,
    s: usize,
    pid: ngx_pid_t,
    work: Work,
    respawn: Respawn,
) {
    log.error(
        Level::Notice,
        None,
        format_args!("start {} {pid}", work.name),
    );

    record(g, s, pid, work, respawn);
    note_start(g, s, pid, respawn);
}

/// Enters a running process into its slot.
fn record(g: &Globals, s: usize, pid: ngx_pid_t, work: Work, respawn: Respawn) {
    let slot = g.table.get(s);

    slot.set(Flag::Exited, false);
    slot.set(Flag::Lost, false);
    respawn.mark(slot);

    if !matches!(respawn, Respawn::Slot(_)) {
        slot.set_work(work);
        g.table.cover(s);
    }

    slot.set_pid(pid);
}

fn note_start(g: &Globals, s: usize, pid: ngx_pid_t, respawn: Respawn) {
    let now = restart::now();
    let again = matches!(respawn, Respawn::Slot(_));
    let info = info::of_child(g, s);

    if again {
        info.respawns.fetch_add(1, Relaxed);
        info.restart.restarted(now);
    } else {
        info.clear_counters();
        info.restart.first_start(now);
    }

    info.runs(pid);
    info.started.store(time::realtime().sec, Relaxed);
}

/// The child: its own table is right before `proc` sees it (`D11`), and it
/// does not outlive `proc` (`D8`).
fn run_child(
    g: &Globals,
    log: Log,
    s: usize,
    spawn: &mut Spawn<'_>,
    respawn: Respawn,
    parent: ngx_pid_t,
) -> ! {
    let own = g.table.get(s).flags();

    forget_parents_work(g);
    g.table.get(s).set_flags(own);

    g.parent.store(parent, Relaxed);

    #[cfg(not(feature = "standalone"))]
    info::is_in(g, s);

    if role::acts_as_master(g) {
        g.process.store(role::NGX_PROCESS_WORKER, Relaxed);
    }

    g.pid.store(process::getpid(), Relaxed);

    record(g, s, g.pid.load(Relaxed), spawn.work, respawn);

    (spawn.start)();

    log.error(
        Level::Notice,
        None,
        format_args!(
            "{} {} returned from its function, exit",
            spawn.work.name,
            g.pid.load(Relaxed)
        ),
    );

    process::exit_now(0)
}

/// In a new child: what the parent has put off is none of its business.
fn forget_parents_work(g: &Globals) {
    reap::forget_deferred();

    for (_, slot) in g.table.iter() {
        slot.forget_parents_flags();
    }
}
