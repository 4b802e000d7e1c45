//! A timer for nginx's master, which waits in `sigsuspend(2)` without a
//! timeout. When it expires, the handler of SIGALRM does the library's duties.
//!
//! The handler does not set `ngx_sigalrm` for it: nginx uses that for the
//! delays of a termination.

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
/// The process that has made the timer: a child inherits the number, but not
/// the timer.
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

/// Sets the timer for the next duty, if there is one. A process that is about
/// to exit has none.
///
/// A failure is an alert in the log; the duty is done at the next signal.
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
