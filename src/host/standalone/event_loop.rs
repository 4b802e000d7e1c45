//! The event loop of a process: keeps the connections and the epoll instance.

use std::ffi::c_int;
use std::fmt;
use std::os::fd::RawFd;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicI32};

use nix::errno::Errno;

use super::by_fd::ByFd;
use super::connection::Connection;
use super::connection_array::{self, ConnectionArray};
use super::cycle::Cycle;
use super::entry::ENTRY_SIZE;
use super::event::Event;
use super::variables::ngx_pid;
use super::{hooks, wake_up};
use crate::config::{AtomicPid, ngx_pid_t};
use crate::log::{Level, Log};
use crate::status::{Result, Status};
use crate::sys::epoll::Epoll;
use crate::sys::heap;
use crate::sys::lock::Lock;
use crate::table::globals::own_pid;

/// The event loop of one process.
struct Loop {
    epoll: Epoll,
    /// The pid of the process that has made the loop. A forked child makes a
    /// loop of its own.
    owner: ngx_pid_t,
    /// All connections that were made for this loop. The index of a connection
    /// is its position here.
    entries: Vec<Connection>,
    /// The memory of the first connections of `entries`.
    array: ConnectionArray,
    /// The list of the connections of `entries` that are not in use.
    unused: Option<Connection>,
    /// The list of the connections that the ancestors of this process have
    /// made. The loop does not use these connections, but keeps them, because C
    /// can still have pointers to them.
    inherited: Option<Connection>,
    /// The open connections that epoll watches or has watched, by descriptor.
    by_fd: ByFd,
}

static LOOP: Lock<Option<Loop>> = Lock::new(None);

/// The owner and the descriptors of the event loop. Each round of the loop reads them,
/// without the lock.
static OWNER: AtomicPid = AtomicPid::new(0);
static WAITER: AtomicI32 = AtomicI32::new(-1);
static WAKER: AtomicI32 = AtomicI32::new(-1);

/// Whether this process or an ancestor has made an event loop.
static MADE: AtomicBool = AtomicBool::new(false);

/// Whether the event loop of this process, or that of an ancestor, watches the sockets
/// of [`watch_full`].
static WATCHES_FULL: AtomicBool = AtomicBool::new(false);

/// Makes the event loop of this process, unless there is one already.
pub fn create(log: Log) -> Result {
    with_loop(log, |_| ())
}

/// Returns the descriptor on which the event loop waits, and the eventfd that
/// wakes the event loop up. Makes the loop if the process has none.
pub fn descriptors(log: Log) -> Result<(RawFd, RawFd)> {
    if OWNER.load(Relaxed) != own_pid(&ngx_pid) {
        create(log)?;
    }

    Ok((WAITER.load(Relaxed), WAKER.load(Relaxed)))
}

/// Makes the wait of the event loop return when one of `sockets`, which are
/// full, has room. If this fails, the timer of the queue still expires.
pub fn watch_full(log: Log, sockets: Vec<RawFd>) {
    WATCHES_FULL.store(!sockets.is_empty(), Relaxed);

    let _ = with_loop(log, |this| this.epoll.watch_full(sockets));
}

/// Whether the event loop watches sockets that were full. Then [`watch_full`] must be
/// called when they are not full any more.
pub fn watches_full() -> bool {
    WATCHES_FULL.load(Relaxed)
}

/// Takes the events of the sockets of [`watch_full`]. The caller then sends the
/// queued messages.
pub fn take_full(log: Log) {
    if watches_full() {
        take_full_now(log);
    }
}

#[cold]
fn take_full_now(log: Log) {
    let _ = with_loop(log, |this| this.epoll.take_full());
}

/// Takes an entry for a new connection out of the list of unused entries, or
/// makes one. No other function allocates memory for connections.
///
/// Returns an error, with an emergency in the log, if there is no memory.
pub fn take_entry(log: Log) -> Result<Connection> {
    with_loop(log, Loop::take_entry)?.map_err(|err| {
        let text = format_args!("malloc({ENTRY_SIZE}) failed");

        log.fail(Level::Emerg, err, text)
    })
}

/// Finds the connection for which the kernel reports an event with `key`;
/// `None` if the connection has been closed meanwhile.
pub fn find(log: Log, key: u64) -> Option<Connection> {
    with_loop(log, |this| this.find(key)).ok().flatten()
}

/// Finds the connection with the descriptor `fd` that epoll watches or has
/// watched.
pub fn find_by_fd(fd: RawFd) -> Option<Connection> {
    own_loop(&mut LOOP.lock()).and_then(|this| this.by_fd.find(fd))
}

/// Returns the open connections of this process. A connection that is opened or
/// closed while the result is used may be missing.
pub fn open_connections() -> impl Iterator<Item = Connection> {
    let count = own_loop(&mut LOOP.lock()).map_or(0, |this| this.entries.len());
    let entry = |index: usize| own_loop(&mut LOOP.lock())?.entries.get(index).copied();

    (0..count).filter_map(entry).filter(|c| c.is_open())
}

/// Makes epoll stop watching a connection, and keeps the entry of the
/// connection for a later connection.
pub fn release(c: Connection) {
    if let Some(this) = own_loop(&mut LOOP.lock()) {
        this.release(c);
    }

    c.mark_closed();
}

/// In a new child: closes its copies of the descriptors of the parent's event
/// loop. With these copies, a child that makes no event loop of its own could
/// change which descriptors the parent watches. Async-signal-safe.
fn close_parents() {
    // To take the lock is a store, and the kernel copies the page for a store.
    // So the function first checks whether there is an event loop.
    if !MADE.load(Relaxed) {
        return;
    }

    if let Some(parents) = LOOP.lock().as_mut() {
        OWNER.store(0, Relaxed);
        parents.epoll.close();

        if let Some(cycle) = Cycle::current() {
            connection_array::clear(cycle);
        }
    }
}

/// Stores the array of the connections of this process in `cycle`, a new cycle.
pub fn publish(cycle: Cycle) {
    if let Some(this) = own_loop(&mut LOOP.lock()) {
        this.array.publish(this.entries.len(), cycle);
    }
}

/// Calls `use_it` with the event loop of this process. Makes the loop if the
/// process has none.
///
/// `use_it` must not call a handler of the program. The handler could use the
/// event loop, which is locked while `use_it` runs.
fn with_loop<T>(log: Log, use_it: impl FnOnce(&mut Loop) -> T) -> Result<T> {
    let mut guard = LOOP.lock();

    if own_loop(&mut guard).is_none()
        && let Err(err) = make(&mut guard)
    {
        // A log line can call a function of the program, which must not find the loop
        // locked.
        drop(guard);
        return Err(log.fail(Level::Emerg, err, format_args!("epoll_create() failed")));
    }

    guard
        .as_mut()
        .map_or(Err(Status::Error), |this| Ok(use_it(this)))
}

/// Makes the event loop of this process. In a forked child, `this` is the copy of the
/// parent's loop.
///
/// The function has a frame of its own, because the frame is large: a round of the
/// loop must not touch so many pages of the stack.
#[cold]
#[inline(never)]
fn make(this: &mut Option<Loop>) -> std::result::Result<(), Errno> {
    let epoll = Epoll::new()?;

    wake_up::set_waker(epoll.waker());
    WAITER.store(epoll.waiter(), Relaxed);
    WAKER.store(epoll.waker(), Relaxed);
    OWNER.store(own_pid(&ngx_pid), Relaxed);

    let parents = this.take();

    *this = Some(Loop::new(epoll, parents));
    MADE.store(true, Relaxed);
    hooks::CLOSE_PARENTS.set(&(close_parents as fn()));

    Ok(())
}

/// Returns the event loop of this process, if the process has one. A forked
/// child must not use the copy of its parent's loop, because the copy has the
/// epoll instance of the parent.
fn own_loop(this: &mut Option<Loop>) -> Option<&mut Loop> {
    let own = own_pid(&ngx_pid);

    this.as_mut().filter(|this| this.owner == own)
}

impl Loop {
    /// Makes a loop of this process. In a forked child, `parents` is the copy
    /// of the parent's loop: the child's copies of its descriptors are closed,
    /// and its connections are marked as closed.
    fn new(epoll: Epoll, parents: Option<Self>) -> Self {
        let (entries, mut inherited) = match parents {
            Some(parents) => (parents.entries, parents.inherited),
            None => (Vec::new(), None),
        };

        for c in entries {
            c.mark_closed();
            c.set_known_as(None);
            c.set_next(inherited.replace(c));
        }

        Self {
            epoll,
            owner: own_pid(&ngx_pid),
            entries: Vec::new(),
            array: ConnectionArray::New,
            unused: None,
            inherited,
            by_fd: ByFd::empty(),
        }
    }

    fn take_entry(&mut self) -> std::result::Result<Connection, Errno> {
        if let Some(c) = self.unused {
            self.unused = c.next();
            c.set_next(None);
            return Ok(c);
        }

        self.entries.try_reserve(1).or(Err(Errno::ENOMEM))?;

        let index = self.entries.len();
        let place = match self.array.place(index) {
            Some(place) => place,
            None => heap::allocate(ENTRY_SIZE)?,
        };

        // SAFETY: the place has the size of an entry, and no other entry has it.
        let c = unsafe { Connection::at(place, u32::try_from(index).unwrap_or(u32::MAX)) };

        self.entries.push(c);

        if let Some(cycle) = Cycle::current() {
            self.array.publish(self.entries.len(), cycle);
        }

        Ok(c)
    }

    fn find(&self, key: u64) -> Option<Connection> {
        let index = usize::try_from(key & u64::from(u32::MAX)).ok()?;
        let c = *self.entries.get(index)?;

        c.is_open_as(key).then_some(c)
    }

    /// Keeps the entry of `c` for a later connection if `c` is a proxy: the program has
    /// closed the descriptor, and another connection has it now.
    fn release_proxy(&mut self, c: Connection) {
        if c.program().is_some() {
            c.set_watched(0);
            self.release(c);
            c.mark_closed();
        }
    }

    fn release(&mut self, c: Connection) {
        if c.watched() != 0 {
            // The call fails if the descriptor is closed already. Then epoll
            // has dropped the descriptor, or another process keeps the file
            // open, and epoll_ctl(2) has no way to drop it.
            let _ = self.epoll.remove(c.fd());
        }

        self.by_fd.remove(c);

        // An entry that the parent's loop has made is not used again in this
        // loop.
        if self.entries.get(c.index()) == Some(&c) {
            c.set_next(self.unused.replace(c));
        }
    }
}

/// Tells epoll to do `op` with the descriptor of `c`: to watch it for `events`.
/// The inner result is that of epoll_ctl(2).
pub fn control(
    c: Connection,
    log: Log,
    op: c_int,
    events: u32,
) -> Result<std::result::Result<(), Errno>> {
    with_loop(log, |this| {
        this.epoll.ctl(op, c.fd(), events, c.key())?;
        c.set_watched(events);

        if let Some(other) = this.by_fd.add(c) {
            this.release_proxy(other);
        }

        Ok(())
    })
}

/// Prints an event in a log line as the descriptor of its connection, or as -1
/// if the event does not belong to a connection of this loop. The descriptor is
/// looked up when the line is written.
pub struct Ident(pub Event);

impl fmt::Display for Ident {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        open_connections()
            .find(|c| c.read() == self.0 || c.write() == self.0)
            .map_or(-1, Connection::fd)
            .fmt(f)
    }
}
