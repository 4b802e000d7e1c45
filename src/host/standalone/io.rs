//! The functions that `c->recv` and `c->send` of a connection point to.

use std::os::fd::RawFd;

use nix::errno::Errno;

use super::event::Event;
use super::log::ErrorLog;
use super::types::{flag, ngx_connection_t, ngx_event_t};
use crate::config::{NGX_AGAIN, NGX_ERROR, u_char};
use crate::log::{Level, Log};
use crate::sys::{errno, socket};

/// The parts of a connection that receiving or sending needs: the descriptor,
/// the read or write event, and the log.
///
/// This is not a `Connection`, because a module can pass a copy of the
/// structure `ngx_connection_t` with events of its own, as nginx's HTTP/2 does.
struct Stream {
    fd: RawFd,
    event: Event,
    log: Log,
}

impl Stream {
    /// Makes a stream of `c`, with the event that `select` selects; `None` if
    /// `c` or the event is NULL.
    ///
    /// # Safety
    ///
    /// `c` is NULL, or its log and its events are NULL or valid.
    unsafe fn new(
        c: *const ngx_connection_t,
        select: fn(&ngx_connection_t) -> *mut ngx_event_t,
    ) -> Option<Self> {
        // SAFETY: the caller passes NULL, or a connection whose log and events
        // are NULL or valid. The handles are used only during a call of `recv`
        // or `send`.
        unsafe {
            let c = c.as_ref()?;

            Some(Self {
                fd: c.fd,
                event: Event::from_ptr(select(c))?,
                log: ErrorLog::log_of(ErrorLog::from_ptr(c.log)),
            })
        }
    }

    fn failed(&self, err: Errno, call: &str) -> isize {
        self.event.clear(flag::READY);

        if err == Errno::EAGAIN {
            return NGX_AGAIN;
        }

        self.event.set(flag::ERROR);

        // A client can close the connection at any time. This is not an error
        // of the program, so the level is lower.
        let level = match err {
            Errno::ECONNRESET | Errno::EPIPE | Errno::ENOTCONN | Errno::ETIMEDOUT => Level::Info,
            _ => Level::Alert,
        };

        self.log
            .error(level, Some(err), format_args!("{call}() failed"));

        // The write of the line can have changed errno.
        errno::set(err);

        NGX_ERROR
    }
}

/// The log of C's connection `c`, for a line that is written at once.
///
/// # Safety
///
/// `c` is a connection or a copy of one, whose log is NULL or valid.
pub unsafe fn log_of(c: *const ngx_connection_t) -> Log {
    // SAFETY: the caller passes a connection whose log is NULL or valid.
    unsafe { ErrorLog::log_of(ErrorLog::from_ptr((*c).log)) }
}

/// Receives at most `size` bytes: the function that `c->recv` of every
/// connection points to.
///
/// Returns the number of bytes received; 0 if the other side sends no more;
/// NGX_AGAIN if no byte has arrived yet; or NGX_ERROR, with the reason in the
/// log.
///
/// # Safety
///
/// `c` is a connection or a copy of one, with valid events and a valid log;
/// `size` bytes at `buf` are writable.
pub unsafe extern "C" fn recv(c: *mut ngx_connection_t, buf: *mut u_char, size: usize) -> isize {
    // SAFETY: the caller passes a connection, or a copy of one, with valid
    // events and a valid log.
    let Some(stream) = (unsafe { Stream::new(c, |c| c.read) }) else {
        return NGX_ERROR;
    };

    // SAFETY: the caller passes a buffer in which `size` bytes are writable.
    match unsafe { socket::recv_bytes(stream.fd, buf, size) } {
        Ok(0) if size != 0 => {
            stream.event.set(flag::EOF);
            stream.event.clear(flag::READY);
            0
        }
        Ok(n) => {
            // As in nginx: if fewer bytes were received than requested, no more
            // bytes have arrived.
            if n < size {
                stream.event.clear(flag::READY);
            }
            n.cast_signed()
        }
        Err(err) => stream.failed(err, "recv"),
    }
}

/// Sends at most `size` bytes: the function that `c->send` of every connection
/// points to.
///
/// Returns the number of bytes sent; NGX_AGAIN if the socket buffer is full; or
/// NGX_ERROR, with the reason in the log.
///
/// # Safety
///
/// `c` is a connection or a copy of one, with valid events and a valid log;
/// `size` bytes at `buf` are readable.
pub unsafe extern "C" fn send(c: *mut ngx_connection_t, buf: *mut u_char, size: usize) -> isize {
    // SAFETY: the caller passes a connection, or a copy of one, with valid
    // events and a valid log.
    let Some(stream) = (unsafe { Stream::new(c, |c| c.write) }) else {
        return NGX_ERROR;
    };

    // SAFETY: the caller passes a buffer in which `size` bytes are readable.
    match unsafe { socket::send_bytes(stream.fd, buf, size) } {
        Ok(n) => {
            stream.event.assign(flag::READY, n == size);
            n.cast_signed()
        }
        Err(err) => stream.failed(err, "send"),
    }
}
