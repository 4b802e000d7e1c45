//! What `ngx_process_cycle.c` sends and receives, put right on its way: it
//! fills its table in with what it reads, and looks at nothing.

use crate::channel::close;
use crate::channel::queue;
use crate::table::role;
use std::mem::MaybeUninit;
use std::os::fd::RawFd;
use std::sync::atomic::Ordering::Relaxed;

use super::{retry, variables};
use crate::channel::command::{
    NGX_CMD_CLOSE_CHANNEL, NGX_CMD_OPEN_CHANNEL, NGX_CMD_QUIT, NGX_CMD_TERMINATE,
};
use crate::channel::message::{MIN_SIZE, ngx_channel_t};
use crate::channel::{partial, read};
use crate::config::{NGX_INVALID_PID, ngx_int_t};
use crate::log::{Debug, Level, Log};
use crate::process_cycle::admit::others_slot;
use crate::status::{Result, Status};
use crate::table::globals::Globals;
use crate::table::info;
use crate::table::role::NGX_PROCESS_WORKER;
use crate::table::slots::{CLOSED, ngx_process_t};

/// Sends a message for `ngx_write_channel`.
///
/// That a process of the table has closed its end is no alert: it is about to
/// be reaped. Nothing is announced of a slot that has no process, nor closed
/// twice.
pub fn write(
    g: &Globals,
    log: Log,
    sock: RawFd,
    message: &[MaybeUninit<u8>],
    ch: &ngx_channel_t,
    if_gone: Level,
) -> Result {
    let Some((i, _)) = queue::find_receiver(g, sock).filter(|_| message.len() == MIN_SIZE) else {
        return queue::write(g, log, sock, message, ch, if_gone);
    };

    let about = g.table.get(g.table.clamp(ch.slot));
    let leaves = matches!(ch.command, NGX_CMD_QUIT | NGX_CMD_TERMINATE);

    match ch.command {
        NGX_CMD_OPEN_CHANNEL if ch.fd == CLOSED && !about.occupied() => {
            log.debug(
                Debug::Core,
                format_args!("no process in slot {} to announce", ch.slot),
            );
            return Err(Status::Error);
        }
        NGX_CMD_CLOSE_CHANNEL if retry::is_made_up(about) => return Ok(()),
        _ => {}
    }

    if leaves && role::acts_as_master(g) {
        retry::give_up_old(g);
    }

    let result = queue::write(g, log, sock, message, ch, Level::Info);

    if leaves && result.is_ok() {
        info::of_child(g, i).is_to_exit();
    }

    super::alarm::set_for_what_waits(g, log);

    result
}

/// Receives a message for `ngx_read_channel`. What nginx would fill its table
/// in with wrongly is dropped, and the next one received.
pub fn read(g: &Globals, log: Log, sock: RawFd, message: &mut [MaybeUninit<u8>]) -> Result<usize> {
    loop {
        let read = read::read(log, sock, message)?;

        let from_master =
            read.len() == MIN_SIZE && sock == g.channel.load(Relaxed) && !role::acts_as_master(g);

        if !from_master || admit(g, log, &ngx_channel_t::from_bytes(read)) {
            return Ok(read.len());
        }
    }
}

/// Prepares the table for what nginx is about to do to it (`D18`); `false` if
/// it must not.
fn admit(g: &Globals, log: Log, ch: &ngx_channel_t) -> bool {
    if matches!(ch.command, NGX_CMD_QUIT | NGX_CMD_TERMINATE) {
        info::of_self().is_to_exit();
        return true;
    }

    if !matches!(ch.command, NGX_CMD_OPEN_CHANNEL | NGX_CMD_CLOSE_CHANNEL) {
        return true;
    }

    let Some(i) = others_slot(g, log, ch) else {
        close::close_end(g, log, ch.fd);
        return false;
    };

    let slot = g.table.get(i);

    if ch.command == NGX_CMD_OPEN_CHANNEL {
        if let Some(old) = slot.take_channel(0) {
            close::close_end(g, log, old);
        }

        slot.forget_parents_flags();
        g.table.cover(i);

        return true;
    }

    partial::forget_sender(ch.pid);
    is_closed(slot, ch)
}

/// Whether nginx has something to close: not if the process was never
/// announced, and its slot has the 0 it was made with (`D11`), nor if another
/// has the slot by now.
fn is_closed(slot: &ngx_process_t, ch: &ngx_channel_t) -> bool {
    if slot.occupied() && slot.pid() != ch.pid {
        return false;
    }

    let opened = slot.writable().is_some();

    slot.forget_parents_flags();
    slot.set_pid(NGX_INVALID_PID);

    if !opened {
        let _ = slot.take_channel(0);
    }

    opened
}

/// A worker or helper has been set up: it has closed its parent's end of its
/// channel, and knows what it is.
pub fn added(g: &Globals, fd: RawFd) {
    if fd != g.channel.load(Relaxed) || role::acts_as_master(g) {
        return;
    }

    let role = g.process.load(Relaxed);
    let worker = if role == NGX_PROCESS_WORKER {
        variables::ngx_worker.load(Relaxed) as ngx_int_t
    } else {
        -1
    };

    let _ = g.table.get(g.own_slot()).take_channel(0);
    info::of_self().is_a(role, worker);
}
