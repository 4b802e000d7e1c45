//! Reaping: which child has exited, and how.

use crate::table::role;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;

use nix::errno::Errno;

use crate::log::{Level, Log};
use crate::sys::process;
use crate::sys::text::Text;
use crate::table::globals::Globals;
use crate::table::info::{self, State};
use crate::table::slots::Flag;

/// Set between a fork and the entry of its pid in the table.
static DEFER: AtomicBool = AtomicBool::new(false);
/// A SIGCHLD came meanwhile.
static PENDING: AtomicBool = AtomicBool::new(false);

/// While this lives, a SIGCHLD is noted and its children are reaped at the
/// end: a child that exits before its pid is in the table would be taken for
/// a stranger, and its slot never freed.
pub struct Deferred<'a> {
    g: &'a Globals,
    log: Log,
}

impl<'a> Deferred<'a> {
    /// Defers from here on.
    pub fn new(g: &'a Globals, log: Log) -> Self {
        DEFER.store(true, Relaxed);

        Self { g, log }
    }
}

impl Drop for Deferred<'_> {
    fn drop(&mut self) {
        DEFER.store(false, Relaxed);

        if PENDING.swap(false, Relaxed) {
            reap(self.g, self.log, true);
        }
    }
}

/// In a new child: the parent's SIGCHLD is none of its business.
pub fn forget_deferred() {
    PENDING.store(false, Relaxed);
    DEFER.store(false, Relaxed);
}

/// Reaps every child that has exited, or notes that it must be done.
pub fn get_status(g: &Globals, log: Log) {
    if DEFER.load(Relaxed) {
        PENDING.store(true, Relaxed);
        return;
    }

    reap(g, log, false);
}

/// A master reaps all its children. A worker reaps what it has spawned through
/// the library, and leaves a module's own children to the module (`D7`).
fn reap(g: &Globals, log: Log, one: bool) {
    if role::acts_as_master(g) {
        reap_all(g, log, one);
    } else {
        reap_spawned(g, log);
    }
}

/// Most slots of a worker's table are of its siblings: ECHILD.
fn reap_spawned(g: &Globals, log: Log) {
    for (_, slot) in g.table.iter() {
        if !slot.occupied() || slot.is(Flag::Exited) {
            continue;
        }

        if let Ok(Some((pid, status))) = process::reap(slot.pid()) {
            reaped(g, log, pid, status);
        }
    }
}

/// Reaps until there is nothing more to reap; `one`: something was reaped
/// already, so that the lack of children is no news.
fn reap_all(g: &Globals, log: Log, mut one: bool) {
    loop {
        match process::reap(process::ANY) {
            Ok(None) => return,

            Ok(Some((pid, status))) => {
                one = true;
                reaped(g, log, pid, status);
            }

            Err(Errno::ECHILD) if one => return,

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

/// Enters how a child ended into its slot, if it has one (`D6`), and logs it.
fn reaped(g: &Globals, log: Log, pid: libc::pid_t, status: i32) {
    let found = g.table.find(pid);
    let slot = found.map(|(_, slot)| slot);
    let name = slot.map_or(Text::new(c"unknown process"), |slot| slot.work().name);

    if let Some((i, slot)) = found {
        slot.set_exited(status);
        info::of_child(g, i).is_without(State::Empty);
    }

    let signal = libc::WTERMSIG(status);
    let code = libc::WEXITSTATUS(status);

    if signal != 0 {
        let core = if libc::WCOREDUMP(status) {
            " (core dumped)"
        } else {
            ""
        };

        log.error(
            Level::Alert,
            None,
            format_args!("{name} {pid} exited on signal {signal}{core}"),
        );
    } else {
        log.error(
            Level::Notice,
            None,
            format_args!("{name} {pid} exited with code {code}"),
        );
    }

    if let Some(slot) = slot
        && code == 2
        && slot.is(Flag::Respawn)
    {
        log.error(
            Level::Alert,
            None,
            format_args!("{name} {pid} exited with fatal code {code} and cannot be respawned"),
        );
        slot.set(Flag::Respawn, false);
    }

    (g.exited)(pid);
}
