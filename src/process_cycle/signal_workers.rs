//! Sends commands or signals to the processes, `ngx_signal_worker_processes`.

use std::ffi::c_int;
use std::sync::atomic::Ordering::Relaxed;

use nix::errno::Errno;

use super::announce::send;
use super::log_child::log_child;
use crate::channel::command::{NGX_CMD_QUIT, NGX_CMD_REOPEN, NGX_CMD_TERMINATE};
use crate::channel::message::ngx_channel_t;
use crate::config::ngx_uint_t;
use crate::log::{Debug, Level, Log};
use crate::process::{respawn, signals};
use crate::sys;
use crate::table::globals::Globals;
use crate::table::role::{self, Role};
use crate::table::slot::Slot;
use crate::table::slots::{Flag, ngx_process_t};
use crate::table::stats;

/// Sends each process the command that means the same as the signal `signo`,
/// through the process's channel. If there is no such command, or if the
/// command cannot be sent, sends the signal itself.
///
/// `role`: only processes with this role get the command or the signal; `None`
/// means all processes.
pub fn signal_processes(g: &Globals, log: Log, signo: c_int, role: Option<Role>) {
    for (slot, entry) in g.table.iter() {
        log_child(log, slot, entry);

        if role.is_none_or(|role| role == role::of_child(slot)) {
            signal_process(g, log, signo, slot, entry);
        }
    }
}

fn signal_process(g: &Globals, log: Log, signo: c_int, slot: Slot, entry: &ngx_process_t) {
    let exits = signo != signals::REOPEN;

    if entry.is(Flag::Detached) || !(entry.occupied() || entry.is_reserved()) {
        return;
    }

    if entry.is(Flag::JustSpawn) {
        entry.set(Flag::JustSpawn, false);
        return;
    }

    if entry.is_reserved() || entry.is(Flag::Exited) {
        // The process has exited, so there is no process to signal (D5). A
        // process that was told to exit is not started again.
        if exits {
            respawn::give_up(g, slot);
            entry.set(Flag::Exiting, true);
        }
        return;
    }

    if entry.is(Flag::Exiting) && signo == signals::SHUTDOWN {
        return;
    }

    let stats = stats::of_child(g, slot);

    if exits {
        // The process reads this before it exits, which can be at once.
        stats.mark_exiting();
    }

    let reached = send_command(g, log, entry, signo) || send_signal(g, log, entry, signo);

    if reached && exits {
        entry.set(Flag::Exiting, true);
    } else if exits {
        stats.clear_exiting();
    }
}

/// Sends `signo`, which makes a process exit, to the process of a slot, which has
/// been started by this process. The process is not started again.
///
/// Succeeds without a signal if the process has exited.
#[cfg(feature = "standalone")]
pub fn end_process(g: &Globals, signo: c_int, slot: Slot) -> Result<(), Errno> {
    let entry = g.table.get(slot);
    let pid = entry.pid();
    let runs = || entry.pid() == pid && entry.occupied() && !entry.is(Flag::Exited);

    if runs() {
        let stats = stats::of_child(g, slot);

        // The process reads this before it exits, which can be at once.
        stats.mark_exiting();

        match sys::process::kill_child(pid, signo, runs) {
            Ok(()) => {
                entry.set(Flag::Exiting, true);
                return Ok(());
            }
            // The process has exited just now.
            Err(Errno::ESRCH) => {}
            Err(err) => {
                stats.clear_exiting();
                return Err(err);
            }
        }
    }

    respawn::give_up(g, slot);
    entry.set(Flag::Exiting, true);
    Ok(())
}

/// The command that means the same as a signal; `None` if there is no such
/// command.
fn command(signo: c_int) -> Option<ngx_uint_t> {
    match signo {
        signals::SHUTDOWN => Some(NGX_CMD_QUIT),
        signals::TERMINATE => Some(NGX_CMD_TERMINATE),
        signals::REOPEN => Some(NGX_CMD_REOPEN),
        _ => None,
    }
}

/// Sends the command for `signo` through the channel. Returns whether the
/// command has been sent.
fn send_command(g: &Globals, log: Log, entry: &ngx_process_t, signo: c_int) -> bool {
    command(signo)
        .zip(entry.writable())
        .is_some_and(|(command, sock)| send(g, log, sock, &ngx_channel_t::command(command)).is_ok())
}

/// Sends the signal. Returns true if the signal has been sent, or if the
/// process has exited.
fn send_signal(g: &Globals, log: Log, entry: &ngx_process_t, signo: c_int) -> bool {
    let pid = entry.pid();

    log.debug(Debug::Core, format_args!("kill ({pid}, {signo})"));

    // Once the process has been reaped, the kernel may give its pid to another
    // process (D5).
    let is_ours = || entry.pid() == pid && !entry.is(Flag::Exited);

    let Err(err) = sys::process::kill_child(pid, signo, is_ours) else {
        return true;
    };

    if entry.is(Flag::Exited) {
        // The handler of SIGCHLD has reaped the process just now.
        return true;
    }

    log.error(
        Level::Alert,
        Some(err),
        format_args!("kill({pid}, {signo}) failed"),
    );

    if err == Errno::ESRCH {
        entry.set(Flag::Exited, true);
        g.reap.store(1, Relaxed);
    }

    err == Errno::ESRCH
}
