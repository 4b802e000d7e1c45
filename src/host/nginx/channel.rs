//! Checks the messages that nginx's `ngx_process_cycle.c` sends and receives,
//! because nginx enters what it receives into its table without a check.

use std::mem::MaybeUninit;
use std::os::fd::RawFd;
use std::sync::atomic::Ordering::Relaxed;

use super::alarm::set_for_next_duty;
use super::message_loop;
use super::spawn::give_up_old;
use crate::channel::command::{
    NGX_CMD_CLOSE_CHANNEL, NGX_CMD_OPEN_CHANNEL, NGX_CMD_QUIT, NGX_CMD_REOPEN, NGX_CMD_TERMINATE,
};
use crate::channel::message::{MIN_SIZE, ngx_channel_t};
use crate::channel::read;
use crate::channel::turn::Turn;
use crate::channel::wait::may_wait;
use crate::channel::{close, queue};
use crate::log::{Debug, Level, Log};
use crate::process_cycle::admit::{prepare, slot_of_other};
use crate::status::{Result, Status};
use crate::table::globals::Globals;
use crate::table::role;
use crate::table::slot::Slot;
use crate::table::slots::CLOSED;
use crate::table::stats;

/// Sends a message for `ngx_write_channel`.
///
/// If the receiver is a process in the table that has closed its end, the
/// failure is logged at the level "info", not as an alert: such a process is
/// about to be reaped.
pub fn write(
    g: &Globals,
    log: Log,
    sock: RawFd,
    message: &[MaybeUninit<u8>],
    ch: &ngx_channel_t,
    if_gone: Level,
) -> Result {
    let receiver = queue::find_receiver(g, sock).filter(|_| message.len() == MIN_SIZE);

    if sock == CLOSED && is_for_reserved(g, ch) {
        give_up_if_exits(g, ch);
        return Ok(());
    }

    let Some((receiver, _)) = receiver else {
        return queue::write(g, log, sock, message, ch, if_gone);
    };

    if let Some(result) = result_without_sending(g, log, ch) {
        return result;
    }

    give_up_if_exits(g, ch);

    let result = queue::write(g, log, sock, message, ch, Level::Info);

    if exits(ch) {
        // If the message was not sent, nginx sends a signal.
        stats::of_child(g, receiver).mark_exiting();
    }

    set_for_next_duty(g);

    result
}

fn exits(ch: &ngx_channel_t) -> bool {
    matches!(ch.command, NGX_CMD_QUIT | NGX_CMD_TERMINATE)
}

/// If the message tells a process to exit, frees the reserved slots whose
/// processes are not wanted any more, so that these processes are not started.
fn give_up_if_exits(g: &Globals, ch: &ngx_channel_t) {
    if exits(ch) && role::acts_as_master(g) {
        give_up_old(g);
    }
}

/// Whether nginx's master sends this message to the process of a reserved slot,
/// which is started later. Such a slot has no channel. The write must not fail:
/// nginx would then send a signal to the pid in the slot.
fn is_for_reserved(g: &Globals, ch: &ngx_channel_t) -> bool {
    role::acts_as_master(g)
        && (exits(ch) || ch.command == NGX_CMD_REOPEN)
        && g.table.iter().any(|(_, entry)| entry.is_reserved())
}

/// The result for a message that must not be sent; `None` if the message must
/// be sent. nginx announces a process even if it could not be started. nginx
/// also announces the exit of a process that is only due to be started, because
/// its slot looks like the slot of a process that has exited.
fn result_without_sending(g: &Globals, log: Log, ch: &ngx_channel_t) -> Option<Result> {
    let about = g.table.get(Slot::from_c(ch.slot).unwrap_or(Slot::NONE));

    match ch.command {
        NGX_CMD_OPEN_CHANNEL if ch.fd == CLOSED && !about.occupied() => {
            log.debug(
                Debug::Core,
                format_args!("no process in slot {} to announce", ch.slot),
            );
            Some(Err(Status::Error))
        }
        NGX_CMD_CLOSE_CHANNEL if about.is_due() => Some(Ok(())),
        _ => None,
    }
}

/// Receives a message for `ngx_read_channel`. A message that nginx must not
/// enter into its table is dropped, and the next message is received.
///
/// nginx's handler of a worker's channel reads until `Status::Again`. This
/// function also returns `Status::Again` at the end of a [`Turn`]. So the worker
/// does other work even if other processes fill its channel as fast as it reads.
/// If messages are left, nginx's event loop calls the handler again.
pub fn read(g: &Globals, log: Log, sock: RawFd, message: &mut [MaybeUninit<u8>]) -> Result<usize> {
    static CALLS: Turn = Turn::start();

    if sock != g.channel.load(Relaxed) || role::acts_as_master(g) {
        return read::read(log, sock, message, None, || may_wait(g, sock)).map(<[u8]>::len);
    }

    while CALLS.take() {
        let read =
            read::read(log, sock, message, Some(&CALLS), || false).inspect_err(|_| CALLS.end())?;

        if read.len() != MIN_SIZE {
            return Ok(read.len());
        }

        let ch = ngx_channel_t::from_bytes(read);

        if exits(&ch) {
            message_loop::told_to_exit();
        }

        if admit(g, log, &ch) {
            return Ok(read.len());
        }
    }

    CALLS.end();
    Err(Status::Again)
}

/// Prepares the table for the message `ch`, before nginx handles the message
/// (`D18`). Returns `false` if nginx must not get the message.
fn admit(g: &Globals, log: Log, ch: &ngx_channel_t) -> bool {
    match ch.command {
        NGX_CMD_OPEN_CHANNEL | NGX_CMD_CLOSE_CHANNEL => match slot_of_other(g, log, ch) {
            Some(slot) => prepare(g, log, slot, ch),
            None => {
                close::close_end(g, log, ch.fd);
                false
            }
        },
        _ => true,
    }
}

/// `ngx_ipc_host.c` calls this function when nginx adds the descriptor `fd` to
/// its event loop. If `fd` is the channel of this worker or helper, nginx has
/// just closed the parent's end of the channel. The function then removes the
/// closed descriptor from the table.
pub fn added(g: &Globals, fd: RawFd) {
    if fd != g.channel.load(Relaxed) || role::acts_as_master(g) {
        return;
    }

    let _ = g.table.get(g.process_slot()).take_channel(0);
}
