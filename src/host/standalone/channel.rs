//! The worker's end of the channel between a worker and its master. Adds the
//! channel to the event loop, and does what the messages on the channel ask
//! for.

use std::mem::MaybeUninit;
use std::os::fd::{FromRawFd, OwnedFd, RawFd};
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;

use nix::errno::Errno;

use super::channel_event;
use super::connection::Connection;
use super::cycle::Cycle;
use super::types::{ngx_event_handler_pt, ngx_event_t};
use crate::channel::command::{NGX_CMD_OPEN_CHANNEL, is_known};
use crate::channel::message::ngx_channel_t;
use crate::channel::turn::Turn;
use crate::channel::wait::may_wait;
use crate::channel::{queue, read};
use crate::config::{NGX_DECLINED, NGX_ERROR, NGX_OK, ngx_int_t};
use crate::host::globals::{GLOBALS, ngx_channel};
use crate::log::{Debug, Level, Log};
use crate::process_cycle::handle_command::channel_command;
use crate::process_cycle::init_channel::{forget_channel, init_channel};
use crate::status::{Result, Status};
use crate::sys::errno;
use crate::table::globals::Globals;
use crate::table::role::Role;
use crate::table::stats;

/// Whether `ngx_ipc_main()` runs. Then [`handler`] reads the channels of all workers and
/// helpers.
static IS_MAIN: AtomicBool = AtomicBool::new(false);

/// Records that `ngx_ipc_main()` runs.
pub fn set_main() {
    IS_MAIN.store(true, Relaxed);
}

/// Whether `ngx_ipc_main()` runs.
#[inline(always)]
pub fn is_main() -> bool {
    IS_MAIN.load(Relaxed)
}

/// Sends a message on a channel: the function behind `ngx_write_channel()`.
pub use crate::channel::queue::write as write_channel;

/// Returns an error, with an alert in the log, if [`handler`] reads the channel `sock` and
/// would drop the message `ch`, because its command is one of the program.
pub fn check_receiver(g: &Globals, log: Log, sock: RawFd, ch: &ngx_channel_t) -> Result {
    if is_known(ch.command) {
        return Ok(());
    }

    let Some((slot, _)) = queue::find_receiver(g, sock) else {
        return Ok(());
    };

    if stats::of(slot).role() == Role::Other {
        return Ok(());
    }

    let refused = log.fail(
        Level::Alert,
        Errno::ENOTSUP,
        format_args!(
            "the process in slot {slot} has no handler for the command {} of a channel \
             message, use ngx_ipc_message.h",
            ch.command
        ),
    );

    errno::set(Errno::ENOTSUP);

    Err(refused)
}

/// Receives a message from a channel: the function behind `ngx_read_channel()`.
/// Returns the length of the message in bytes.
#[inline(always)]
pub fn read_channel(
    g: &Globals,
    log: Log,
    sock: RawFd,
    message: &mut [MaybeUninit<u8>],
) -> Result<usize> {
    read::read(log, sock, message, None, || may_wait(g, sock)).map(<[u8]>::len)
}

/// Closes the channels that a new worker inherits but does not need. Then makes
/// the event loop call `handler` when the worker's own channel is readable,
/// unless `handler` is NULL.
pub fn init(cycle: Option<Cycle>, handler: ngx_event_handler_pt) -> Result {
    init_channel(&GLOBALS, Cycle::log_of(cycle));

    if handler.is_none() {
        return Ok(());
    }

    channel_event::add(
        ngx_channel.load(Relaxed),
        channel_event::READ_EVENT,
        handler,
        cycle.and_then(Cycle::error_log),
        cycle.and_then(Cycle::pool),
    )
}

/// Reads the messages that have arrived on a channel, and does what they ask
/// for. Closes the channel if the other end is closed.
///
/// # Safety
///
/// `ev` is the read event of a connection that this library has made.
pub unsafe extern "C" fn handler(ev: *mut ngx_event_t) {
    // SAFETY: the event loop, or the program in its place, calls this handler
    // with the read event of a connection.
    let Some(c) = (unsafe { Connection::of_event(ev) }) else {
        return;
    };

    if c.read().take_timedout() {
        return;
    }

    let log = c.read().log();

    log.debug(Debug::Core, format_args!("channel handler"));

    // If more messages are left, the event loop calls this function again.
    let turn = Turn::start();

    while turn.take() {
        let Some(ch) = read_message(c, log, &turn) else {
            return;
        };

        // SAFETY: the message has just been received, so no other code uses the
        // descriptor that came with the message.
        if unsafe { obey(Some(&ch), c.log()) } == NGX_DECLINED {
            report_unknown(&ch, log);
        }
    }
}

/// Whether this process has reported a message with an unknown command.
static REPORTED: AtomicBool = AtomicBool::new(false);

/// Logs that a message is dropped, because this host has no handler for messages of
/// the program on channels. Logs only the first message, because a worker can send
/// any number to the others.
fn report_unknown(ch: &ngx_channel_t, log: Log) {
    if !REPORTED.swap(true, Relaxed) {
        log.error(
            Level::Warn,
            None,
            format_args!(
                "dropped a channel message with the command {} of pid {}: ngx_ipc_main() has no \
                 handler for it, use ngx_ipc_message.h",
                ch.command, ch.pid
            ),
        );
    }
}

/// Receives the next message from the channel of `c`; `None` if no complete
/// message has arrived, or if `turn` is over. If the channel cannot be read, the
/// function closes the channel.
fn read_message(c: Connection, log: Log, turn: &Turn) -> Option<ngx_channel_t> {
    let mut buffer = ngx_channel_t::command(0).bytes();
    let result = read::read(log, c.fd(), &mut buffer, Some(turn), || false);

    log.debug(
        Debug::Core,
        format_args!(
            "channel: {}",
            result.map_or_else(ngx_int_t::from, |message| message.len().cast_signed())
        ),
    );

    match result {
        Ok(message) => Some(ngx_channel_t::from_bytes(message)),
        Err(Status::Again) => None,
        Err(Status::Error) => {
            forget_channel(&GLOBALS, c.fd());
            c.close();
            None
        }
    }
}

/// Does what the message `ch` asks for. Returns NGX_OK; NGX_DECLINED if the
/// command is not a command of nginx; or NGX_ERROR, with an alert in the log,
/// if `ch` is `None`.
///
/// # Safety
///
/// If `ch` is a NGX_CMD_OPEN_CHANNEL, no other code uses the descriptor of the
/// message.
pub unsafe fn obey(ch: Option<&ngx_channel_t>, log: Log) -> ngx_int_t {
    let Some(ch) = ch else {
        let _ = log.refuse(format_args!("no channel message to look at"));

        return NGX_ERROR;
    };

    let has_channel = ch.command == NGX_CMD_OPEN_CHANNEL && ch.fd > 0;
    // SAFETY: the caller gives up the descriptor of the message, so the message
    // is the only owner of the descriptor.
    let fd = has_channel.then(|| unsafe { OwnedFd::from_raw_fd(ch.fd) });

    if channel_command(&GLOBALS, log, ch, fd) {
        NGX_OK
    } else {
        NGX_DECLINED
    }
}
