//! Signalling the processes, `ngx_signal_worker_processes`.

use std::ffi::c_int;
use std::sync::atomic::Ordering::Relaxed;

use nix::errno::Errno;

use super::announce::send;
use super::log_child::log_child;
use crate::channel::command::{NGX_CMD_QUIT, NGX_CMD_REOPEN, NGX_CMD_TERMINATE};
use crate::channel::message::ngx_channel_t;
use crate::config::ngx_uint_t;
use crate::log::{Debug, Level, Log};
use crate::process::signals;
use crate::sys;
use crate::table::globals::Globals;
use crate::table::info::{self, State};
use crate::table::slots::{Flag, ngx_process_t};

/// Tells every process of `role`, any if that is `None`, through its channel
/// or with the signal itself.
pub fn signal_processes(g: &Globals, log: Log, signo: c_int, role: Option<ngx_uint_t>) {
    let command = match signo {
        signals::SHUTDOWN => Some(NGX_CMD_QUIT),
        signals::TERMINATE => Some(NGX_CMD_TERMINATE),
        signals::REOPEN => Some(NGX_CMD_REOPEN),
        _ => None,
    };

    for (i, slot) in g.table.iter() {
        log_child(log, i, slot);

        if role.is_some_and(|role| role != info::of_child(g, i).role.load(Relaxed)) {
            continue;
        }

        if slot.is(Flag::Detached) || !(slot.occupied() || slot.is(Flag::Lost)) {
            continue;
        }

        if slot.is(Flag::JustSpawn) {
            slot.set(Flag::JustSpawn, false);
            continue;
        }

        if slot.is(Flag::Lost) || slot.is(Flag::Exited) {
            // There is nobody to tell (D5); who was told to exit is not
            // started again.
            if signo != signals::REOPEN {
                slot.set(Flag::Lost, false);
                slot.set(Flag::Exiting, true);
                info::of_child(g, i).is_without(State::Empty);
            }
            continue;
        }

        if slot.is(Flag::Exiting) && signo == signals::SHUTDOWN {
            continue;
        }

        let reached = told(g, log, slot, command) || killed(g, log, slot, signo);

        if reached && signo != signals::REOPEN {
            slot.set(Flag::Exiting, true);
            info::of_child(g, i).is_to_exit();
        }
    }
}

fn told(g: &Globals, log: Log, slot: &ngx_process_t, command: Option<usize>) -> bool {
    command
        .zip(slot.writable())
        .is_some_and(|(command, sock)| send(g, log, sock, &ngx_channel_t::command(command)).is_ok())
}

fn killed(g: &Globals, log: Log, slot: &ngx_process_t, signo: c_int) -> bool {
    let pid = slot.pid();

    log.debug(Debug::Core, format_args!("kill ({pid}, {signo})"));

    // D5: never to who has been reaped, and whose pid may be another's.
    let is_ours = || slot.pid() == pid && !slot.is(Flag::Exited);

    let Err(err) = sys::process::kill_child(pid, signo, is_ours) else {
        return true;
    };

    if slot.is(Flag::Exited) {
        // Reaped just now: told or not, it has gone.
        return true;
    }

    log.error(
        Level::Alert,
        Some(err),
        format_args!("kill({pid}, {signo}) failed"),
    );

    if err == Errno::ESRCH {
        slot.set(Flag::Exited, true);
        g.reap.store(1, Relaxed);
    }

    // Who was to exit and has gone is not started again.
    err == Errno::ESRCH
}
