//! Starting other programs, `ngx_execute`.

use std::os::fd::OwnedFd;

use nix::errno::Errno;

use super::status::Deferred;
use super::table::{Flag, Work};
use super::{Respawn, Spawn, signals, spawn_deferred};
use crate::config::ngx_pid_t;
use crate::globals::Globals;
use crate::log::{Level, Log};
use crate::status::{Result, Status};
use crate::sys::process::{self, Program};
use crate::sys::signal;
use crate::sys::text::Text;

/// Starts `program` in a detached process and returns once it runs (`D9`).
///
/// If the program could not be started, that is logged, the process is
/// reaped and its slot empty.
pub fn execute(
    g: &Globals,
    log: Log,
    work: Work,
    path: Text,
    program: Program,
) -> Result<ngx_pid_t> {
    let _deferred = Deferred::new(g, log);
    let name = work.name;

    let (result, failed) = process::pipe().map_err(|err| {
        log.fail(
            Level::Alert,
            err,
            format_args!("pipe() failed while spawning \"{name}\""),
        )
    })?;

    let pid = spawn_deferred(
        g,
        log,
        Spawn {
            work,
            start: &mut || exec(&program, &failed),
        },
        Respawn::Detached,
    )?;

    drop(failed);

    match process::read_errno(&result) {
        None => Ok(pid),
        Some(err) => Err(not_started(g, log, pid, err, name, path)),
    }
}

/// In the child: the program starts with the signals that a program expects.
fn exec(program: &Program, failed: &OwnedFd) {
    let err = reset_signals().map_or_else(|err| err, |()| program.exec());

    process::write_errno(failed, err);
    process::exit_now(1);
}

fn reset_signals() -> std::result::Result<(), Errno> {
    for signal in signals::SIGNALS {
        signal::reset(signal.signo)?;
    }

    signal::unblock_all()
}

fn not_started(
    g: &Globals,
    log: Log,
    pid: ngx_pid_t,
    err: Errno,
    name: Text,
    path: Text,
) -> Status {
    if let Some((i, slot)) = g.table.iter().find(|(_, slot)| slot.pid() == pid) {
        slot.set(Flag::Detached, false);
        slot.vacate();
        g.table.release(i);
    }

    // It has exited or is about to; nobody else waits for it, since SIGCHLD
    // is deferred.
    let _ = process::reap_one(pid);

    log.error(
        Level::Alert,
        Some(err),
        format_args!("execve() failed while executing {name} \"{path}\""),
    );

    Status::Error
}
