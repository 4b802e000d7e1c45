//! The one thread that may call the library, and the one thread that may be forked.
//!
//! The library is for programs with one thread: its process table, its event loop and
//! its messages have no locks, and a forked child has only the thread that has called
//! `fork(2)`. The first call of this interface makes the calling thread the owner. The
//! functions of this interface fail in all other threads. A child that the owner has
//! forked keeps the owner's thread-local variables, so the child is the owner, too.

use std::cell::Cell;
use std::io;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;

use super::error;
use crate::sys::{time, wait};

/// Whether a thread of this process is the owner.
static CLAIMED: AtomicBool = AtomicBool::new(false);

thread_local! {
    /// Whether this thread is the owner.
    static IS_OWNER: Cell<bool> = const { Cell::new(false) };
    /// Whether the program has been started, with `Program::init` or `Builder::run`.
    static STARTED: Cell<bool> = const { Cell::new(false) };
    /// Whether this thread is in the event loop.
    static IN_LOOP: Cell<bool> = const { Cell::new(false) };
}

/// Makes this thread the owner, or checks that it is. Returns an error if another
/// thread is the owner.
pub fn claim() -> io::Result<()> {
    if IS_OWNER.get() {
        return Ok(());
    }

    if CLAIMED.swap(true, Relaxed) {
        return Err(error::other("another thread uses the library"));
    }

    IS_OWNER.set(true);
    Ok(())
}

/// Returns true if this thread is the owner.
pub fn is_owner() -> bool {
    IS_OWNER.get()
}

/// Checks that this process can fork: it has no thread apart from the owner, which
/// calls this function. A lock that another thread holds would never be unlocked in
/// the child.
pub fn check_alone() -> io::Result<()> {
    claim()?;

    for _ in 0..PATIENCE {
        if threads()? == 1 {
            return Ok(());
        }

        time::pause(1);
    }

    Err(error::other("a process with several threads cannot fork"))
}

/// The milliseconds for which a thread can remain after `JoinHandle::join` has returned:
/// the kernel removes it from `/proc` a bit later.
const PATIENCE: usize = 20;

/// Returns true if this process has one thread now.
pub fn is_alone() -> bool {
    wait::threads() == Ok(1)
}

fn threads() -> io::Result<u64> {
    wait::threads().map_err(|err| {
        let err = io::Error::from(err);

        io::Error::new(
            err.kind(),
            format!("the threads cannot be counted in /proc/self/task: {err}"),
        )
    })
}

/// Marks the program as started. Returns an error if it was started before.
pub fn start() -> io::Result<()> {
    check_alone()?;

    if STARTED.replace(true) {
        return Err(error::other("the program has been started already"));
    }

    Ok(())
}

/// This thread is in the event loop as long as the value lives.
#[derive(Debug)]
pub struct InLoop(());

impl InLoop {
    /// Enters the event loop. Returns an error in a function that the event loop has
    /// called, because the event loop would call the same function again.
    pub fn enter() -> io::Result<Self> {
        claim()?;

        if IN_LOOP.replace(true) {
            return Err(error::other("a handler cannot run the event loop"));
        }

        Ok(Self(()))
    }

    /// Tells a new child that it is not in the event loop, even if its parent is.
    pub fn leave_in_child() {
        IN_LOOP.set(false);
    }
}

impl Drop for InLoop {
    fn drop(&mut self) {
        IN_LOOP.set(false);
    }
}
