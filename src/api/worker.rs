//! [`Worker`]: what a closure can ask about the process in which it runs.

use std::fmt;
use std::io;
use std::marker::PhantomData;
use std::sync::atomic::Ordering::Relaxed;

use super::commands;
use super::thread::InLoop;
use crate::host::globals::ngx_process_slot;
use crate::host::standalone::cycle::Cycle;
use crate::host::standalone::process_events::process_events_and_timers;
use crate::host::standalone::variables::ngx_worker;

/// The process in which a closure runs.
pub struct Worker {
    // `*mut ()` makes the type neither Send nor Sync: only one thread uses the library.
    one_thread: PhantomData<*mut ()>,
}

impl Worker {
    pub(super) fn new() -> Self {
        Self {
            one_thread: PhantomData,
        }
    }

    /// Returns the slot of the process in the process table.
    #[must_use]
    pub fn slot(&self) -> usize {
        ngx_process_slot.load(Relaxed).unsigned_abs()
    }

    /// Returns the number of the worker of a [`Server`](super::Server), from 0. It is 0
    /// in a process of [`Program::spawn`](super::Program::spawn).
    #[must_use]
    pub fn number(&self) -> u32 {
        // A server has at most 1024 workers.
        ngx_worker.load(Relaxed) as u32
    }

    /// Returns true if this process must exit: a signal or the master has told it to
    /// exit, or the master has exited.
    #[must_use]
    pub fn is_told_to_exit(&self) -> bool {
        commands::is_told_to_exit()
    }

    /// Waits for the next events, and handles them: messages, and the commands of the
    /// master. Returns after each round.
    ///
    /// # Errors
    ///
    /// Fails if a handler calls it, and in a worker of a [`Server`](super::Server), which runs the event loop itself.
    pub fn turn(&self) -> io::Result<()> {
        turn()
    }
}

/// Runs one round of the event loop.
pub fn turn() -> io::Result<()> {
    let _in_loop = InLoop::enter()?;

    process_events_and_timers(Cycle::log_of(Cycle::current()));
    Ok(())
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker")
            .field("slot", &self.slot())
            .field("number", &self.number())
            .finish()
    }
}
