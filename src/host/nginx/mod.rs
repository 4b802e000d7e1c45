//! nginx as the host. Its `ngx_process_cycle.c` starts, signals and reaps the
//! processes, and its event loop runs them; this directory does what the
//! library needs around them.
//!
//! `nginx/ngx_ipc_host.c` has what depends on nginx's version or on the layout
//! of its structures. nginx's own make compiles it.

mod alarm;
mod channel;
mod generation;
mod retry;
pub mod variables;

use std::ffi::c_void;
use std::os::fd::RawFd;
use std::sync::atomic::Ordering::Relaxed;

pub use alarm::is_own;
pub use channel::{read as read_channel, write as write_channel};
pub use retry::spawn;

use crate::config::{NGX_INVALID_PID, ngx_int_t, ngx_pid_t};
use crate::log::Log;
use crate::process::signals::{SHUTDOWN, TERMINATE};
use crate::process::wanted;
use crate::process_cycle::duties::do_duties;
use crate::sys::signal::Received;
use crate::table::globals::Globals;
use crate::table::{role, stats};

/// The first members of nginx's `ngx_cycle_t`; `ngx_ipc_host.c` asserts their
/// offsets.
#[allow(non_camel_case_types)]
#[repr(C)]
pub struct ngx_cycle_t {
    conf_ctx: *mut c_void,
    pool: *mut c_void,
    /// The log of the cycle.
    pub log: *mut ngx_log_t,
}

/// nginx's `ngx_log_t`. Only `sys::log` reads it, and only the level.
#[allow(non_camel_case_types)]
pub type ngx_log_t = c_void;

/// The cycle whose log signal handlers use, or NULL.
pub fn cycle() -> *mut ngx_cycle_t {
    variables::ngx_cycle.load(Relaxed)
}

/// Updates the time of log lines; for a signal handler.
pub fn update_time() {
    variables::ngx_time_sigsafe_update();
}

/// Nothing to do: the library closes only descriptors that nginx's event loop
/// does not watch.
pub fn closing(_fd: RawFd) {}

/// Releases the locks that a child held when it exited.
pub fn exited(pid: ngx_pid_t) {
    variables::ngx_ipc_unlock_mutexes(pid);
}

/// In a master: does the duties, if the signal interrupted the master while it
/// waited. In another process: tells the others that it exits.
pub fn after_signal(g: &Globals, log: Log, signal: &Received) {
    if !role::acts_as_master(g) {
        if matches!(signal.signo, SHUTDOWN | TERMINATE | libc::SIGINT) {
            stats::of_self().mark_exiting();
        }

        return;
    }

    if signal.signo == libc::SIGCHLD {
        wanted::hasten();
    }

    if signal.awaited {
        forget_failed_binary(g);
        retry::give_up_old(g);
        retry::enter_wanted(g);
        do_duties(g, log, |slot| retry::make_due(g, slot));
    }

    alarm::set_for_next_duty(g, log);
}

/// A new binary that could not be started (`D9`) has left -1 in
/// `ngx_new_binary`. nginx would take that for a pid: it would start workers
/// beside the old ones instead of reloading, and leave its pid file behind.
fn forget_failed_binary(g: &Globals) {
    let _ = g
        .new_binary
        .compare_exchange(NGX_INVALID_PID, 0, Relaxed, Relaxed);
}

/// The library's part of `ngx_init_signals()`, which `ngx_ipc_host.c` defines.
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

/// `ngx_ipc_host.c` calls this when a worker or helper has added its channel to
/// its event loop, so its role is known.
#[unsafe(no_mangle)]
#[allow(unsafe_code)]
pub extern "C" fn ngx_ipc_channel_added(fd: RawFd) {
    channel::added(&crate::host::globals::GLOBALS, fd);
}
