//! The functions behind `c->recv` and `c->send` of a connection.

use std::os::fd::RawFd;

use nix::errno::Errno;

use super::event::Event;
use super::log::ErrorLog;
use super::types::{flag, ngx_connection_t, ngx_event_t};
use crate::config::{NGX_AGAIN, NGX_ERROR, u_char};
use crate::log::{Level, Log};
use crate::sys::socket;

/// What a connection's structure names: a descriptor, the event for reading or
/// writing, and a log.
///
/// This is not a `Connection` of the event loop, since a module may pass a copy
/// of the structure that has events of its own, as nginx's HTTP/2 does.
struct Stream {
    fd: RawFd,
    event: Event,
    log: Log,
}

impl Stream {
    /// The stream of `c` with the event that `select` selects; `None` if a
    /// pointer is NULL.
    ///
    /// # Safety
    ///
    /// `c` is NULL, or its log and its events are NULL or valid.
    unsafe fn new(
        c: *const ngx_connection_t,
        select: fn(&ngx_connection_t) -> *mut ngx_event_t,
    ) -> Option<Self> {
        // SAFETY: as this function demands. The handles live no longer than the
        // call of `recv` or `send`.
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

        // A client may go away at any time; that is not an error of this
        // program.
        let level = match err {
            Errno::ECONNRESET | Errno::EPIPE | Errno::ENOTCONN | Errno::ETIMEDOUT => Level::Info,
            _ => Level::Alert,
        };

        self.log
            .error(level, Some(err), format_args!("{call}() failed"));

        NGX_ERROR
    }
}

/// The `ngx_recv_pt` of every connection: receives at most `size` bytes.
///
/// Returns how many; 0 at the end; NGX_AGAIN if there is nothing yet;
/// NGX_ERROR, with the reason in the log.
///
/// # Safety
///
/// `c` is a connection or a copy of one, with valid events and a valid log;
/// `size` bytes at `buf` are writable.
pub unsafe extern "C" fn recv(c: *mut ngx_connection_t, buf: *mut u_char, size: usize) -> isize {
    // SAFETY: as this function demands.
    let Some(stream) = (unsafe { Stream::new(c, |c| c.read) }) else {
        return NGX_ERROR;
    };

    // SAFETY: as this function demands, `size` bytes are writable.
    match unsafe { socket::recv_bytes(stream.fd, buf, size) } {
        Ok(0) if size != 0 => {
            stream.event.set(flag::EOF);
            stream.event.clear(flag::READY);
            0
        }
        Ok(n) => {
            // nginx's rule: fewer bytes than wanted are all there are for now.
            if n < size {
                stream.event.clear(flag::READY);
            }
            n.cast_signed()
        }
        Err(err) => stream.failed(err, "recv"),
    }
}

/// The `ngx_send_pt` of every connection: sends at most `size` bytes.
///
/// Returns how many; NGX_AGAIN if the socket takes none now; NGX_ERROR, with
/// the reason in the log.
///
/// # Safety
///
/// `c` is a connection or a copy of one, with valid events and a valid log;
/// `size` bytes at `buf` are readable.
pub unsafe extern "C" fn send(c: *mut ngx_connection_t, buf: *mut u_char, size: usize) -> isize {
    // SAFETY: as this function demands.
    let Some(stream) = (unsafe { Stream::new(c, |c| c.write) }) else {
        return NGX_ERROR;
    };

    // SAFETY: as this function demands, `size` bytes are readable.
    match unsafe { socket::send_bytes(stream.fd, buf, size) } {
        Ok(n) => {
            stream.event.assign(flag::READY, n == size);
            n.cast_signed()
        }
        Err(err) => stream.failed(err, "send"),
    }
}
