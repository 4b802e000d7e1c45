//! [`Process`]: a process that the program has spawned.

use std::cell::Cell;
use std::io;
use std::rc::Rc;

use nix::errno::Errno;

use super::exit::Exit;
use super::thread;
use crate::config::ngx_pid_t;
use crate::host::globals::GLOBALS;
use crate::process_cycle::signal_workers::end_process;
use crate::sys::process;
use crate::table::slot::Slot;
use crate::table::slots::{Flag, ngx_process_t};

/// How often a process is started.
#[derive(Clone, Copy, Debug)]
pub enum Start {
    /// Once; this is its pid.
    Once(ngx_pid_t),
    /// Again when it exits.
    Again,
}

/// What the program knows about a process. [`Process`] and the program share it.
#[derive(Debug)]
pub struct Status {
    /// The slot of the process.
    slot: Slot,
    /// The process that has started the process. Its children have a copy of this
    /// structure, which is not updated.
    parent: ngx_pid_t,
    start: Start,
    /// How the process has ended.
    exit: Cell<Option<Exit>>,
}

impl Status {
    pub fn new(slot: Slot, start: Start) -> Self {
        Self {
            slot,
            parent: process::getpid(),
            start,
            exit: Cell::new(None),
        }
    }

    /// The slot, as long as the process has it. `None` in another process than its
    /// parent.
    fn entry(&self) -> Option<&'static ngx_process_t> {
        let entry = GLOBALS.table.get(self.slot);
        let is_of_process = match self.start {
            Start::Once(pid) => entry.pid() == pid,
            Start::Again => entry.occupied() || entry.is_reserved(),
        };

        (self.exit.get().is_none()
            && self.is_parent()
            && GLOBALS.table.is_used(self.slot)
            && is_of_process)
            .then_some(entry)
    }

    fn is_parent(&self) -> bool {
        self.parent == process::getpid()
    }

    /// The pid of the process; `None` if it does not run.
    fn running(&self) -> Option<ngx_pid_t> {
        self.entry()
            .filter(|entry| entry.occupied() && !entry.is(Flag::Exited))
            .map(ngx_process_t::pid)
    }

    /// Stores how the process has ended, if it has no slot any more. No other process
    /// can have got its slot since the last call.
    pub fn note_gone(&self) {
        if self.exit.get().is_none() && self.is_parent() && self.entry().is_none() {
            // An empty slot keeps the status of its last process.
            let status = GLOBALS.table.get(self.slot).status();

            self.exit.set(Some(Exit::of_status(status)));
        }
    }

    /// Sends a signal that makes the process exit. The process is not started again.
    fn end(&self, signo: i32) -> io::Result<()> {
        let is_started_again = matches!(self.start, Start::Again) && self.entry().is_some();

        if self.running().is_none() && !is_started_again {
            return Err(io::ErrorKind::NotFound.into());
        }

        end_process(&GLOBALS, signo, self.slot)?;
        self.note_gone();
        Ok(())
    }
}

/// A process that [`Program::spawn`](super::Program::spawn) or
/// [`Program::keep`](super::Program::keep) has started.
///
/// The process continues to run when this value is dropped, and the program reaps it.
///
/// Only the process that has started it can use this value. In the copy that a closure
/// has, [`Process::id`] returns `None`, and a signal is an error.
#[derive(Debug)]
pub struct Process(pub(super) Rc<Status>);

impl Process {
    /// Returns the pid of the process; `None` if the process does not run. The pid of
    /// a process that is started again changes.
    ///
    /// A process that has exited does not run, also while [`Process::exit`] returns `None`
    /// because the program has not reaped the process.
    #[must_use]
    pub fn id(&self) -> Option<u32> {
        self.0.running().map(i32::unsigned_abs)
    }

    /// Returns the slot of the process in the process table.
    #[must_use]
    pub fn slot(&self) -> usize {
        self.0.slot.index()
    }

    /// Returns how the process has ended; `None` if the program has not reaped it yet, or
    /// starts it again.
    #[must_use]
    pub fn exit(&self) -> Option<Exit> {
        self.0.exit.get()
    }

    /// Tells the process to exit gracefully, SIGQUIT. A process of
    /// [`Program::keep`](super::Program::keep) is not started again, also if it does not
    /// run now.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::NotFound`] if the process has ended.
    pub fn quit(&self) -> io::Result<()> {
        thread::claim()?;
        self.0.end(libc::SIGQUIT)
    }

    /// Tells the process to exit at once, SIGTERM. The closure of the process asks
    /// [`Worker::is_told_to_exit`](super::Worker::is_told_to_exit). A process of
    /// [`Program::keep`](super::Program::keep) is not started again, also if it does not
    /// run now.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::NotFound`] if the process has ended.
    pub fn terminate(&self) -> io::Result<()> {
        thread::claim()?;
        self.0.end(libc::SIGTERM)
    }

    /// Ends the process, SIGKILL. A process of [`Program::keep`](super::Program::keep) is
    /// started again.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::NotFound`] if the process does not run.
    pub fn kill(&self) -> io::Result<()> {
        thread::claim()?;

        let pid = self.0.running().ok_or(io::ErrorKind::NotFound)?;
        let is_ours = || self.0.running() == Some(pid);

        process::kill_child(pid, libc::SIGKILL, is_ours).map_err(|err| match err {
            Errno::ESRCH => io::ErrorKind::NotFound.into(),
            err => err.into(),
        })
    }
}
