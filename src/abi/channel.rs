//! `ngx_channel.h`: messages between processes.

use std::mem::MaybeUninit;
use std::slice;

use crate::channel::close;
use crate::channel::message::{is_possible, ngx_channel_t};
use crate::channel::{read, write};
use crate::config::{AtomicSocket, ngx_fd_t, ngx_int_t, ngx_socket_t};
use crate::host::globals::GLOBALS;
use crate::host::logs::log_of;
#[cfg(feature = "standalone")]
use crate::host::ngx_cycle_t;
#[cfg(feature = "standalone")]
use crate::host::standalone::{channel, channel_event, cycle::Cycle, types::ngx_event_handler_pt};
use crate::host::{self, ngx_log_t};
use crate::log::Level;
use crate::status::code;

/// Sends a message: the `size` bytes at `ch`, with a copy of the descriptor
/// `ch->fd` unless `ch->fd` is -1.
///
/// The message is sent completely or not at all. If the socket buffer is full,
/// the function does not wait if `s` is a channel of the process table; for any
/// other socket it waits unless O_NONBLOCK is set. Returns NGX_OK, NGX_AGAIN if
/// the socket buffer is full, or NGX_ERROR with an alert in the log. SIGPIPE is
/// not raised. A message is refused if it is smaller than ngx_channel_t, if it
/// is larger than the kernel takes at once (EMSGSIZE: 32 KiB, or half of a
/// smaller SO_SNDBUF), if it is a NGX_CMD_OPEN_CHANNEL without a descriptor, or if a
/// worker or helper of ngx_ipc_main() would drop it (ENOTSUP): it handles no other commands.
///
/// Set the message to zero before you set its fields. Otherwise its padding
/// sends bytes of the stack to the other process, because all bytes are sent.
///
/// # Safety
///
/// `ch` is NULL, or `size` bytes at `ch` are readable; `log` is NULL or a valid
/// log.
///
/// # References
///
/// `sendmsg(2)`, `unix(7)`; nginx's `src/os/unix/ngx_channel.c`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_write_channel(
    s: ngx_socket_t,
    ch: *mut ngx_channel_t,
    size: usize,
    log: *mut ngx_log_t,
) -> ngx_int_t {
    // The other programs pay only for this comparison: the call comes before the function
    // saves a register.
    #[cfg(feature = "standalone")]
    if channel::is_main() {
        // SAFETY: C passes what the function requires.
        return unsafe { write_in_main(s, ch, size, log) };
    }

    // SAFETY: C passes what the function requires.
    unsafe { write_message(s, ch, size, log) }
}

/// `ngx_write_channel()` in a program of `ngx_ipc_main()`: refuses a message that its
/// receiver would drop.
#[cfg(feature = "standalone")]
#[inline(never)]
unsafe extern "C" fn write_in_main(
    s: ngx_socket_t,
    ch: *mut ngx_channel_t,
    size: usize,
    log: *mut ngx_log_t,
) -> ngx_int_t {
    if is_possible(size) {
        // SAFETY: C passes NULL, or a message of which `size` bytes are readable, and NULL
        // or a valid log.
        let (head, log) = unsafe { (ch.as_ref(), log_of(log)) };

        if let Some(Err(refused)) = head.map(|ch| channel::check_receiver(&GLOBALS, log, s, ch)) {
            return refused.into();
        }
    }

    // SAFETY: C passes what the function requires.
    unsafe { write_message(s, ch, size, log) }
}

// One copy of this function is faster than two: the compiler then inlines what it calls.
#[inline(never)]
unsafe extern "C" fn write_message(
    s: ngx_socket_t,
    ch: *mut ngx_channel_t,
    size: usize,
    log: *mut ngx_log_t,
) -> ngx_int_t {
    // SAFETY: C passes NULL or a valid log.
    let log = unsafe { log_of(log) };

    if ch.is_null() {
        return log
            .refuse(format_args!("no channel message to send"))
            .into();
    }

    if !is_possible(size) {
        return write::refuse_size(log, size).into();
    }

    // SAFETY: C passes a message of which `size` bytes are readable, enough for
    // the ngx_channel_t with which the message begins.
    let (message, head) = unsafe {
        (
            slice::from_raw_parts(ch.cast::<MaybeUninit<u8>>(), size),
            &*ch,
        )
    };

    code(host::write_channel(
        &GLOBALS,
        log,
        s,
        message,
        head,
        Level::Alert,
    ))
}

/// Receives one message of `size` bytes into `ch`.
///
/// Returns `size`; NGX_AGAIN if no message has arrived; NGX_ERROR if the other end
/// is closed, or, with an alert in the log, if anything fails.
///
/// A channel that ngx_spawn_process() has made delivers complete messages. The
/// function drops a message of another `size`, logs an alert, and receives the
/// next message. It does not wait, even if O_NONBLOCK is not set. On a stream
/// socket of the program's own, less data than `size` is an error, and the data
/// is lost. There the function waits unless O_NONBLOCK is set.
///
/// If the message is a NGX_CMD_OPEN_CHANNEL, `ch->fd` is set to the descriptor
/// that has arrived with the message, which the caller must close, or to -1 if
/// none has arrived. With any other command `ch->fd` is set to -1, and the
/// function closes descriptors that have arrived.
///
/// # Safety
///
/// `ch` is NULL, or `size` bytes at `ch` are writable; `log` is NULL or a valid
/// log.
///
/// # References
///
/// `recvmsg(2)`, `unix(7)`; nginx's `src/os/unix/ngx_channel.c`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_read_channel(
    s: ngx_socket_t,
    ch: *mut ngx_channel_t,
    size: usize,
    log: *mut ngx_log_t,
) -> ngx_int_t {
    // SAFETY: C passes NULL or a valid log.
    let log = unsafe { log_of(log) };

    if ch.is_null() {
        return log
            .refuse(format_args!("no channel message to receive into"))
            .into();
    }

    if !is_possible(size) {
        return read::refuse_size(log, size).into();
    }

    // SAFETY: C passes a buffer of which `size` bytes are writable.
    let message = unsafe { slice::from_raw_parts_mut(ch.cast::<MaybeUninit<u8>>(), size) };

    host::read_channel(&GLOBALS, log, s, message)
        .map_or_else(ngx_int_t::from, |size| size.cast_signed())
}

/// Makes the event loop call `handler` whenever `fd` is readable
/// (NGX_READ_EVENT) or writable (NGX_WRITE_EVENT).
///
/// The handler's event has a ngx_connection_t as `data`, whose `fd` is the
/// descriptor. Returns NGX_OK, or NGX_ERROR with an alert in the log.
///
/// # Safety
///
/// `cycle` is NULL or a valid cycle. ngx_process_events_and_timers() can
/// call `handler` until the connection is closed.
///
/// # References
///
/// `epoll_ctl(2)`; nginx's `src/os/unix/ngx_channel.c`.
#[cfg(feature = "standalone")]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_add_channel_event(
    cycle: *mut ngx_cycle_t,
    fd: ngx_fd_t,
    event: ngx_int_t,
    handler: ngx_event_handler_pt,
) -> ngx_int_t {
    // SAFETY: C passes NULL or a valid cycle.
    let cycle = unsafe { Cycle::from_ptr(cycle) };
    let (log, pool) = (
        cycle.and_then(Cycle::error_log),
        cycle.and_then(Cycle::pool),
    );

    code(channel_event::add(fd, event, handler, log, pool))
}

/// Closes both descriptors of a channel, and sets them to -1.
///
/// Does nothing with a descriptor that is -1. If close() fails, an alert is
/// logged, and the descriptor is closed nevertheless.
///
/// # Safety
///
/// `fd` is NULL or points to two descriptors; `log` is NULL or a valid log.
///
/// # References
///
/// `close(2)`; nginx's `src/os/unix/ngx_channel.c`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_close_channel(fd: *mut ngx_fd_t, log: *mut ngx_log_t) {
    if fd.is_null() {
        return;
    }

    // SAFETY: C passes the address of two descriptors, and NULL or a valid log.
    // The descriptors are used as atomics, because they can be in the process
    // table, which a signal handler can read.
    let (log, ends) = unsafe {
        (
            log_of(log),
            [fd, fd.add(1)].map(|end| AtomicSocket::from_ptr(end)),
        )
    };

    close::close_channel(&GLOBALS, log, ends);
}
