//! Reaps the children that have exited, `ngx_process_get_status`.

use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;

use nix::errno::Errno;

use super::foreign;
use crate::config::ngx_pid_t;
use crate::log::{Level, Log};
use crate::sys::process::{self, Ended, Reaped};
use crate::sys::text::Text;
#[cfg(feature = "standalone")]
use crate::sys::usage::Cpu;
#[cfg(feature = "standalone")]
use crate::table::children;
use crate::table::globals::Globals;
#[cfg(feature = "standalone")]
use crate::table::slot::Slot;
use crate::table::slots::{Flag, ngx_process_t};
use crate::table::stats;
use crate::table::{own_slot, role};

/// True while a process is being started and its pid is not in the table yet.
static DEFER: AtomicBool = AtomicBool::new(false);
/// True if a SIGCHLD arrived while `DEFER` was true.
static PENDING: AtomicBool = AtomicBool::new(false);
/// True if other functions have reaped children before the handler of SIGCHLD has
/// run. The handler may then find no child, and this is no error.
static EARLIER: AtomicBool = AtomicBool::new(false);

/// True if a master reaps the children of modules as a worker does.
static LEAVE_FOREIGN: AtomicBool = AtomicBool::new(false);

/// Makes a master leave the status of a child to the module that has forked the
/// child, as a worker does (`D7`). The process must run the event loop, which reaps
/// such a child after 2 seconds.
#[cfg(feature = "standalone")]
pub fn leave_foreign() {
    LEAVE_FOREIGN.store(true, Relaxed);
}

/// While a value of this type lives, the handler of SIGCHLD reaps nothing. When
/// the value is dropped, the children that have exited meanwhile are reaped.
/// Without this delay, a child that exits before its pid is in the table would
/// be reaped as an unknown process, and its slot would never be freed.
pub struct Deferred<'a> {
    g: &'a Globals,
    log: Log,
}

impl<'a> Deferred<'a> {
    /// Makes the handler of SIGCHLD reap nothing until the result is dropped.
    pub fn new(g: &'a Globals, log: Log) -> Self {
        DEFER.store(true, Relaxed);

        Self { g, log }
    }
}

impl Drop for Deferred<'_> {
    fn drop(&mut self) {
        DEFER.store(false, Relaxed);

        if PENDING.swap(false, Relaxed) {
            reap(self.g, self.log, None, true);
        }
    }
}

/// In a new child: resets the variables above, which the child has inherited,
/// because they are about the children of the parent.
pub fn forget_deferred() {
    PENDING.store(false, Relaxed);
    DEFER.store(false, Relaxed);
    EARLIER.store(false, Relaxed);
    foreign::forget();
}

/// Reaps the children that have exited. The handler of SIGCHLD calls this
/// function. While a process is being started this function reaps nothing, and
/// the children are reaped when [`Deferred`] is dropped. `child` is the child that
/// the signal reports, if the signal names one.
pub fn get_status(g: &Globals, log: Log, child: Option<ngx_pid_t>) {
    if DEFER.load(Relaxed) {
        PENDING.store(true, Relaxed);
        return;
    }

    reap(g, log, child, EARLIER.swap(false, Relaxed));
}

/// Reaps children. A master reaps all its children that have exited, unless
/// [`leave_foreign`] was called. Other processes reap only the children that they
/// have started with the library. They record a child that a module has forked,
/// and reap this child later, unless the module does (`D7`).
///
/// `child` is the child that the signal reports, if the signal names one. `late`
/// is true if the SIGCHLD arrived earlier, so that the children can have been
/// reaped already.
fn reap(g: &Globals, log: Log, child: Option<ngx_pid_t>, late: bool) {
    if role::acts_as_master(g) && !LEAVE_FOREIGN.load(Relaxed) {
        reap_all(g, log, late);
    } else {
        reap_spawned(g, log);
        foreign::note_exit(g, child);
    }
}

/// In a worker: reaps the children that the worker has started with the library.
/// The caller has received no SIGCHLD for them.
#[cfg(not(feature = "standalone"))]
pub fn reap_unnoticed(g: &Globals, log: Log) {
    if DEFER.load(Relaxed) {
        PENDING.store(true, Relaxed);
    } else {
        reap_spawned(g, log);
    }
}

/// Reaps the children of modules that have been zombies for 2
/// seconds, because their module does not wait for them (`D7`).
pub fn reap_foreign(g: &Globals, log: Log) {
    while let Some(pid) = foreign::take_due(g) {
        let Ok(Some(child)) = process::reap(pid) else {
            // A filter of system calls can refuse wait4(2) and allow waitid(2).
            // Then the child stays a zombie, `take_due` returns it each time, and
            // the loop would not end.
            return;
        };

        reaped(g, log, child);
    }
}

/// Calls `waitpid(2)` for each process in the table. In a worker, the table
/// also has the worker's siblings, which are not its children: `waitpid(2)`
/// fails with ECHILD for a sibling.
fn reap_spawned(g: &Globals, log: Log) {
    for (_, entry) in g.table.iter() {
        if !entry.occupied() || entry.is(Flag::Exited) {
            continue;
        }

        if let Ok(Some(child)) = process::reap(entry.pid()) {
            reaped(g, log, child);

            // nginx sets `ngx_reap` in a child that has started processes,
            // because nginx does not set the role of the child.
            if own_slot::is_child(g) {
                g.reap.store(1, Relaxed);
            }
        }
    }
}

/// Reaps children until no child is left that has exited. ECHILD, which means
/// that there is no child, is logged only if no child was reaped.
fn reap_all(g: &Globals, log: Log, late: bool) {
    let mut reaped_any = late;

    loop {
        match process::reap(process::ANY) {
            Ok(None) => return,

            Ok(Some(child)) => {
                reaped_any = true;
                reaped(g, log, child);
            }

            Err(Errno::ECHILD) if reaped_any => return,

            Err(err) => {
                let level = if err == Errno::ECHILD {
                    Level::Info
                } else {
                    Level::Alert
                };

                log.error(level, Some(err), format_args!("waitpid() failed"));
                return;
            }
        }
    }
}

/// Stores the status of a child in the slot of the child, and logs how the
/// child has ended. If the child has no slot, no slot is changed (`D6`).
fn reaped(g: &Globals, log: Log, child: Reaped) {
    let Reaped { pid, status, cpu } = child;
    let found = g.table.find(pid);
    let entry = found.map(|(_, entry)| entry);
    let name = entry.map_or(outside_table(g), |entry| entry.work().name);

    if let Some((slot, entry)) = found {
        entry.set_exited(status);
        stats::count_cpu(g, slot, cpu);
        stats::of_child(g, slot).clear();
    }

    log_end(log, name, pid, Ended::new(status));

    if let Some(entry) = entry {
        forbid_respawn(log, entry, name, pid, Ended::new(status));
    }

    (g.exited)(g, found.map(|(slot, _)| slot), pid);
}

/// Records that a child was reaped before the handler of SIGCHLD has run for it.
#[cfg(feature = "standalone")]
pub(super) fn reaped_early(g: &Globals, log: Log, child: Reaped) {
    EARLIER.store(true, Relaxed);
    reaped(g, log, child);
}

/// The `status` of a child whose status is not known. It is not a status of
/// `wait(2)`.
#[cfg(feature = "standalone")]
pub const UNKNOWN: i32 = -1;

/// Records that the child of `slot` has exited, and that other code of the
/// program has reaped the child and so has taken its status.
#[cfg(feature = "standalone")]
pub(super) fn reaped_elsewhere(g: &Globals, log: Log, slot: Slot) {
    let entry = g.table.get(slot);
    let (name, pid) = (entry.work().name, entry.pid());

    entry.set_exited(UNKNOWN);
    stats::of_child(g, slot).clear();

    log.error(
        Level::Warn,
        None,
        format_args!(
            "{name} {pid} exited, its status is unknown, because other code has reaped it"
        ),
    );

    (g.exited)(g, Some(slot), pid);
}

/// Does what the handler of SIGCHLD does with a child that other code has
/// reaped: stores the status of `wait(2)` in the child's slot, and sets
/// `ngx_reap`. Returns whether `pid` was a child in the table.
#[cfg(feature = "standalone")]
pub fn take_status(g: &Globals, log: Log, pid: ngx_pid_t, status: i32) -> bool {
    let is_ours = children::unreaped(g).any(|(_, entry)| entry.pid() == pid);

    if !is_ours || !process::has_ended(status) {
        return false;
    }

    let child = Reaped {
        pid,
        status,
        cpu: Cpu::default(),
    };

    reaped_early(g, log, child);
    g.reap.store(1, Relaxed);

    true
}

/// The name of a child that is not in the table.
fn outside_table(g: &Globals) -> Text {
    if *g.relative.pipe_role != 0 {
        return Text::new(c"pipe process");
    }

    Text::new(c"unknown process")
}

fn log_end(log: Log, name: Text, pid: ngx_pid_t, ended: Ended) {
    match ended {
        Ended::Signal { signo, core } => {
            let core = if core { " (core dumped)" } else { "" };

            log.error(
                Level::Alert,
                None,
                format_args!("{name} {pid} exited on signal {signo}{core}"),
            );
        }
        Ended::Code(code) => log.error(
            Level::Notice,
            None,
            format_args!("{name} {pid} exited with code {code}"),
        ),
    }
}

/// Clears the flag `respawn` of a process that exited with code 2. Such a
/// process could not be initialised, so it would fail again.
fn forbid_respawn(log: Log, entry: &ngx_process_t, name: Text, pid: ngx_pid_t, ended: Ended) {
    if ended != Ended::Code(2) || !entry.is(Flag::Respawn) {
        return;
    }

    log.error(
        Level::Alert,
        None,
        format_args!("{name} {pid} exited with fatal code 2 and cannot be respawned"),
    );
    entry.set(Flag::Respawn, false);
}
