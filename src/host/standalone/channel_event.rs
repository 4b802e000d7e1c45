//! Adds channels to the event loop.

use super::connections;
use super::log::ErrorLog;
use super::palloc::Pool;
use super::types::{flag, ngx_event_handler_pt};
use super::watch;
use crate::config::{ngx_fd_t, ngx_int_t, numbers};
use crate::status::Result;
use crate::sys::epoll;

/// `NGX_READ_EVENT` of `ngx_event.h`.
pub const READ_EVENT: ngx_int_t = numbers::NGX_READ_EVENT as ngx_int_t;
/// `NGX_WRITE_EVENT` of `ngx_event.h`.
const WRITE_EVENT: ngx_int_t = numbers::NGX_WRITE_EVENT as ngx_int_t;

const _: () = assert!(
    READ_EVENT.unsigned_abs() == epoll::READ as usize
        && WRITE_EVENT.unsigned_abs() == epoll::WRITE as usize
);

/// Makes the event loop call `handler` when the channel `fd` is readable, if
/// `event` is [`READ_EVENT`], or writable, if `event` is `WRITE_EVENT`.
///
/// `log` and `pool` become the log and the pool of the new connection, and live
/// as long as the connection. If the function fails, it logs an alert and
/// changes nothing.
pub fn add(
    fd: ngx_fd_t,
    event: ngx_int_t,
    handler: ngx_event_handler_pt,
    log: Option<ErrorLog>,
    pool: Option<Pool>,
) -> Result {
    if handler.is_none() || !matches!(event, READ_EVENT | WRITE_EVENT) {
        return Err(ErrorLog::log_of(log).refuse(format_args!(
            "no handler or no such event {event} for channel {fd}"
        )));
    }

    let c = connections::get(fd, log)?;

    c.set_pool(pool);
    c.read().set(flag::CHANNEL);
    c.write().set(flag::CHANNEL);

    let wanted = if event == READ_EVENT {
        c.read()
    } else {
        c.write()
    };

    wanted.set_handler(handler);
    wanted.set(flag::ACTIVE);

    watch::watch(c, ErrorLog::log_of(log)).inspect_err(|_| connections::free(c))
}
