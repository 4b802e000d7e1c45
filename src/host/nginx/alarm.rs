//! A timer for nginx's master, which waits in `sigsuspend(2)` without a
//! timeout. When the timer expires, the handler of SIGALRM does the library's
//! duties.
//!
//! The handler does not set `ngx_sigalrm` when this timer expires, because
//! nginx uses `ngx_sigalrm` for the delays while it terminates its workers.

use std::sync::atomic::AtomicI32;
use std::sync::atomic::Ordering::Relaxed;

use nix::errno::Errno;

use crate::config::{AtomicPid, ngx_msec_t};
use crate::log::{Level, Log};
use crate::process_cycle::duties::next_duty;
use crate::sys::alarm::{Alarm, TOKEN};
use crate::sys::process;
use crate::sys::signal::Received;
use crate::table::globals::Globals;
use crate::table::role;

static ALARM: AtomicI32 = AtomicI32::new(0);
/// The pid of the process that has made the timer. A child inherits the number
/// of the timer, but not the timer itself, `timer_create(2)`.
static OWNER: AtomicPid = AtomicPid::new(0);

/// Whether a signal comes from this timer.
pub fn is_own(signal: &Received) -> bool {
    signal.signo == libc::SIGALRM && signal.timer == Some(TOKEN)
}

fn set(msec: ngx_msec_t) -> Result<(), Errno> {
    let own = process::getpid();

    if OWNER.load(Relaxed) != own {
        ALARM.store(Alarm::new()?.into_raw(), Relaxed);
        OWNER.store(own, Relaxed);
    }

    Alarm::from_raw(ALARM.load(Relaxed)).set(msec)
}

/// Sets the timer to expire when the next duty is due. Does nothing if there is
/// no duty, or if this process is about to exit.
///
/// If the timer cannot be set, an alert is logged, and the duty is done when
/// the next signal arrives.
pub fn set_for_next_duty(g: &Globals, log: Log) {
    if g.leaving() {
        return;
    }

    // Only a master starts processes again.
    if let Some(Err(err)) = next_duty(g, role::is_master(g)).map(set) {
        log.error(
            Level::Alert,
            Some(err),
            format_args!("timer_settime() failed"),
        );
    }
}
