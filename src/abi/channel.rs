//! `ngx_channel.h`: messages between processes.

use std::mem::MaybeUninit;
use std::slice;

use crate::channel::close;
use crate::channel::message::{MIN_SIZE, ngx_channel_t};
use crate::config::{AtomicSocket, ngx_fd_t, ngx_int_t, ngx_socket_t};
use crate::host::globals::GLOBALS;
use crate::host::logs::log_of;
#[cfg(feature = "standalone")]
use crate::host::ngx_cycle_t;
#[cfg(feature = "standalone")]
use crate::host::standalone::{channel_event, cycle::Cycle, types::ngx_event_handler_pt};
use crate::host::{self, ngx_log_t};
use crate::log::Level;
use crate::status::code;

/// The largest size that a Rust slice may have; no object of C is larger.
fn bounded(size: usize) -> usize {
    size.min(isize::MAX.unsigned_abs())
}

/// Sends the `size` bytes at `ch`, with a copy of the descriptor `ch->fd` unless
/// that is -1.
///
/// A message is sent whole or not at all. The call does not wait for room in a
/// channel of the process table; for another socket it waits unless O_NONBLOCK
/// is set. Returns NGX_OK, NGX_AGAIN if the socket is full, or NGX_ERROR with an alert in the log. SIGPIPE is not raised.
/// A message is refused if it is smaller than ngx_channel_t, if it is larger
/// than the kernel takes at once (EMSGSIZE: 32 KiB, or half of a smaller
/// SO_SNDBUF), or if it is a NGX_CMD_OPEN_CHANNEL without a descriptor.
///
/// All bytes are sent: zero the message before you set its fields, or its
/// padding carries what the stack contained.
///
/// # Safety
///
/// `ch` is NULL, or `size` bytes at `ch` may be read; `log` is NULL or a valid
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
    // SAFETY: the contract of this function: NULL or a valid log.
    let log = unsafe { log_of(log) };

    if ch.is_null() {
        return log
            .refuse(format_args!("no channel message to send"))
            .into();
    }

    // SAFETY: the contract of this function: `size` bytes may be read. If there
    // are enough for a message, they begin with a ngx_channel_t.
    let (message, head) = unsafe {
        (
            slice::from_raw_parts(ch.cast::<MaybeUninit<u8>>(), bounded(size)),
            (size >= MIN_SIZE).then(|| *ch),
        )
    };
    let head = head.unwrap_or(ngx_channel_t::command(0));

    code(host::write_channel(
        &GLOBALS,
        log,
        s,
        message,
        &head,
        Level::Alert,
    ))
}

/// Receives one message of `size` bytes into `ch`.
///
/// Returns `size`; NGX_AGAIN if no message has arrived; NGX_ERROR, with an alert
/// in the log unless the other end is closed.
///
/// A channel that ngx_spawn_process() has made delivers whole messages. One of
/// another size is dropped, which is an alert in the log, and the next one is
/// received. The call does not wait, even if O_NONBLOCK is not set. On a stream
/// socket of your own, less data than `size` is an error, and is lost; the call
/// waits as O_NONBLOCK says.
///
/// `ch->fd` is the descriptor of a NGX_CMD_OPEN_CHANNEL, which the caller must
/// close, or -1 if none arrived. With any other command it is -1, and
/// descriptors that arrived have been closed.
///
/// # Safety
///
/// `ch` is NULL, or `size` bytes at `ch` may be written; `log` is NULL or a valid
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
    // SAFETY: the contract of this function: NULL or a valid log.
    let log = unsafe { log_of(log) };

    if ch.is_null() {
        return log
            .refuse(format_args!("no channel message to receive into"))
            .into();
    }

    // SAFETY: the contract of this function: `size` bytes may be written.
    let message = unsafe { slice::from_raw_parts_mut(ch.cast::<MaybeUninit<u8>>(), bounded(size)) };

    host::read_channel(&GLOBALS, log, s, message)
        .map_or_else(ngx_int_t::from, |size| size.cast_signed())
}

/// Makes the event loop call `handler` whenever `fd` is readable
/// (NGX_READ_EVENT) or writable (NGX_WRITE_EVENT).
///
/// `data` of the event is a ngx_connection_t, whose `fd` is the descriptor.
/// Returns NGX_OK, or NGX_ERROR with an alert in the log.
///
/// # Safety
///
/// `cycle` is NULL or a valid cycle. `handler` may be called from
/// ngx_process_events_and_timers() until the connection is closed.
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
    // SAFETY: the contract of this function: NULL or a valid cycle.
    let cycle = unsafe { Cycle::from_ptr(cycle) };
    let (log, pool) = (
        cycle.and_then(Cycle::error_log),
        cycle.and_then(Cycle::pool),
    );

    code(channel_event::add(fd, event, handler, log, pool))
}

/// Closes both descriptors of a channel, and sets them to -1.
///
/// A descriptor that is -1 already is left as it is. If close() fails, an alert
/// is logged; the descriptor is closed all the same.
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

    // SAFETY: the contract of this function: two descriptors at `fd`, and NULL or
    // a valid log. The descriptors are atomics since a signal handler may read
    // the table, where they are.
    let (log, ends) = unsafe {
        (
            log_of(log),
            [fd, fd.add(1)].map(|end| AtomicSocket::from_ptr(end)),
        )
    };

    close::close_channel(&GLOBALS, log, ends);
}
