//! Starting another program, `ngx_execute`.

use nix::errno::Errno;

use super::mode::Mode;
use super::reap::Deferred;
use super::signals;
use super::spawn::{describe, fork_failed, slot_for, started};
use super::wanted::Wanted;
use crate::config::ngx_pid_t;
use crate::log::{Level, Log};
use crate::status::{Result, Status};
use crate::sys::process::{self, Program};
use crate::sys::signal;
use crate::sys::text::Text;
use crate::sys::vfork::vfork;
use crate::table::globals::Globals;
use crate::table::slot::Slot;
use crate::table::slots::{CLOSED, Flag, Work};
use crate::table::stats;

/// Executes `program` in a detached process, and returns when it runs (`D9`).
///
/// `prepare` runs in the child before `execve(2)`. The child shares the memory
/// of the caller until then. If the program cannot be executed, an alert is
/// logged, the child is reaped, and its slot is empty.
pub fn execute(
    g: &Globals,
    log: Log,
    work: Work,
    path: Text,
    program: Program,
    prepare: &mut dyn FnMut(),
) -> Result<ngx_pid_t> {
    let _deferred = Deferred::new(g, log);
    let name = work.name;

    let slot = slot_for(g, log, name, Mode::Detached)?;
    let entry = g.table.get(slot);

    entry.set_channel([CLOSED, CLOSED]);
    describe(g, slot, &Wanted::new(work), Mode::Detached);

    // The child sends the errno of a failed execve() through a pipe. If no
    // descriptor is free for it the child logs the failure itself.
    let (result, failed) = process::pipe().ok().unzip();

    let pid = vfork(|| {
        prepare();

        match (exec(&program), &failed) {
            (err, Some(failed)) => process::write_errno(failed, err),
            (err, None) => drop(log_failure(log, err, name, path)),
        }

        process::exit_now(1);
    })
    .map_err(|err| fork_failed(log, entry, err, name))?;

    started(g, log, slot, pid, work, Mode::Detached);

    drop(failed);

    match result.as_ref().and_then(process::read_errno) {
        None => Ok(pid),
        Some(err) => {
            discard(g, slot, pid);
            Err(log_failure(log, err, name, path))
        }
    }
}

/// In the child: executes the program with default signal dispositions and an
/// empty mask. Returns the errno if that fails.
fn exec(program: &Program) -> Errno {
    reset_signals().map_or_else(|err| err, |()| program.exec())
}

fn reset_signals() -> std::result::Result<(), Errno> {
    // The handlers work on the memory of the parent, so they are removed while
    // all signals are still blocked.
    signal::reset_handlers();

    for signal in signals::SIGNALS {
        signal::reset(signal.signo)?;
    }

    signal::unblock_all()
}

/// Empties the slot of a child that could not execute its program.
fn discard(g: &Globals, slot: Slot, pid: ngx_pid_t) {
    let entry = g.table.get(slot);

    entry.set(Flag::Detached, false);
    entry.vacate();
    g.table.release(slot);
    stats::of_child(g, slot).clear();

    // SIGCHLD is deferred, so nothing else reaps the child. It has exited or
    // does so at once.
    let _ = process::reap_one(pid);
}

fn log_failure(log: Log, err: Errno, name: Text, path: Text) -> Status {
    log.fail(
        Level::Alert,
        err,
        format_args!("execve() failed while executing {name} \"{path}\""),
    )
}
