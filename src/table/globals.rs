//! nginx's global variables, as the core sees them.
//!
//! They are C data that any code of the program, and a signal handler at any
//! instruction, reads and writes; hence atomics, all used `Relaxed`: there is
//! one thread, and what matters is only that each access is one access.

use std::os::fd::RawFd;
use std::sync::atomic::Ordering::Relaxed;

use crate::config::{
    AtomicInt, AtomicPid, AtomicSig, AtomicSocket, AtomicUint, ngx_msec_t, ngx_pid_t,
};
use crate::sys::process;
use crate::table::slots::Table;

/// References to the variables of one program.
pub struct Globals {
    /// `ngx_processes`, with `ngx_last_process`.
    pub table: Table,
    /// `ngx_process_slot`: the slot that was spawned last; in a child, its own.
    pub process_slot: &'static AtomicInt,
    /// `ngx_channel`: in a child, its end of the channel to its parent.
    pub channel: &'static AtomicSocket,
    /// `ngx_pid`.
    pub pid: &'static AtomicPid,
    /// `ngx_parent`.
    pub parent: &'static AtomicPid,
    /// `ngx_new_binary`.
    pub new_binary: &'static AtomicPid,
    /// `ngx_process`: the role, `NGX_PROCESS_MASTER` and so on.
    pub process: &'static AtomicUint,
    /// `ngx_daemonized`.
    pub daemonized: &'static AtomicUint,
    /// `ngx_noaccepting`.
    pub noaccepting: &'static AtomicUint,
    /// `ngx_restart`.
    pub restart: &'static AtomicUint,
    /// `ngx_reap`.
    pub reap: &'static AtomicSig,
    /// `ngx_sigio`.
    pub sigio: &'static AtomicSig,
    /// `ngx_sigalrm`.
    pub sigalrm: &'static AtomicSig,
    /// `ngx_quit`.
    pub quit: &'static AtomicSig,
    /// `ngx_debug_quit`.
    pub debug_quit: &'static AtomicSig,
    /// `ngx_terminate`.
    pub terminate: &'static AtomicSig,
    /// `ngx_noaccept`.
    pub noaccept: &'static AtomicSig,
    /// `ngx_reconfigure`.
    pub reconfigure: &'static AtomicSig,
    /// `ngx_reopen`.
    pub reopen: &'static AtomicSig,
    /// `ngx_change_binary`.
    pub change_binary: &'static AtomicSig,
    /// Tells the host that a descriptor is about to be closed, so that its
    /// event loop forgets it: other processes may keep the socket open, and
    /// epoll would go on reporting it under a number that is gone.
    pub closing: fn(RawFd),
    /// Tells the host that a child has been reaped: it may have held locks.
    pub exited: fn(ngx_pid_t),
    /// Has the host come back to what waits, in at most so many milliseconds.
    pub wake_in: fn(ngx_msec_t),
}

impl Globals {
    /// `ngx_process_slot` as an index; the sentinel if it is out of range.
    pub fn own_slot(&self) -> usize {
        self.table.clamp(self.process_slot.load(Relaxed))
    }

    /// `ngx_pid`, set first if the program has not set it.
    pub fn own_pid(&self) -> ngx_pid_t {
        own_pid(self.pid)
    }

    /// Whether the program is on its way out.
    pub fn leaving(&self) -> bool {
        self.terminate.load(Relaxed) != 0 || self.quit.load(Relaxed) != 0
    }
}

/// The id of this process: `pid`, which is `ngx_pid`; it is set first if the
/// program has not set it.
pub fn own_pid(pid: &AtomicPid) -> ngx_pid_t {
    match pid.load(Relaxed) {
        0 => {
            let own = process::getpid();

            pid.store(own, Relaxed);
            own
        }
        own => own,
    }
}
