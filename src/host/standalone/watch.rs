//! Tells epoll for which events of a connection to watch, and how.

use std::ffi::c_int;

use super::connection::Connection;
use super::event::Event;
use super::event_loop;
use super::types::flag;
use crate::log::{Debug, Level, Log};
use crate::status::Result;
use crate::sys::epoll;

/// The flag of `ngx_add_event()` for an edge-triggered event, `NGX_CLEAR_EVENT`.
const CLEAR: u32 = libc::EPOLLET as u32;
/// The flag of `ngx_add_event()` for a descriptor that several processes watch, of
/// which the kernel wakes up only some, `NGX_EXCLUSIVE_EVENT`.
const EXCLUSIVE: u32 = libc::EPOLLEXCLUSIVE as u32;
/// The flag of `ngx_del_event()` for a descriptor that the program closes next,
/// `NGX_CLOSE_EVENT`.
const CLOSE: u32 = 1;

/// Makes epoll watch the descriptor of a connection for the events of the
/// connection that are active.
///
/// Returns an error, with an alert in the log, if epoll_ctl(2) fails.
pub fn watch(c: Connection, log: Log) -> Result {
    if c.is_of_datagram() || c.watched() == wanted(c) {
        return Ok(());
    }

    control(c, log)
}

/// Makes epoll watch for `event` if the event is not ready, or stop watching if
/// it is.
///
/// This is nginx's rule for level-triggered events: otherwise epoll would
/// report a ready descriptor again and again. epoll reports an edge-triggered
/// event once, so such an event stays watched. `event` is the read event or the
/// write event of `c`.
pub fn update(c: Connection, event: Event) -> Result {
    let is_wanted = !event.has(flag::READY) || is_edge_triggered(c) && event.has(flag::ACTIVE);
    let is_watched = c.watched() & mask_of(event) != 0;

    // A program calls this function after each request, and mostly nothing changes.
    if is_wanted == is_watched && event.has(flag::ACTIVE) == is_wanted {
        return Ok(());
    }

    event.assign(flag::ACTIVE, is_wanted);

    watch(c, event.log())
}

/// Makes epoll watch for `event`: the read event or the write event of `c`.
/// `flags` can have `CLEAR` and `EXCLUSIVE`, which apply to both events of `c`,
/// because epoll has one set of flags for a descriptor.
///
/// If epoll watches for the event already, an event that has happened is reported
/// again. Returns an error, with an alert in the log, if epoll_ctl(2) fails.
pub fn add(c: Connection, event: Event, flags: u32) -> Result {
    let was_active = event.has(flag::ACTIVE);

    event.set(flag::ACTIVE);
    c.set_trigger(trigger_of(flags));

    control(c, event.log()).inspect_err(|_| event.assign(flag::ACTIVE, was_active))
}

/// Makes epoll stop watching for `event`: the read event or the write event of
/// `c`. With `CLOSE` in `flags`, the kernel does that when the program closes the
/// descriptor.
pub fn delete(c: Connection, event: Event, flags: u32) -> Result {
    event.clear(flag::ACTIVE);

    if flags & CLOSE != 0 {
        return Ok(());
    }

    watch(c, event.log())
}

/// Makes epoll watch for both events of `c`, edge-triggered.
pub fn add_both(c: Connection) -> Result {
    c.write().set(flag::ACTIVE);

    add(c, c.read(), CLEAR).inspect_err(|_| c.write().clear(flag::ACTIVE))
}

/// Makes epoll stop watching for both events of `c`. `flags` are those of
/// [`delete`].
pub fn delete_both(c: Connection, flags: u32) -> Result {
    c.write().clear(flag::ACTIVE);

    delete(c, c.read(), flags)
}

fn mask_of(event: Event) -> u32 {
    if event.has(flag::WRITE) {
        epoll::WRITE
    } else {
        epoll::READ
    }
}

/// The flags of `ngx_add_event()` that epoll gets. The number of `NGX_ONESHOT_EVENT`,
/// which nginx's epoll does not support, has the bit of [`EXCLUSIVE`] too.
fn trigger_of(flags: u32) -> u32 {
    if flags & libc::EPOLLONESHOT as u32 != 0 {
        flags & CLEAR
    } else {
        flags & (CLEAR | EXCLUSIVE)
    }
}

fn is_edge_triggered(c: Connection) -> bool {
    c.trigger() & CLEAR != 0
}

/// Returns the events for which epoll must watch the descriptor of a
/// connection.
fn wanted(c: Connection) -> u32 {
    let mut mask = 0;

    if c.read().has(flag::ACTIVE) {
        mask |= epoll::READ;
    }

    if c.read().has(flag::ACTIVE | flag::ACCEPT) {
        // With EPOLLEXCLUSIVE the kernel does not wake up all workers for one
        // new connection.
        mask = epoll::EXCLUSIVE_READ;
    }

    if c.trigger() & EXCLUSIVE != 0 {
        // The kernel refuses EPOLLRDHUP together with EPOLLEXCLUSIVE.
        mask &= epoll::EXCLUSIVE_READ;
    }

    if c.write().has(flag::ACTIVE) {
        mask |= epoll::WRITE;
    }

    if mask != 0 {
        mask |= c.trigger();
    }

    mask
}

/// Tells epoll about the active events of `c`, also if they are those that epoll
/// watches for already.
fn control(c: Connection, log: Log) -> Result {
    let (old, new) = (c.watched(), wanted(c));
    let op = match (old, new) {
        (0, 0) => return Ok(()),
        (0, _) => libc::EPOLL_CTL_ADD,
        (_, 0) => libc::EPOLL_CTL_DEL,
        _ => libc::EPOLL_CTL_MOD,
    };

    log_change(c, log, op, new);

    event_loop::control(c, log, op, new)?.map_err(|err| {
        log.fail(
            Level::Alert,
            err,
            format_args!("epoll_ctl({op}, {}) failed", c.fd()),
        )
    })
}

fn log_change(c: Connection, log: Log, op: c_int, events: u32) {
    let what = if op == libc::EPOLL_CTL_DEL {
        "del"
    } else {
        "add"
    };

    log.debug(
        Debug::Event,
        format_args!("epoll {what} event: fd:{} op:{op} ev:{events:08X}", c.fd()),
    );
}
