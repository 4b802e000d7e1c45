//! The host that is nginx: `ngx_process_cycle.c`, which spawns, tells and
//! reaps, is as it always was, and so is the event loop.
//!
//! What depends on nginx's version or on the layout of its structs is in
//! `nginx/ngx_ipc_host.c`, which nginx's own make compiles.

mod alarm;
mod channel;
mod generation;
mod missing;
mod retry;
pub mod variables;

use crate::table::role;
use std::ffi::c_void;
use std::os::fd::RawFd;
use std::sync::atomic::Ordering::Relaxed;

pub use alarm::{is_own, wake_in};
pub use channel::{read as read_channel, write as write_channel};
pub use retry::spawn;

use crate::channel::queue;
use crate::config::{NGX_INVALID_PID, ngx_int_t, ngx_pid_t};
use crate::log::Log;
use crate::process::signals::{SHUTDOWN, TERMINATE};
use crate::sys::signal::Received;
use crate::table::globals::Globals;
use crate::table::info;

/// As much of nginx's as is used here; `ngx_ipc_host.c` asserts the offsets.
#[allow(non_camel_case_types)]
#[repr(C)]
pub struct ngx_cycle_t {
    conf_ctx: *mut c_void,
    pool: *mut c_void,
    /// Where the library logs.
    pub log: *mut ngx_log_t,
}

/// nginx's, of which only the level is read, in `sys::log`.
#[allow(non_camel_case_types)]
pub type ngx_log_t = c_void;

/// The cycle that signal handlers log to, or NULL.
pub fn cycle() -> *mut ngx_cycle_t {
    variables::ngx_cycle.load(Relaxed)
}

/// The clock that log lines show, for a signal handler.
pub fn update_time() {
    variables::ngx_time_sigsafe_update();
}

/// Whoever had nginx's event loop watch a descriptor has it stop.
pub fn closing(_fd: RawFd) {}

/// Unlocks what a child held when it exited.
pub fn exited(pid: ngx_pid_t) {
    variables::ngx_ipc_unlock_mutexes(pid);
}

/// In a master that waits: does what had to wait. In others: tells the rest
/// that this one is about to exit.
pub fn after_signal(g: &Globals, log: Log, signal: &Received) {
    if !role::acts_as_master(g) {
        if matches!(signal.signo, SHUTDOWN | TERMINATE | libc::SIGINT) {
            info::of_self().is_to_exit();
        }

        return;
    }

    if signal.signo == libc::SIGCHLD {
        missing::child_exited();
    }

    if signal.awaited {
        forget_failed_binary(g);
        queue::flush(g, log);
        retry::due(g);
    }

    alarm::set_for_what_waits(g, log);
}

/// A new binary that could not be started (`D9`) is none: nginx would take
/// the -1 for its pid, start workers beside the old ones instead of reloading,
/// and leave its pid file behind.
fn forget_failed_binary(g: &Globals) {
    let _ = g
        .new_binary
        .compare_exchange(NGX_INVALID_PID, 0, Relaxed, Relaxed);
}

/// Called by `ngx_ipc_host.c`, whose `ngx_init_signals()` this is the rest of.
///
/// # Safety
///
/// `log` is NULL or a valid log.
#[unsafe(no_mangle)]
#[allow(unsafe_code)]
pub unsafe extern "C" fn ngx_ipc_init_signals(log: *mut ngx_log_t) -> ngx_int_t {
    // SAFETY: the contract of this function: NULL or a valid log.
    let log = unsafe { crate::host::logs::log_of(log) };

    crate::status::code(crate::host::signal_handler::init_signals(log))
}

/// Called by `ngx_ipc_host.c` once a worker or helper reads its channel: it
/// has become what it is to be.
#[unsafe(no_mangle)]
#[allow(unsafe_code)]
pub extern "C" fn ngx_ipc_channel_added(fd: RawFd) {
    channel::added(&crate::host::globals::GLOBALS, fd);
}
