//! A timer for each process of nginx that needs one. When the timer expires, the
//! kernel sends a signal, and the library's signal handler does the work that is
//! due:
//!
//! - In the master the signal is SIGALRM, and the work is the library's duties.
//!   The master waits in `sigsuspend(2)` without a timeout, so only a signal
//!   wakes it up.
//! - In a worker the signal is SIGCHLD, and the work is to reap the children
//!   that modules have forked (`D7`). SIGALRM is not free in a worker: with
//!   `timer_resolution`, nginx has a handler of its own for it.
//!
//! The handler does not set nginx's flag of such a signal. While nginx's master
//! terminates its workers, it sets a timer of its own. If `ngx_sigalrm` were set,
//! the master would assume that this timer has expired.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicI32};

use nix::errno::Errno;

use super::doorbell;
use crate::config::{AtomicPid, ngx_msec_t};
use crate::log::{Level, Log};
use crate::process::foreign;
use crate::process_cycle::duties::next_duty;
use crate::sys::alarm::{Alarm, TOKEN};
use crate::sys::process;
use crate::sys::signal::Received;
use crate::table::globals::Globals;
use crate::table::{restart, role};

static ALARM: AtomicI32 = AtomicI32::new(0);
/// The pid of the process that has made the timer. A child inherits the number
/// of the timer, but not the timer itself, `timer_create(2)`.
static OWNER: AtomicPid = AtomicPid::new(0);

/// Whether a signal comes from this timer.
pub fn is_own(signal: &Received) -> bool {
    matches!(signal.signo, libc::SIGALRM | libc::SIGCHLD) && signal.timer == Some(TOKEN)
}

/// Returns the timer of this process. The first call makes the timer. If the
/// system refuses the timer, because of RLIMIT_SIGPENDING or of a filter of
/// system calls, the next call tries again.
fn timer(g: &Globals) -> Result<Alarm, Errno> {
    let own = process::getpid();

    if OWNER.load(Relaxed) != own {
        let signo = if role::acts_as_master(g) {
            libc::SIGALRM
        } else {
            libc::SIGCHLD
        };

        ALARM.store(Alarm::new(signo)?.into_raw(), Relaxed);
        OWNER.store(own, Relaxed);
    }

    Ok(Alarm::from_raw(ALARM.load(Relaxed)))
}

/// Allows delayed starts if this process has a timer, which ends the delays. If
/// it has none, all delays are 0 from now on. The caller calls this function
/// before it calculates a delay.
pub fn allow_delays(g: &Globals, log: Log) {
    /// Whether the failure was logged. It is logged once, because a worker can
    /// exit thousands of times a second.
    static LOGGED: AtomicBool = AtomicBool::new(false);

    let timer = timer(g);

    restart::set_delays(timer.is_ok());

    if let Err(err) = timer
        && !LOGGED.swap(true, Relaxed)
    {
        log.error(
            Level::Alert,
            Some(err),
            format_args!("timer_create() or timer_settime() failed, no start is delayed"),
        );
    }
}

/// In a master: sets the timer to expire when the next duty is due, or when it
/// handles messages. Does nothing in another process, and if nothing is due. A
/// master that is about to exit has no duties.
///
/// Without a timer the duty is done when the next signal arrives.
pub fn set_for_next_duty(g: &Globals) {
    if !role::acts_as_master(g) {
        return;
    }

    let duty = if g.leaving() {
        None
    } else {
        next_duty(g, role::is_master(g))
    };

    set(g, [duty, doorbell::due_in()].into_iter().flatten().min());
}

/// In a worker: sets the timer to expire when the worker has to reap the next
/// child of a module. Does nothing if there is no such child.
///
/// Without a timer the worker reaps the child at its next signal.
pub fn set_for_foreign(g: &Globals) {
    set(g, foreign::due_in());
}

/// Sets the timer to expire in `msec` milliseconds; does nothing if `msec` is
/// `None`, or if the system refuses a timer.
fn set(g: &Globals, msec: Option<ngx_msec_t>) {
    if let Some(msec) = msec
        && let Ok(timer) = timer(g)
    {
        // The call cannot fail: the timer exists, and the time is valid.
        let _ = timer.set(msec);
    }
}
