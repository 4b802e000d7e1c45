//! nginx's global variables, as the core sees them.
//!
//! They are C data. Any code of the program may read and write them, and a
//! signal handler may do so between any two instructions. So they are atomics.
//! All accesses are `Relaxed`: the program has one thread, so no other memory
//! has to be ordered with them; each access must only be one access.

use std::os::fd::RawFd;
use std::sync::atomic::Ordering::Relaxed;

use crate::config::{AtomicInt, AtomicPid, AtomicSig, AtomicSocket, AtomicUint, ngx_pid_t};
use crate::sys::process;
use crate::table::slot::Slot;
use crate::table::slots::Table;

/// References to the variables of one program.
pub struct Globals {
    /// `ngx_processes`, with `ngx_last_process`.
    pub table: Table,
    /// `ngx_process_slot`: the slot that was started last; in a child, its own.
    pub process_slot: &'static AtomicInt,
    /// `ngx_channel`: in a child, its end of the channel to its parent.
    pub channel: &'static AtomicSocket,
    /// `ngx_pid`.
    pub pid: &'static AtomicPid,
    /// `ngx_parent`.
    pub parent: &'static AtomicPid,
    /// `ngx_new_binary`.
    pub new_binary: &'static AtomicPid,
    /// `ngx_process`: the role of this process, `NGX_PROCESS_MASTER` and so on.
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
    /// Tells the host that a descriptor is about to be closed. The host removes
    /// it from its event loop: another process may have the socket open still,
    /// and epoll would go on reporting events for the closed descriptor.
    pub closing: fn(RawFd),
    /// Tells the host that a child has been reaped. The host releases the locks
    /// that the child held.
    pub exited: fn(ngx_pid_t),
}

impl Globals {
    /// `ngx_process_slot`; `Slot::NONE` if it is out of range.
    pub fn process_slot(&self) -> Slot {
        Slot::from_c(self.process_slot.load(Relaxed)).unwrap_or(Slot::NONE)
    }

    /// Sets `ngx_process_slot`.
    pub fn set_process_slot(&self, slot: Slot) {
        self.process_slot.store(slot.to_c(), Relaxed);
    }

    /// `ngx_pid`, set first if the program has not set it.
    pub fn own_pid(&self) -> ngx_pid_t {
        own_pid(self.pid)
    }

    /// Whether the program has been told to exit.
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
