//! [`Process`]: a process that the program has spawned.

use std::cell::Cell;
use std::io;
use std::rc::Rc;

use nix::errno::Errno;

use super::exit::Exit;
use super::thread;
use crate::config::ngx_pid_t;
use crate::host::globals::GLOBALS;
use crate::sys::process;
use crate::table::slot::Slot;
use crate::table::slots::{Flag, ngx_process_t};

/// What the program knows about a process. [`Process`] and the program share it.
#[derive(Debug)]
pub struct Status {
    /// The slot of the process.
    slot: Slot,
    /// The pid of the first process in the slot.
    pid: ngx_pid_t,
    /// Whether the process is started again when it exits.
    is_respawned: bool,
    /// How the process has ended.
    exit: Cell<Option<Exit>>,
}

impl Status {
    pub fn new(slot: Slot, pid: ngx_pid_t, is_respawned: bool) -> Self {
        Self {
            slot,
            pid,
            is_respawned,
            exit: Cell::new(None),
        }
    }

    /// The slot, as long as the process has it.
    fn entry(&self) -> Option<&'static ngx_process_t> {
        let entry = GLOBALS.table.get(self.slot);
        let is_ours = self.is_respawned || entry.pid() == self.pid;

        (self.exit.get().is_none() && is_ours).then_some(entry)
    }

    /// The pid of the process; `None` if it does not run.
    fn running(&self) -> Option<ngx_pid_t> {
        self.entry()
            .filter(|entry| entry.occupied() && !entry.is(Flag::Exited))
            .map(ngx_process_t::pid)
    }

    /// Stores how the process has ended, before the library empties its slot.
    pub fn note_exit(&self) {
        if let Some(entry) = self.entry()
            && !self.is_respawned
            && entry.is(Flag::Exited)
        {
            self.exit.set(Some(Exit::of_status(entry.status())));
        }
    }

    /// Stores that the process has ended, if its slot is empty or belongs to another
    /// process, and it is not known how it has ended.
    pub fn note_gone(&self) {
        let is_gone = match self.is_respawned {
            true => !GLOBALS.table.is_used(self.slot),
            false => self.entry().is_none(),
        };

        if is_gone && self.exit.get().is_none() {
            self.exit.set(Some(Exit::Unknown));
        }
    }
}

/// A process that [`Program::spawn`](super::Program::spawn) or
/// [`Program::keep`](super::Program::keep) has started.
///
/// The process continues to run when this value is dropped, and the program reaps it.
#[derive(Debug)]
pub struct Process(pub(super) Rc<Status>);

impl Process {
    /// Returns the pid of the process; `None` if the process does not run. The pid of
    /// a process that is started again changes.
    #[must_use]
    pub fn id(&self) -> Option<u32> {
        self.0.running().map(i32::unsigned_abs)
    }

    /// Returns the slot of the process in the process table.
    #[must_use]
    pub fn slot(&self) -> usize {
        self.0.slot.index()
    }

    /// Returns how the process has ended; `None` if the program has not reaped it yet.
    #[must_use]
    pub fn exit(&self) -> Option<Exit> {
        self.0.exit.get()
    }

    /// Tells the process to exit gracefully, SIGQUIT.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::NotFound`] if the process does not run.
    pub fn quit(&self) -> io::Result<()> {
        self.signal(libc::SIGQUIT)
    }

    /// Tells the process to exit at once, SIGTERM. The closure of the process asks
    /// [`Worker::is_told_to_exit`](super::Worker::is_told_to_exit).
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::NotFound`] if the process does not run.
    pub fn terminate(&self) -> io::Result<()> {
        self.signal(libc::SIGTERM)
    }

    /// Ends the process, SIGKILL.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::NotFound`] if the process does not run.
    pub fn kill(&self) -> io::Result<()> {
        self.signal(libc::SIGKILL)
    }

    fn signal(&self, signo: i32) -> io::Result<()> {
        thread::claim()?;

        let pid = self.0.running().ok_or(io::ErrorKind::NotFound)?;
        let is_ours = || self.0.running() == Some(pid);

        process::kill_child(pid, signo, is_ours).map_err(|err| match err {
            Errno::ESRCH => io::ErrorKind::NotFound.into(),
            err => err.into(),
        })
    }
}
