//! The functions behind `c->recv` and `c->send` of a connection.

use nix::errno::Errno;

use super::connection::Connection;
use super::event::Event;
use super::types::{flag, ngx_connection_t};
use crate::config::{NGX_AGAIN, NGX_ERROR, u_char};
use crate::log::Level;
use crate::sys::socket;

/// The `ngx_recv_pt` of every connection: receives at most `size` bytes.
///
/// Returns how many; 0 at the end; NGX_AGAIN if there is nothing yet;
/// NGX_ERROR, with the reason in the log.
///
/// # Safety
///
/// `c` is a connection of the event loop, and `size` bytes at `buf` are
/// writable.
pub unsafe extern "C" fn recv(c: *mut ngx_connection_t, buf: *mut u_char, size: usize) -> isize {
    // SAFETY: the event loop has made `c`, and `buf` is writable (see above).
    let (c, received) = unsafe {
        let Some(c) = Connection::from_ptr(c) else {
            return NGX_ERROR;
        };

        (c, socket::recv_bytes(c.fd(), buf, size))
    };

    match received {
        Ok(0) if size != 0 => {
            c.read().set(flag::EOF);
            c.read().clear(flag::READY);
            0
        }
        Ok(n) => {
            // nginx's rule: fewer bytes than wanted are all there are for now.
            if n < size {
                c.read().clear(flag::READY);
            }
            n.cast_signed()
        }
        Err(err) => failed(c, c.read(), err, "recv"),
    }
}

/// The `ngx_send_pt` of every connection: sends at most `size` bytes.
///
/// Returns how many; NGX_AGAIN if the socket takes none now; NGX_ERROR, with
/// the reason in the log.
///
/// # Safety
///
/// `c` is a connection of the event loop, and `size` bytes at `buf` are
/// readable.
pub unsafe extern "C" fn send(c: *mut ngx_connection_t, buf: *mut u_char, size: usize) -> isize {
    // SAFETY: the event loop has made `c`, and `buf` is readable (see above).
    let (c, sent) = unsafe {
        let Some(c) = Connection::from_ptr(c) else {
            return NGX_ERROR;
        };

        (c, socket::send_bytes(c.fd(), buf, size))
    };

    match sent {
        Ok(n) => {
            c.write().assign(flag::READY, n == size);
            n.cast_signed()
        }
        Err(err) => failed(c, c.write(), err, "send"),
    }
}

fn failed(c: Connection, event: Event, err: Errno, call: &str) -> isize {
    event.clear(flag::READY);

    if err == Errno::EAGAIN {
        return NGX_AGAIN;
    }

    event.set(flag::ERROR);

    // A client may go away at any time; that is not an error of this program.
    let level = match err {
        Errno::ECONNRESET | Errno::EPIPE | Errno::ENOTCONN | Errno::ETIMEDOUT => Level::Info,
        _ => Level::Alert,
    };

    c.log()
        .error(level, Some(err), format_args!("{call}() failed"));

    NGX_ERROR
}
