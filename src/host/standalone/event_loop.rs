//! The event loop of a process: its connections, and which descriptors epoll
//! watches for them.

use std::collections::BTreeMap;
use std::fmt;
use std::os::fd::RawFd;

use super::connection::Connection;
use super::event::Event;
use super::types::flag;
use super::variables::ngx_pid;
use super::wake_up;
use crate::config::ngx_pid_t;
use crate::log::{Debug, Level, Log};
use crate::status::{Result, Status};
use crate::sys::epoll::{self, Epoll};
use crate::sys::lock::Lock;
use crate::table::globals::own_pid;

/// The loop of one process.
struct Loop {
    epoll: Epoll,
    /// The process that made it: a child makes its own.
    owner: ngx_pid_t,
    /// All that were made for this loop, in the order of their index.
    entries: Vec<Connection>,
    /// Those of `entries` that are not in use.
    free: Vec<Connection>,
    /// Those of the loops of its ancestors. Nothing is done with them, but C
    /// may still have pointers to them.
    inherited: Vec<Connection>,
    /// The connections that epoll watches, or has watched.
    by_fd: BTreeMap<RawFd, Connection>,
}

static LOOP: Lock<Option<Loop>> = Lock::new(None);

/// Makes the event loop of this process, unless there is one already.
pub fn create(log: Log) -> Result {
    with_loop(log, |_| ())
}

/// The descriptor to wait on, and the one that wakes up from there.
pub fn descriptors(log: Log) -> Result<(RawFd, RawFd)> {
    with_loop(log, |this| (this.epoll.waiter(), this.epoll.waker()))
}

/// Makes the wait return when one of these sockets, which are full, has room.
/// If that fails, a timer is left.
pub fn watch_full(log: Log, sockets: Vec<RawFd>) {
    let _ = with_loop(log, |this| this.epoll.watch_full(sockets));
}

/// Takes the events of [`watch_full`]: what waits is sent after that.
pub fn take_full(log: Log) {
    let _ = with_loop(log, |this| this.epoll.take_full());
}

/// An entry for a new connection.
pub fn take_entry(log: Log) -> Result<Connection> {
    with_loop(log, Loop::take_entry)
}

/// The connection that the kernel reports an event for under `key`; `None` if
/// it has been closed meanwhile.
pub fn find(log: Log, key: u64) -> Option<Connection> {
    with_loop(log, |this| this.find(key)).ok().flatten()
}

/// The connection that epoll watches `fd` for.
pub fn find_by_fd(fd: RawFd) -> Option<Connection> {
    own_loop(&mut LOOP.lock()).and_then(|this| this.by_fd.get(&fd).copied())
}

/// The open connections of this process.
pub fn open_connections() -> Vec<Connection> {
    own_loop(&mut LOOP.lock()).map_or_else(Vec::new, |this| {
        this.entries
            .iter()
            .copied()
            .filter(|c| c.is_open())
            .collect()
    })
}

/// Stops watching a connection, and keeps its entry for another one.
pub fn release(c: Connection) {
    if let Some(this) = own_loop(&mut LOOP.lock()) {
        this.release(c);
    }

    c.mark_closed();
}

/// Runs `use_it` with the loop of this process, which is made when it is first
/// needed.
///
/// `use_it` must not call a handler of the program: that would find the loop
/// locked.
fn with_loop<T>(log: Log, use_it: impl FnOnce(&mut Loop) -> T) -> Result<T> {
    let mut guard = LOOP.lock();

    if own_loop(&mut guard).is_none() {
        let epoll = match Epoll::new() {
            Ok(epoll) => epoll,
            Err(err) => {
                // The line may go to a function of the program, which must not
                // find the loop locked.
                drop(guard);
                return Err(log.fail(Level::Emerg, err, format_args!("epoll_create() failed")));
            }
        };

        wake_up::set_waker(epoll.waker());

        let parents = guard.take();

        *guard = Some(Loop::new(epoll, parents));
    }

    guard
        .as_mut()
        .map_or(Err(Status::Error), |this| Ok(use_it(this)))
}

/// The loop of this process, if it has one. A forked child has a copy of its
/// parent's loop, which it must not use: both have the same epoll instance.
fn own_loop(this: &mut Option<Loop>) -> Option<&mut Loop> {
    let own = own_pid(&ngx_pid);

    this.as_mut().filter(|this| this.owner == own)
}

impl Loop {
    /// A loop of this process. In a forked child the parent's loop is closed,
    /// and its connections with it.
    fn new(epoll: Epoll, parents: Option<Self>) -> Self {
        let inherited: Vec<_> = parents.map_or_else(Vec::new, |parents| {
            parents
                .inherited
                .into_iter()
                .chain(parents.entries)
                .collect()
        });

        for c in &inherited {
            c.mark_closed();
        }

        Self {
            epoll,
            owner: own_pid(&ngx_pid),
            entries: Vec::new(),
            free: Vec::new(),
            inherited,
            by_fd: BTreeMap::new(),
        }
    }

    fn take_entry(&mut self) -> Connection {
        if let Some(c) = self.free.pop() {
            return c;
        }

        let c = Connection::new(u32::try_from(self.entries.len()).unwrap_or(u32::MAX));

        self.entries.push(c);

        c
    }

    fn find(&self, key: u64) -> Option<Connection> {
        let index = usize::try_from(key & u64::from(u32::MAX)).ok()?;
        let c = *self.entries.get(index)?;

        (c.is_open() && c.key() == key).then_some(c)
    }

    fn release(&mut self, c: Connection) {
        if c.watched() != 0 {
            // This fails if the descriptor is closed already. Then epoll has
            // dropped it, or another process keeps its file open, and epoll
            // cannot be told.
            let _ = self.epoll.remove(c.fd());
        }

        if self.by_fd.get(&c.fd()) == Some(&c) {
            self.by_fd.remove(&c.fd());
        }

        // An entry of the parent's loop is not for this one.
        if self.entries.get(c.index()) == Some(&c) {
            self.free.push(c);
        }
    }
}

/// Makes epoll watch a connection for what its active events wait for.
///
/// A failure is an alert in the log.
pub fn watch(c: Connection, log: Log) -> Result {
    let (old, new) = (c.watched(), wanted(c));

    if old == new {
        return Ok(());
    }

    let op = match (old, new) {
        (0, _) => libc::EPOLL_CTL_ADD,
        (_, 0) => libc::EPOLL_CTL_DEL,
        _ => libc::EPOLL_CTL_MOD,
    };
    let what = if op == libc::EPOLL_CTL_DEL {
        "del"
    } else {
        "add"
    };
    let fd = c.fd();

    log.debug(
        Debug::Event,
        format_args!("epoll {what} event: fd:{fd} op:{op} ev:{new:08X}"),
    );

    let changed = with_loop(log, |this| {
        this.epoll.ctl(op, fd, new, c.key())?;
        this.by_fd.insert(fd, c);
        c.set_watched(new);

        Ok(())
    })?;

    changed.map_err(|err| {
        log.fail(
            Level::Alert,
            err,
            format_args!("epoll_ctl({op}, {fd}) failed"),
        )
    })
}

/// What epoll is to watch a connection for.
fn wanted(c: Connection) -> u32 {
    let mut mask = 0;

    if c.read().has(flag::ACTIVE) {
        mask |= epoll::READ;
    }

    if c.read().has(flag::ACTIVE | flag::ACCEPT) {
        // Not every worker that waits for a new connection shall wake up.
        mask = epoll::EXCLUSIVE_READ;
    }

    if c.write().has(flag::ACTIVE) {
        mask |= epoll::WRITE;
    }

    mask
}

/// Watches for an event that has not happened yet, and no longer for one that
/// has.
///
/// This is nginx's rule for level-triggered events: epoll would report a ready
/// descriptor again and again. `event` is one of the two of `c`.
pub fn update(c: Connection, event: Event) -> Result {
    event.assign(flag::ACTIVE, !event.has(flag::READY));

    watch(c, event.log())
}

/// How a log line names an event: by the descriptor of its connection, -1 if
/// it is not one of a connection of this loop. It is found when the line is
/// written.
pub struct Ident(pub Event);

impl fmt::Display for Ident {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        open_connections()
            .into_iter()
            .find(|c| c.read() == self.0 || c.write() == self.0)
            .map_or(-1, Connection::fd)
            .fmt(f)
    }
}
