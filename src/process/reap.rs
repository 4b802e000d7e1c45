//! Which child has exited, and how: `ngx_process_get_status`.

use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;

use nix::errno::Errno;

use crate::config::ngx_pid_t;
use crate::log::{Level, Log};
use crate::sys::process::{self, Ended};
use crate::sys::text::Text;
use crate::table::globals::Globals;
use crate::table::role;
use crate::table::slots::{Flag, ngx_process_t};
use crate::table::stats;

/// A process is being started: its pid is not in the table yet.
static DEFER: AtomicBool = AtomicBool::new(false);
/// A SIGCHLD came while `DEFER` was set.
static PENDING: AtomicBool = AtomicBool::new(false);

/// While this value lives, the handler of SIGCHLD reaps nothing; the children
/// are reaped when it is dropped. A child that exits before its pid is in the
/// table would be an unknown process, and its slot would never be freed.
pub struct Deferred<'a> {
    g: &'a Globals,
    log: Log,
}

impl<'a> Deferred<'a> {
    /// Begins to defer.
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

/// In a new child: forgets the SIGCHLD of its parent.
pub fn forget_deferred() {
    PENDING.store(false, Relaxed);
    DEFER.store(false, Relaxed);
}

/// Reaps the children that have exited, in the handler of SIGCHLD; later if a
/// process is being started.
pub fn get_status(g: &Globals, log: Log) {
    if DEFER.load(Relaxed) {
        PENDING.store(true, Relaxed);
        return;
    }

    reap(g, log, false);
}

/// A master reaps all its children. A worker reaps the children that it has
/// started with the library, and leaves those of a module to the module (`D7`).
/// `late`: the children may have been reaped already.
fn reap(g: &Globals, log: Log, late: bool) {
    if role::acts_as_master(g) {
        reap_all(g, log, late);
    } else {
        reap_spawned(g, log);
    }
}

/// Asks for each process of the table. The siblings of a worker are no
/// children of its: `waitpid(2)` fails with ECHILD for them.
fn reap_spawned(g: &Globals, log: Log) {
    for (_, entry) in g.table.iter() {
        if !entry.occupied() || entry.is(Flag::Exited) {
            continue;
        }

        if let Ok(Some((pid, status))) = process::reap(entry.pid()) {
            reaped(g, log, pid, status);
        }
    }
}

/// Reaps until no more child has exited. That there is no child is logged only
/// if none has been reaped.
fn reap_all(g: &Globals, log: Log, late: bool) {
    let mut reaped_any = late;

    loop {
        match process::reap(process::ANY) {
            Ok(None) => return,

            Ok(Some((pid, status))) => {
                reaped_any = true;
                reaped(g, log, pid, status);
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

/// Enters how a child has ended into its slot, if it has one (`D6`), and logs
/// it.
fn reaped(g: &Globals, log: Log, pid: ngx_pid_t, status: i32) {
    let found = g.table.find(pid);
    let entry = found.map(|(_, entry)| entry);
    let name = entry.map_or(Text::new(c"unknown process"), |entry| entry.work().name);

    if let Some((slot, entry)) = found {
        entry.set_exited(status);
        stats::of_child(g, slot).clear();
    }

    log_end(log, name, pid, Ended::new(status));

    if let Some(entry) = entry {
        forbid_respawn(log, entry, name, pid, Ended::new(status));
    }

    (g.exited)(pid);
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

/// A process that exits with 2 cannot do its work, and is not started again.
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
