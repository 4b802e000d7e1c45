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

/// Executes `program` in a detached process. Returns when the program runs, or
/// when it could not be executed (`D9`).
///
/// `enter` is called with the slot of the process before it is started. The child
/// calls `prepare` before `execve(2)`; until then the child shares the memory of
/// the caller. If the program cannot be executed, an alert is
/// logged, the child is reaped, and the child's slot is empty.
pub fn execute(
    g: &Globals,
    log: Log,
    work: Work,
    path: Text,
    program: Program,
    enter: &dyn Fn(Slot),
    prepare: &mut dyn FnMut(),
) -> Result<ngx_pid_t> {
    let _deferred = Deferred::new(g, log);
    let name = work.name;

    let slot = slot_for(g, log, name, Mode::Detached)?;
    let entry = g.table.get(slot);

    enter(slot);
    entry.set_channel([CLOSED, CLOSED]);
    describe(g, slot, &Wanted::new(work), Mode::Detached);

    // The child sends the errno of a failed execve() through a pipe. If no
    // descriptor is free for the pipe, the child logs the failure itself.
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
/// empty signal mask. Returns the errno if the program cannot be executed.
fn exec(program: &Program) -> Errno {
    reset_signals().map_or_else(|err| err, |()| program.exec())
}

fn reset_signals() -> std::result::Result<(), Errno> {
    // The child shares the memory of its parent, and a signal handler in the
    // child would change this memory. So the child removes the handlers while
    // all signals are still blocked.
    signal::reset_handlers();

    for signal in signals::SIGNALS {
        signal::reset(signal.signo)?;
    }

    signal::unblock_all()
}

/// Reaps a child that could not execute its program, and empties its slot.
fn discard(g: &Globals, slot: Slot, pid: ngx_pid_t) {
    let entry = g.table.get(slot);

    entry.set(Flag::Detached, false);
    entry.vacate();
    g.table.release(slot);
    stats::of_child(g, slot).clear();

    // The handler of SIGCHLD reaps nothing while `Deferred` lives, so the child
    // has not been reaped yet. The wait is short: the child exits as soon as it
    // has sent the errno.
    let _ = process::reap_one(pid);
}

fn log_failure(log: Log, err: Errno, name: Text, path: Text) -> Status {
    log.fail(
        Level::Alert,
        err,
        format_args!("execve() failed while executing {name} \"{path}\""),
    )
}
