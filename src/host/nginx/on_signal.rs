//! What the signal handler does in this host. nginx's master lets signals in
//! only while it waits in `sigsuspend(2)`; in other processes all of this is
//! async-signal-safe.

use std::sync::atomic::Ordering::Relaxed;

use super::alarm::{self, set_for_next_duty};
use super::spawn::{enter_wanted, give_up_old};
use super::types::ngx_cycle_t;
use super::variables;
use crate::config::NGX_INVALID_PID;
use crate::log::Log;
use crate::process::signals::{SHUTDOWN, TERMINATE};
use crate::process::wanted;
use crate::process_cycle::duties::do_duties;
use crate::sys::signal::Received;
use crate::table::globals::Globals;
use crate::table::{role, stats};

/// The cycle that the handler logs to, or NULL.
pub fn cycle() -> *mut ngx_cycle_t {
    variables::ngx_cycle.load(Relaxed)
}

/// Updates the time that log lines show.
pub fn update_time() {
    variables::ngx_time_sigsafe_update();
}

/// Whether a signal is sent by the host to itself.
pub fn is_own(signal: &Received) -> bool {
    alarm::is_own(signal)
}

/// In a master: does the duties, if the signal has interrupted the master while
/// it waited. In another process: tells the others that it exits.
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
        give_up_old(g);
        enter_wanted(g);
        do_duties(g, log, |slot| g.table.get(slot).make_due());
    }

    set_for_next_duty(g);
}

/// A new binary that could not be started (`D9`) has left -1 in
/// `ngx_new_binary`. nginx would take that for a pid: it would start workers
/// beside the old ones instead of reloading, and leave its pid file behind.
fn forget_failed_binary(g: &Globals) {
    let _ = g
        .new_binary
        .compare_exchange(NGX_INVALID_PID, 0, Relaxed, Relaxed);
}
