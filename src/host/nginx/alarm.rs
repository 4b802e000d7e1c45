//! A timer for nginx's master, which waits in `sigsuspend(2)` without a
//! timeout. When it expires, the handler of SIGALRM does the library's duties.
//!
//! The handler does not set `ngx_sigalrm` for it: nginx uses that for the
//! delays of a termination.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicI32};

use nix::errno::Errno;

use crate::config::AtomicPid;
use crate::log::{Level, Log};
use crate::process_cycle::duties::next_duty;
use crate::sys::alarm::{Alarm, TOKEN};
use crate::sys::process;
use crate::sys::signal::Received;
use crate::table::globals::Globals;
use crate::table::restart;

static ALARM: AtomicI32 = AtomicI32::new(0);
/// The process that has made the timer: a child inherits the number, but not
/// the timer.
static OWNER: AtomicPid = AtomicPid::new(0);

/// Whether a signal comes from this timer.
pub fn is_own(signal: &Received) -> bool {
    signal.signo == libc::SIGALRM && signal.timer == Some(TOKEN)
}

/// The timer of this process. It is made at the first call; where the limit of
/// signals or a filter of system calls refuses one, each call tries again.
fn timer() -> Result<Alarm, Errno> {
    let own = process::getpid();

    if OWNER.load(Relaxed) != own {
        ALARM.store(Alarm::new()?.into_raw(), Relaxed);
        OWNER.store(own, Relaxed);
    }

    Ok(Alarm::from_raw(ALARM.load(Relaxed)))
}

/// Allows delays if there is a timer that ends them. To be called before
/// something is put off.
pub fn allow_delays(log: Log) {
    /// The failure is logged once: a worker may exit thousands of times a
    /// second.
    static LOGGED: AtomicBool = AtomicBool::new(false);

    let timer = timer();

    restart::set_delays(timer.is_ok());

    if let Err(err) = timer
        && !LOGGED.swap(true, Relaxed)
    {
        log.error(
            Level::Alert,
            Some(err),
            format_args!("timer_create() or timer_settime() failed, nothing is put off"),
        );
    }
}

/// Sets the timer for the next duty, if there is one. A process that is about
/// to exit has none.
///
/// Without a timer the duty is done at the next signal.
pub fn set_for_next_duty(g: &Globals) {
    if g.leaving() {
        return;
    }

    if let Some(msec) = next_duty(g, true)
        && let Ok(timer) = timer()
    {
        // This cannot fail: the timer exists, and the time is valid.
        let _ = timer.set(msec);
    }
}
