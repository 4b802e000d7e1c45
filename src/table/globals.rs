//! References to nginx's global variables, for the core.
//!
//! The variables are C data. A signal handler can read and write them between
//! any two instructions, so the core uses them as atomics. All accesses are
//! `Relaxed`: the program has one thread, so an access need not be ordered with
//! accesses to other memory. Each access only has to be a single load or store.

use std::os::fd::RawFd;
use std::sync::atomic::Ordering::Relaxed;

use crate::config::{
    AtomicInt, AtomicPid, AtomicSig, AtomicSocket, AtomicUint, ngx_pid_t, ngx_uint_t,
};
use crate::log::Log;
use crate::sys::process;
use crate::table::slot::Slot;
use crate::table::slots::Table;

/// References to the global variables of one program.
pub struct Globals {
    /// The process table: `ngx_processes` and `ngx_last_process`.
    pub table: Table,
    /// `ngx_process_slot`. In a child: the child's own slot. In its parent: the
    /// slot in which the parent started a process last.
    pub process_slot: &'static AtomicInt,
    /// `ngx_channel`: in a child, the child's end of the channel from its
    /// parent.
    pub channel: &'static AtomicSocket,
    /// `ngx_pid`: the id of this process.
    pub pid: &'static AtomicPid,
    /// `ngx_parent`: the id of the process that started this one.
    pub parent: &'static AtomicPid,
    /// `ngx_new_binary`: the pid of the new binary that this master has
    /// started.
    pub new_binary: &'static AtomicPid,
    /// `ngx_process`: the role of this process, `NGX_PROCESS_MASTER` and so on.
    pub process: &'static AtomicUint,
    /// `ngx_daemonized`: 1 if the program runs as a daemon.
    pub daemonized: &'static AtomicUint,
    /// `ngx_noaccepting`: 1 if the master has shut down its workers after
    /// SIGWINCH.
    pub noaccepting: &'static AtomicUint,
    /// `ngx_restart`: 1 if the master has to start its workers again.
    pub restart: &'static AtomicUint,
    /// `ngx_reap`: 1 if the master has to call `ngx_reap_children()`.
    pub reap: &'static AtomicSig,
    /// `ngx_sigio`: 1 after SIGIO.
    pub sigio: &'static AtomicSig,
    /// `ngx_sigalrm`: 1 after SIGALRM.
    pub sigalrm: &'static AtomicSig,
    /// `ngx_quit`: 1 if the process has to shut down gracefully.
    pub quit: &'static AtomicSig,
    /// `ngx_debug_quit`: 1 if a worker shuts down because of SIGWINCH.
    pub debug_quit: &'static AtomicSig,
    /// `ngx_terminate`: 1 if the process has to exit at once.
    pub terminate: &'static AtomicSig,
    /// `ngx_noaccept`: 1 if the master has to shut down its workers after
    /// SIGWINCH.
    pub noaccept: &'static AtomicSig,
    /// `ngx_reconfigure`: 1 if the master has to load a new configuration.
    pub reconfigure: &'static AtomicSig,
    /// `ngx_reopen`: 1 if the process has to reopen its logs.
    pub reopen: &'static AtomicSig,
    /// `ngx_change_binary`: 1 if the master has to start a new binary.
    pub change_binary: &'static AtomicSig,
    /// How a relative of nginx, such as OpenResty, differs from nginx.
    pub relative: Relative,
    /// The core calls this function before it closes a descriptor. The host
    /// removes the descriptor from its event loop: if another process still has
    /// the socket open, epoll would continue to report events for the closed
    /// descriptor, `epoll(7)`.
    pub closing: fn(RawFd),
    /// The core calls this function in a new child, before the child's own
    /// function. The host closes descriptors that the child has inherited. The
    /// function is async-signal-safe.
    pub forked: fn(),
    /// The core calls this function when it has reaped a child. The second argument
    /// is the slot of the child, if it has one. The host releases the locks that the
    /// child held.
    pub exited: fn(&Globals, Option<Slot>, ngx_pid_t),
    /// The core calls this function before it forks the process of a slot. The
    /// last argument says whether the process replaces the one that the slot
    /// had. The host makes others able to send messages to the process.
    pub starting: fn(&Globals, Log, Slot, bool),
    /// The core calls this function when the process of a slot is dead, or could
    /// not be forked. The second argument says whether the slot is kept for a
    /// replacement.
    pub gone: fn(Slot, bool),
}

/// What relatives of nginx, such as OpenResty and Tengine, have changed in
/// their `ngx_process.c`. All are 0 in nginx.
pub struct Relative {
    /// OpenResty: whether a process without a master exits at SIGHUP.
    pub single_exits: &'static ngx_uint_t,
    /// Tengine's `NGX_PROCESS_PROC`: the role of processes of the table that
    /// are neither workers nor helpers.
    pub proc_role: &'static ngx_uint_t,
    /// Tengine's `NGX_PROCESS_PIPE`: the role of children of the master that
    /// are not in the table.
    pub pipe_role: &'static ngx_uint_t,
}

impl Globals {
    /// The value of `ngx_process_slot`; `Slot::NONE` if the value is out of
    /// range.
    pub fn process_slot(&self) -> Slot {
        Slot::from_c(self.process_slot.load(Relaxed)).unwrap_or(Slot::NONE)
    }

    /// Sets `ngx_process_slot`. If the slot is `Slot::NONE`, empties the sentinel
    /// first.
    pub fn set_process_slot(&self, slot: Slot) {
        if slot == Slot::NONE {
            self.table.empty_sentinel();
        }

        self.process_slot.store(slot.to_c(), Relaxed);
    }

    /// The value of `ngx_pid`. If the program has not set `ngx_pid`, this
    /// function sets it.
    pub fn own_pid(&self) -> ngx_pid_t {
        own_pid(self.pid)
    }

    /// Whether this process has been told to exit, by `ngx_quit` or
    /// `ngx_terminate`.
    pub fn leaving(&self) -> bool {
        self.terminate.load(Relaxed) != 0 || self.quit.load(Relaxed) != 0
    }
}

/// The id of this process, from the variable `pid`, which is `ngx_pid`. If the
/// program has not set `ngx_pid`, this function sets it.
pub fn own_pid(pid: &AtomicPid) -> ngx_pid_t {
    match pid.load(Relaxed) {
        0 => set_own_pid(pid),
        own => own,
    }
}

#[cold]
fn set_own_pid(pid: &AtomicPid) -> ngx_pid_t {
    let own = process::getpid();

    pid.store(own, Relaxed);
    own
}
