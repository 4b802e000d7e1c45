//! What master and workers do with the table and the channels: the flow of
//! nginx's `ngx_process_cycle.c`.

mod spawn_processes;

use crate::table::restart;
use std::ffi::c_int;
use std::os::fd::{IntoRawFd, OwnedFd, RawFd};
use std::sync::atomic::Ordering::Relaxed;

use nix::errno::Errno;

use crate::channel::{self, close, ngx_channel_t, partial, queue};
use crate::config::{NGX_INVALID_PID, ngx_int_t, ngx_pid_t, ngx_uint_t};
use crate::log::{Debug, Level, Log};
use crate::process::{self, Respawn, Spawn, signals, supervise};
use crate::status::Result;
use crate::sys;
use crate::table::globals::Globals;
use crate::table::info::{self, State};
use crate::table::slots::{CLOSED, Flag, Work, ngx_process_t};

pub use spawn_processes::spawn_processes;

/// Runs the function that a slot remembers, with the caller's cycle.
pub type Start<'a> = &'a dyn Fn(Work);

/// Sends `ch` to all the processes but the one that `ngx_process_slot` names.
pub fn pass_open_channel(g: &Globals, log: Log, ch: &ngx_channel_t) {
    pass_to(g, log, ch, g.table.iter());
}

fn pass_to(
    g: &Globals,
    log: Log,
    ch: &ngx_channel_t,
    to: impl Iterator<Item = (usize, &'static ngx_process_t)>,
) {
    if ch.fd == CLOSED {
        // The spawn has failed, and has said so (D3).
        return;
    }

    for (i, slot) in to {
        let Some(sock) = slot.writable().filter(|_| slot.occupied()) else {
            continue;
        };

        if i == g.own_slot() {
            continue;
        }

        log.debug(
            Debug::Core,
            format_args!(
                "pass channel s:{} pid:{} fd:{} to s:{i} pid:{} fd:{sock}",
                ch.slot,
                ch.pid,
                ch.fd,
                slot.pid(),
            ),
        );

        let _ = send(g, log, sock, ch);
    }
}

/// Announces the process spawned last to all the others.
pub fn announce(g: &Globals, log: Log) {
    announce_to(g, log, g.table.iter());
}

fn announce_to(g: &Globals, log: Log, to: impl Iterator<Item = (usize, &'static ngx_process_t)>) {
    let slot = g.table.get(g.own_slot());
    let ch = ngx_channel_t {
        command: channel::CMD_OPEN_CHANNEL,
        pid: slot.pid(),
        slot: g.process_slot.load(Relaxed),
        fd: slot.channel(0),
    };

    pass_to(g, log, &ch, to);
}

/// A process that has closed its end is about to exit: that is no alert.
fn send(g: &Globals, log: Log, sock: RawFd, ch: &ngx_channel_t) -> Result {
    queue::write(g, log, sock, &ch.bytes(), ch, Level::Info)
}

/// Tells every process of `role`, any if that is `None`, through its channel
/// or with the signal itself.
pub fn signal_processes(g: &Globals, log: Log, signo: c_int, role: Option<ngx_uint_t>) {
    let command = match signo {
        signals::SHUTDOWN => Some(channel::CMD_QUIT),
        signals::TERMINATE => Some(channel::CMD_TERMINATE),
        signals::REOPEN => Some(channel::CMD_REOPEN),
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

fn log_child(log: Log, i: usize, slot: &ngx_process_t) {
    log.debug(
        Debug::Event,
        format_args!(
            "child: {i} {} e:{} t:{} d:{} r:{} j:{}",
            slot.pid(),
            slot.bit(Flag::Exiting),
            slot.bit(Flag::Exited),
            slot.bit(Flag::Detached),
            slot.bit(Flag::Respawn),
            slot.bit(Flag::JustSpawn),
        ),
    );
}

/// Clears the slots of those that have exited, tells the others, and starts
/// again what is to be respawned. Returns whether anybody is left alive.
pub fn reap_children(g: &Globals, log: Log, start: Start<'_>) -> bool {
    let mut live = false;

    queue::flush(g, log);

    for (i, slot) in g.table.iter() {
        log_child(log, i, slot);

        if slot.is(Flag::Lost) && !g.leaving() {
            live = true;
            respawn(g, log, i, slot, start);
            continue;
        }

        if !slot.is(Flag::Exited) || slot.pid() == NGX_INVALID_PID {
            live |= slot.occupied() && (slot.is(Flag::Exiting) || !slot.is(Flag::Detached));
            continue;
        }

        if !slot.is(Flag::Detached) {
            close_slot(g, log, i, slot);
        }

        if slot.is(Flag::Respawn) && !slot.is(Flag::Exiting) && !g.leaving() {
            live = true;
            wait_for_restart(g, log, i, slot);
            respawn(g, log, i, slot, start);
        } else {
            new_binary_exited(g, slot);
            g.table.release(i);
            info::of_child(g, i).is_without(State::Empty);
        }
    }

    live
}

/// Closes the channel of a process that has exited, and has the others close
/// their copies of it.
fn close_slot(g: &Globals, log: Log, i: usize, slot: &ngx_process_t) {
    for end in 0..2 {
        if let Some(fd) = slot.take_channel(end) {
            close::close_end(g, log, fd);
        }
    }

    let ch = ngx_channel_t {
        pid: slot.pid(),
        slot: i as ngx_int_t,
        ..ngx_channel_t::command(channel::CMD_CLOSE_CHANNEL)
    };

    for (_, other) in g.table.iter() {
        let Some(sock) = other.writable() else {
            continue;
        };

        if other.is(Flag::Exited) || !other.occupied() {
            continue;
        }

        log.debug(
            Debug::Core,
            format_args!(
                "pass close channel s:{} pid:{} to:{}",
                ch.slot,
                ch.pid,
                other.pid()
            ),
        );

        let _ = send(g, log, sock, &ch);
    }
}

/// Empties the slot of a process that is to be started again, and reserves it:
/// at once, or later if its processes exit too often (`D4`).
fn wait_for_restart(g: &Globals, log: Log, i: usize, slot: &ngx_process_t) {
    slot.vacate();
    slot.set(Flag::Lost, true);
    info::of_child(g, i).is_without(State::Waiting);
    let _ = supervise::delay_after_exit(g, log, i);
}

/// Starts the process of a reserved slot again, if it is time; should that
/// fail the slot stays reserved, and it is tried again (`D2`).
fn respawn(g: &Globals, log: Log, i: usize, slot: &ngx_process_t, start: Start<'_>) {
    let now = restart::now();
    let restart = &info::of_child(g, i).restart;

    if !restart.may_start(now) {
        return;
    }

    let work = slot.work();
    let spawn = Spawn {
        work,
        start: &mut || start(work),
    };

    if process::spawn(g, log, spawn, Respawn::Slot(i)).is_ok() {
        announce(g, log);
        return;
    }

    log.error(
        Level::Alert,
        None,
        format_args!("could not respawn {}", work.name),
    );
    restart.after_failure(now);
}

fn new_binary_exited(g: &Globals, slot: &ngx_process_t) {
    if slot.pid() != g.new_binary.load(Relaxed) {
        return;
    }

    g.new_binary.store(0, Relaxed);

    if g.noaccepting.swap(0, Relaxed) != 0 {
        g.restart.store(1, Relaxed);
    }
}

/// A new worker closes what it has inherited and is not its own: its
/// parent's end of its channel, and the other workers' own ends.
pub fn init_channel(g: &Globals, log: Log) {
    let own = g.own_slot();

    for (i, slot) in g.table.iter() {
        let end = if i == own { 0 } else { 1 };

        if let Some(fd) = slot.take_channel(end).filter(|_| slot.occupied()) {
            close::close_end(g, log, fd);
        }
    }
}

/// In a worker whose channel is about to be closed: nothing names it any more.
pub fn forget_channel(g: &Globals, fd: RawFd) {
    if g.channel.load(Relaxed) != fd {
        return;
    }

    g.channel.store(CLOSED, Relaxed);

    let own = g.table.get(g.own_slot());

    if own.channel(1) == fd {
        let _ = own.take_channel(1);
    }
}

/// Does what a message from the master asks for; `false` if its command is
/// none of nginx's. `fd` is the descriptor that came along.
pub fn channel_command(g: &Globals, log: Log, ch: &ngx_channel_t, fd: Option<OwnedFd>) -> bool {
    log.debug(Debug::Core, format_args!("channel command: {}", ch.command));

    match ch.command {
        channel::CMD_QUIT => g.quit.store(1, Relaxed),
        channel::CMD_TERMINATE => g.terminate.store(1, Relaxed),
        channel::CMD_REOPEN => g.reopen.store(1, Relaxed),
        channel::CMD_OPEN_CHANNEL => opened(g, log, ch, fd),
        channel::CMD_CLOSE_CHANNEL => closed(g, log, ch),
        channel::CMD_OPEN_CHANNELS => spawn_processes::opened_all(g, log),
        _ => return false,
    }

    true
}

fn opened(g: &Globals, log: Log, ch: &ngx_channel_t, fd: Option<OwnedFd>) {
    if let Some(i) = channel::others_slot(g, log, ch) {
        enter(g, log, i, ch.pid, fd.map_or(CLOSED, IntoRawFd::into_raw_fd));
    }
}

/// Enters another process, with its channel.
fn enter(g: &Globals, log: Log, i: usize, pid: ngx_pid_t, fd: RawFd) {
    log.debug(
        Debug::Core,
        format_args!("get channel s:{i} pid:{pid} fd:{fd}"),
    );

    let slot = g.table.get(i);

    if let Some(old) = slot.replace_channel(fd) {
        close::close_end(g, log, old);
    }

    slot.forget_parents_flags();
    slot.set_pid(pid);
    g.table.cover(i);
}

fn closed(g: &Globals, log: Log, ch: &ngx_channel_t) {
    partial::forget_sender(ch.pid);

    let Some(i) = channel::others_slot(g, log, ch) else {
        return;
    };

    let slot = g.table.get(i);

    log.debug(
        Debug::Core,
        format_args!(
            "close channel s:{} pid:{} our:{} fd:{}",
            ch.slot,
            ch.pid,
            slot.pid(),
            slot.channel(0)
        ),
    );

    if slot.occupied() && slot.pid() != ch.pid {
        // It is about a process that had the slot before.
        return;
    }

    if let Some(old) = slot.take_channel(0) {
        close::close_end(g, log, old);
    }

    slot.forget_parents_flags();
    slot.set_pid(NGX_INVALID_PID);
}
