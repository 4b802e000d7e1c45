//! What `crate::host` is made of where the library brings its own host.

use std::mem::MaybeUninit;
use std::os::fd::RawFd;
use std::sync::atomic::Ordering::Relaxed;

pub use super::types::ngx_cycle_t;
pub use super::types::ngx_log_t;
pub use super::variables;
pub use crate::channel::queue::write as write_channel;

use super::{connection, cycle, event, times};
use crate::abi::introspect;
use crate::channel::read::read;
use crate::config::{ngx_msec_t, ngx_pid_t};
use crate::log::Log;
use crate::process::mode::Respawn;
use crate::process::signals;
use crate::process::spawn::{self, Spawn};
use crate::status::Result;
use crate::sys::signal::Received;
use crate::table::globals::Globals;
use crate::table::info;

/// The cycle that signal handlers log to, or NULL.
pub fn cycle() -> *mut ngx_cycle_t {
    cycle::ngx_cycle.load(Relaxed)
}

/// The clock that log lines show, for a signal handler.
pub fn update_time() {
    times::ngx_time_sigsafe_update();
}

/// The event loop forgets a descriptor.
pub fn closing(fd: RawFd) {
    connection::forget(fd);
}

/// What a child held when it exited: there are no locks in this host.
pub fn exited(_pid: ngx_pid_t) {}

/// The event loop finds out by itself what it has to wake up for.
pub fn wake_in(_msec: ngx_msec_t) {}

/// Whether a signal is the host's own, and none of the program's business.
pub fn is_own(_signal: &Received) -> bool {
    false
}

/// Has the event loop return.
pub fn after_signal(_g: &Globals, _log: Log, signal: &Received) {
    if signals::is_status(signal.signo) {
        introspect::ask();
    }

    event::wake_up();
}

/// Starts a process for `ngx_spawn_process`.
pub fn spawn(
    g: &Globals,
    log: Log,
    _cycle: *mut ngx_cycle_t,
    spawn: Spawn<'_>,
    respawn: Respawn,
) -> Result<ngx_pid_t> {
    if !matches!(respawn, Respawn::Slot(_)) {
        // Before there is a process: nothing is known of it yet.
        info::of_child(g, g.table.first_free()).reset(0, -1, introspect::ngx_ipc_generation());
    }

    spawn::spawn(g, log, spawn, respawn)
}

/// Receives a message for `ngx_read_channel`.
pub fn read_channel(
    _g: &Globals,
    log: Log,
    sock: RawFd,
    message: &mut [MaybeUninit<u8>],
) -> Result<usize> {
    read(log, sock, message).map(<[u8]>::len)
}
