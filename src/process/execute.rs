//! Starting other programs, `ngx_execute`.

use nix::errno::Errno;

use super::mode::Respawn;
use super::reap::Deferred;
use super::signals;
use super::spawn::{fork_failed, slot_for, started};
use crate::config::ngx_pid_t;
use crate::log::{Level, Log};
use crate::status::{Result, Status};
use crate::sys::process::{self, Program};
use crate::sys::signal;
use crate::sys::text::Text;
use crate::sys::vfork::vfork;
use crate::table::globals::Globals;
use crate::table::info::{self, State};
use crate::table::slots::{CLOSED, Flag, Work};

/// Starts `program` in a detached process and returns once it runs (`D9`).
///
/// `prepare` runs in the child before that, in memory that it shares with the
/// caller. If the program could not be started, that is logged, the process is
/// reaped and its slot empty.
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

    let s = slot_for(g, log, name, Respawn::Detached)?;
    let slot = g.table.get(s);

    slot.set_channel([CLOSED, CLOSED]);

    // Without a descriptor to spare the program is started all the same; then
    // it is the child that logs a failure, and exits with 1.
    let (result, failed) = process::pipe().ok().unzip();

    let pid = vfork(|| {
        prepare();
        let err = exec(&program);

        match &failed {
            Some(failed) => process::write_errno(failed, err),
            None => {
                log_failure(log, err, name, path);
            }
        }

        process::exit_now(1);
    })
    .map_err(|err| fork_failed(log, slot, err, name))?;

    started(g, log, s, pid, work, Respawn::Detached);

    drop(failed);

    match result.as_ref().and_then(process::read_errno) {
        None => Ok(pid),
        Some(err) => {
            discard(g, s, pid);
            Err(log_failure(log, err, name, path))
        }
    }
}

/// In the child: the program starts with the signals that a program expects.
fn exec(program: &Program) -> Errno {
    reset_signals().map_or_else(|err| err, |()| program.exec())
}

fn reset_signals() -> std::result::Result<(), Errno> {
    // Before any is let in: the memory is the parent's.
    signal::reset_handlers();

    for signal in signals::SIGNALS {
        signal::reset(signal.signo)?;
    }

    signal::unblock_all()
}

/// Clears the slot of a child that has not become the program.
fn discard(g: &Globals, s: usize, pid: ngx_pid_t) {
    let slot = g.table.get(s);

    slot.set(Flag::Detached, false);
    slot.vacate();
    g.table.release(s);
    info::of_child(g, s).is_without(State::Empty);

    // It has exited or is about to; nobody else waits for it, since SIGCHLD
    // is deferred.
    let _ = process::reap_one(pid);
}

fn log_failure(log: Log, err: Errno, name: Text, path: Text) -> Status {
    log.fail(
        Level::Alert,
        err,
        format_args!("execve() failed while executing {name} \"{path}\""),
    )
}
