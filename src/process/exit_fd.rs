//! A descriptor for an event loop of the program, `ngx_ipc_exit_fd()`. The
//! descriptor becomes readable when a child in the process table exits, also if
//! SIGCHLD has another handler.
//!
//! The descriptor is an epoll instance that watches a pidfd of each child. A
//! pidfd becomes readable when the child exits, and stays readable when some code
//! has reaped the child, `pidfd_open(2)`. So the descriptor is readable until
//! `ngx_reap_children()` removes the pidfd.

use std::os::fd::{AsRawFd, IntoRawFd, RawFd};
use std::sync::atomic::Ordering::Relaxed;

use nix::errno::Errno;

use crate::config::AtomicPid;
use crate::log::{Level, Log};
use crate::status::{Result, Status};
use crate::sys::epoll;
use crate::sys::nested_epoll::{self, Nested};
use crate::sys::{fd, process};
use crate::table::children;
use crate::table::globals::Globals;
use crate::table::minus_one::MinusOneI32;
use crate::table::slot::{NGX_MAX_PROCESSES, Slot};
use crate::table::slots::{CLOSED, Flag};

/// The epoll instance, or `CLOSED`.
static EPOLL: MinusOneI32 = MinusOneI32::new();
/// An eventfd that the epoll instance watches. It is made readable for a child
/// that has exited before the library could open a pidfd.
static EXITED: MinusOneI32 = MinusOneI32::new();
/// The pid of the process that has made the descriptors.
static OWNER: AtomicPid = AtomicPid::new(0);

/// The pidfd of the child in a slot.
struct Watched {
    /// The pid of the child; 0 if there is no pidfd.
    pid: AtomicPid,
    /// The pidfd, or `CLOSED`.
    fd: MinusOneI32,
}

/// The pidfds of all slots.
static WATCHED: [Watched; NGX_MAX_PROCESSES] = [const {
    Watched {
        pid: AtomicPid::new(0),
        fd: MinusOneI32::new(),
    }
}; NGX_MAX_PROCESSES];

/// The action that has failed, with its errno.
enum Failed {
    Pidfd(Errno),
    Epoll(Errno),
    Watch(Errno),
}

impl Failed {
    fn log(self, log: Log) {
        let (err, text) = match self {
            Self::Pidfd(err) => (err, "pidfd_open() failed"),
            Self::Epoll(err) => (err, "epoll_create() failed"),
            Self::Watch(err) => (err, "epoll_ctl() of a pidfd failed"),
        };

        log.error(Level::Alert, Some(err), format_args!("{text}"));
    }
}

/// Returns the descriptor. The first call makes it. Fails, with an alert in the
/// log, if the kernel or a filter of system calls refuses pidfds, or if no
/// descriptor is free.
pub fn descriptor(g: &Globals, log: Log) -> Result<RawFd> {
    if let Some(epoll) = own_epoll() {
        return Ok(epoll);
    }

    // A process that was forked without the library may have closed its copies
    // and use their numbers for other files.
    take_numbers(|_| {});
    create(g).map_err(|failed| {
        take_numbers(close_one);
        failed.log(log);
        Status::Error
    })?;

    Ok(EPOLL.load(Relaxed))
}

fn create(g: &Globals) -> std::result::Result<(), Failed> {
    let own = process::getpid();

    // There may be no child yet. A pidfd of this process shows whether the system
    // permits pidfds.
    drop(process::pidfd(own).map_err(Failed::Pidfd)?);

    let Nested { epoll, wake } = Nested::new().map_err(Failed::Epoll)?;

    EPOLL.store(epoll.into_raw_fd(), Relaxed);
    EXITED.store(wake.into_raw_fd(), Relaxed);
    OWNER.store(own, Relaxed);

    children::iter(g).try_for_each(|(slot, _)| open(g, slot))
}

/// The epoll instance, if this process has made one. A process that was forked
/// without the library has a copy of its parent's epoll instance, and must not
/// change it. In such a process `ngx_pid` can be the pid of the parent, so this
/// function calls `getpid(2)`.
fn own_epoll() -> Option<RawFd> {
    Some(EPOLL.load(Relaxed)).filter(|&fd| fd != CLOSED && OWNER.load(Relaxed) == process::getpid())
}

/// Makes the epoll instance watch the child that was just started in `slot`. If
/// this fails, an alert is logged, and [`update`] tries again.
pub fn watch(g: &Globals, log: Log, slot: Slot) {
    if own_epoll().is_none() {
        return;
    }

    if let Err(failed) = open(g, slot) {
        failed.log(log);
    }
}

/// Opens a pidfd of the child in `slot`, and makes the epoll instance watch it.
/// Closes the pidfd of an earlier child of the slot. If the child has exited
/// already, makes the descriptor readable.
fn open(g: &Globals, slot: Slot) -> std::result::Result<(), Failed> {
    let (Some(epoll), Some(watched)) = (own_epoll(), WATCHED.get(slot.index())) else {
        return Ok(());
    };
    let entry = g.table.get(slot);

    close(epoll, watched);

    if entry.is(Flag::Exited) {
        epoll::wake(EXITED.load(Relaxed));
        return Ok(());
    }

    let pidfd = match process::pidfd(entry.pid()) {
        Err(Errno::ESRCH) => {
            epoll::wake(EXITED.load(Relaxed));
            return Ok(());
        }
        pidfd => pidfd.map_err(Failed::Pidfd)?,
    };

    nested_epoll::add(epoll, pidfd.as_raw_fd()).map_err(Failed::Watch)?;
    watched.pid.store(entry.pid(), Relaxed);
    watched.fd.store(pidfd.into_raw_fd(), Relaxed);

    Ok(())
}

/// Removes a pidfd from the epoll instance, and closes it.
fn close(epoll: RawFd, watched: &Watched) {
    if watched.pid.swap(0, Relaxed) != 0 {
        let pidfd = watched.fd.swap(CLOSED, Relaxed);

        let _ = nested_epoll::remove(epoll, pidfd);
        let _ = fd::close(pidfd);
    }
}

/// Closes the pidfds of the children that `ngx_reap_children()` has handled, and
/// watches the children that could not be watched before.
pub fn update(g: &Globals) {
    let Some(epoll) = own_epoll() else {
        return;
    };

    epoll::drain(EXITED.load(Relaxed));

    for (slot, watched) in Slot::new(0).and_later().zip(&WATCHED) {
        if watched.pid.load(Relaxed) != g.table.get(slot).pid() || !g.table.is_used(slot) {
            close(epoll, watched);
        }
    }

    for (slot, entry) in children::iter(g) {
        let is_watched = WATCHED
            .get(slot.index())
            .is_some_and(|watched| watched.pid.load(Relaxed) == entry.pid());

        if !is_watched {
            let _ = open(g, slot);
        }
    }
}

/// In a new child: closes its copies of the parent's descriptors. The parent's
/// epoll instance still watches the same pidfds. Async-signal-safe.
#[inline]
pub fn forget() {
    if EPOLL.load(Relaxed) != CLOSED {
        forget_parents();
    }
}

/// Closes the copies if the parent itself has made the descriptors. Otherwise the
/// parent was forked without the library, and may use the numbers for other files.
///
/// This is a function of its own, so that a child that has nothing to close does
/// not load the page with this code.
#[cold]
#[inline(never)]
fn forget_parents() {
    if OWNER.load(Relaxed) == process::getppid() {
        take_numbers(close_one);
    } else {
        take_numbers(|_| {});
    }
}

fn close_one(fd: RawFd) {
    let _ = fd::close(fd);
}

/// Clears all variables that contain a descriptor, and calls `use_one` for each of
/// these descriptors.
fn take_numbers(use_one: impl Fn(RawFd)) {
    for fd in [&EPOLL, &EXITED] {
        let fd = fd.swap(CLOSED, Relaxed);

        if fd != CLOSED {
            use_one(fd);
        }
    }

    for watched in &WATCHED {
        if watched.pid.swap(0, Relaxed) != 0 {
            use_one(watched.fd.swap(CLOSED, Relaxed));
        }
    }
}
