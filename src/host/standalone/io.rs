//! What `c->recv` and `c->send` of a connection do.

use nix::errno::Errno;

use super::connection::ngx_connection_t;
use super::event::{flag, ngx_event_s};
use crate::config::{NGX_AGAIN, NGX_ERROR, u_char};
use crate::host::logs::log_of;
use crate::log::{Level, Log};
use crate::sys::socket;

/// `ngx_recv_pt` of every connection.
///
/// # Safety
///
/// `c` is open, `size` bytes at `buf` are writable.
pub unsafe extern "C" fn recv(c: *mut ngx_connection_t, buf: *mut u_char, size: usize) -> isize {
    // SAFETY: promised by the caller.
    let (log, rev, n) = unsafe {
        (
            log_of((*c).log),
            &mut *(*c).read,
            socket::recv_bytes((*c).fd, buf, size),
        )
    };

    match n {
        Ok(0) if size != 0 => {
            rev.set(flag::EOF, true);
            rev.set(flag::READY, false);
            0
        }
        Ok(n) => {
            // Less than asked for is all there is for now, as nginx takes it.
            if n < size {
                rev.set(flag::READY, false);
            }
            n.cast_signed()
        }
        Err(err) => failed(log, rev, err, "recv"),
    }
}

/// `ngx_send_pt` of every connection.
///
/// # Safety
///
/// `c` is open, `size` bytes at `buf` are readable.
pub unsafe extern "C" fn send(c: *mut ngx_connection_t, buf: *mut u_char, size: usize) -> isize {
    // SAFETY: promised by the caller.
    let (log, wev, n) = unsafe {
        (
            log_of((*c).log),
            &mut *(*c).write,
            socket::send_bytes((*c).fd, buf, size),
        )
    };

    match n {
        Ok(n) => {
            wev.set(flag::READY, n == size);
            n.cast_signed()
        }
        Err(err) => failed(log, wev, err, "send"),
    }
}

fn failed(log: Log, ev: &mut ngx_event_s, err: Errno, call: &str) -> isize {
    ev.set(flag::READY, false);

    if err == Errno::EAGAIN {
        return NGX_AGAIN;
    }

    ev.set(flag::ERROR, true);
    // The other side may go away at any time: that is no news.
    let level = match err {
        Errno::ECONNRESET | Errno::EPIPE | Errno::ENOTCONN | Errno::ETIMEDOUT => Level::Info,
        _ => Level::Alert,
    };
    log.error(level, Some(err), format_args!("{call}() failed"));

    NGX_ERROR
}
