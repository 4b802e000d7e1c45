//! Receives datagrams from the listening sockets of a cycle, and calls the program's
//! handler with a connection for each of them.
//!
//! The connection has the descriptor of the listening socket while the handler runs.
//! A connection that the handler keeps gets a duplicate, because a worker that shuts
//! down closes its listening sockets first.

use std::os::fd::RawFd;

use nix::errno::Errno;

use super::connection::Connection;
use super::connections;
use super::datagram::Datagram;
use super::datagram_descriptor::{keep, shares};
use super::event::{Event, ngx_event_t};
use super::io::log_of;
use super::new_connection::call_program;
use super::types::{flag, ngx_connection_t};
use crate::config::{NGX_AGAIN, NGX_ERROR, u_char};
use crate::log::{Level, Log};
use crate::sys::datagram::{self, LONGEST};
use crate::sys::lock::Lock;

/// The number of datagrams that a worker receives from one socket in a round of the
/// event loop. The other sockets get their turn then.
const BATCH: usize = 16;

/// The buffer into which this process receives.
static BUFFER: Lock<[u8; LONGEST]> = Lock::new([0; LONGEST]);

/// Receives datagrams, and calls the program's handler for each.
///
/// # Safety
///
/// `ev` is the read event of a connection that `start_accepting` has made.
pub unsafe extern "C" fn datagram_handler(ev: *mut ngx_event_t) {
    // SAFETY: only the event loop calls this handler, with the read event of a
    // connection.
    let Some(listener) = (unsafe { Connection::of_event(ev) }) else {
        return;
    };

    let key = listener.key();

    for _ in 0..BATCH {
        let log = listener.read().log();

        match receive(listener.fd()) {
            Ok(datagram) => handle_new(listener, datagram, log),
            Err(Errno::EAGAIN | Errno::EINTR) => return,
            Err(err) => {
                log.error(Level::Alert, Some(err), format_args!("recvmsg() failed"));
                return;
            }
        }

        // The program's handler can have closed the listening socket. A new connection
        // can have got the entry since.
        if !listener.is_open_as(key) {
            return;
        }
    }
}

fn receive(sock: RawFd) -> Result<Datagram, Errno> {
    let mut buffer = BUFFER.lock();
    let (n, peer) = datagram::receive(sock, buffer.as_mut_slice())?;

    Datagram::new(peer, buffer.get(..n).unwrap_or_default())
}

fn handle_new(listener: Connection, datagram: Datagram, log: Log) {
    let fd = listener.fd();
    let Ok(c) = connections::get(fd, listener.error_log()) else {
        // SAFETY: no connection has got the datagram.
        unsafe { datagram.free() };
        return;
    };

    c.set_datagram(datagram, Some(recv), Some(send));

    let key = c.key();

    call_program(listener, c, log);

    if c.is_open_as(key) && shares(c, fd) {
        keep(c, log);
    }
}

/// Receives the datagram of a connection, at most `size` bytes of it: the function that
/// `c->recv` of such a connection points to.
///
/// Returns the number of bytes, and NGX_AGAIN if the datagram has been received already.
///
/// # Safety
///
/// `c` is a connection or a copy of one, with valid events; `size` bytes at `buf` are
/// writable.
unsafe extern "C" fn recv(c: *mut ngx_connection_t, buf: *mut u_char, size: usize) -> isize {
    // SAFETY: the caller passes a connection, or a copy of one, with valid events.
    let (datagram, read) = unsafe {
        let Some(mut datagram) = Datagram::of(c) else {
            return NGX_ERROR;
        };

        (
            datagram.take().map(|bytes| (bytes.as_ptr(), bytes.len())),
            Event::from_ptr((*c).read),
        )
    };

    if let Some(read) = read {
        read.clear(flag::READY);
    }

    let Some((bytes, len)) = datagram else {
        return NGX_AGAIN;
    };
    let n = len.min(size);

    // SAFETY: the datagram has `n` bytes, and the caller passes a buffer of its own
    // with at least as many.
    unsafe { buf.copy_from_nonoverlapping(bytes, n) };

    n.cast_signed()
}

/// Sends `size` bytes as one datagram to the sender of the connection's datagram: the
/// function that `c->send` of such a connection points to.
///
/// Returns the number of bytes sent; NGX_AGAIN if the socket buffer is full; or
/// NGX_ERROR, with the reason in the log.
///
/// # Safety
///
/// `c` is a connection or a copy of one, with a valid log; `size` bytes at `buf` are
/// readable.
unsafe extern "C" fn send(c: *mut ngx_connection_t, buf: *mut u_char, size: usize) -> isize {
    // SAFETY: the caller passes a connection, or a copy of one, with a valid log, and
    // `size` readable bytes.
    let (result, log) = unsafe {
        let Some(datagram) = Datagram::of(c) else {
            return NGX_ERROR;
        };

        if datagram.peer().is_empty() {
            return NGX_ERROR;
        }

        (
            datagram::send((*c).fd, buf, size, datagram.peer()),
            log_of(c),
        )
    };

    match result {
        Ok(n) => n.cast_signed(),
        Err(Errno::EAGAIN) => NGX_AGAIN,
        Err(err) => {
            // Each client can cause such an error, so it is no error of the program.
            log.error(Level::Info, Some(err), format_args!("sendmsg() failed"));
            NGX_ERROR
        }
    }
}
