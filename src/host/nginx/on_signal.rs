//! The part of the signal handler for nginx as the host. nginx's master
//! unblocks signals only while it waits in `sigsuspend(2)`, so the handler
//! interrupts no other code there. In other processes the handler runs only
//! async-signal-safe code.

use std::sync::atomic::Ordering::Relaxed;

use super::alarm::{self, set_for_next_duty};
use super::spawn::{enter_wanted, give_up_old};
use super::types::ngx_cycle_t;
use super::{doorbell, message_loop, variables};
use crate::config::NGX_INVALID_PID;
use crate::log::Log;
use crate::process::{reap, respawn, signals, wanted};
use crate::process_cycle::duties::do_duties;
use crate::sys::signal::Received;
use crate::table::globals::Globals;
use crate::table::role;

/// The cycle to whose log the handler writes, or NULL.
pub fn cycle() -> *mut ngx_cycle_t {
    variables::ngx_cycle.load(Relaxed)
}

/// Updates the time that log lines show.
pub fn update_time() {
    variables::ngx_time_sigsafe_update();
}

/// Whether the signal comes from the library's own timer, or from its messages.
pub fn is_own(signal: &Received) -> bool {
    alarm::is_own(signal) || doorbell::is_own(signal)
}

/// In a master: does the library's duties, if the signal has interrupted the
/// master while it waited. In another process: see [`after_signal_in_worker`].
pub fn after_signal(g: &Globals, log: Log, signal: &Received) {
    if !role::acts_as_master(g) {
        after_signal_in_worker(g, log, signal);
        return;
    }

    if signal.signo == libc::SIGCHLD {
        wanted::hasten();
    }

    if signal.awaited {
        block_signals();
        forget_failed_binary(g);
        give_up_old(g);
        enter_wanted(g);

        // The handler of SIGHUP sets this flag. It can have interrupted the handler
        // of another signal, which then continues here.
        if g.reconfigure.load(Relaxed) != 0 {
            // A reload tells all old workers to exit, and a module can count the
            // exits. nchan expects as many exits as the old configuration has
            // workers. So the master first starts a worker that waits for its
            // respawn.
            respawn::end_delays(g);
        }

        do_duties(g, log, |slot| g.table.get(slot).make_due());
        message_loop::process_in_master(g, log);
    }

    set_for_next_duty(g);
}

/// In a master that has messages: blocks the signals until the handler returns, so
/// that no other handler interrupts code that holds a lock, or a module's handler
/// of a message. Signals that arrive meanwhile are pending until the master waits
/// again. Handlers that have interrupted this one before end first.
fn block_signals() {
    if doorbell::is_made() {
        signals::block_handled();
    }
}

/// In a process that is not a master: reaps the children that modules have forked
/// and that are due (`D7`). Sets the timer for the next such child.
fn after_signal_in_worker(g: &Globals, log: Log, signal: &Received) {
    if is_own(signal) {
        // The timer also sends SIGCHLD. While a SIGCHLD is pending, the kernel
        // drops further ones, `signal(7)`. So a child that exits while the
        // signal of the timer is pending causes no SIGCHLD of its own.
        reap::reap_unnoticed(g, log);
    }

    reap::reap_foreign(g, log);
    alarm::set_for_foreign(g);
}

/// Sets `ngx_new_binary` to 0 if it is -1, because a new binary could not be
/// started (`D9`). nginx would treat -1 as the pid of a running binary: at a
/// reload it would start new workers and keep the old ones, and at its exit it
/// would not remove its pid file.
fn forget_failed_binary(g: &Globals) {
    let _ = g
        .new_binary
        .compare_exchange(NGX_INVALID_PID, 0, Relaxed, Relaxed);
}
