//! The master's own alarm: it sleeps in sigsuspend(), and what has to wait
//! for a time is done in the handler of SIGALRM.
//!
//! `ngx_sigalrm` is not set: it is nginx's, for the end of the workers.

use std::sync::atomic::AtomicI32;
use std::sync::atomic::Ordering::Relaxed;

use nix::errno::Errno;

use super::retry;
use crate::channel::queue;
use crate::config::{AtomicPid, ngx_msec_t};
use crate::log::{Level, Log};
use crate::sys::alarm::{Alarm, TOKEN};
use crate::sys::process;
use crate::sys::signal::Received;
use crate::table::globals::Globals;

static ALARM: AtomicI32 = AtomicI32::new(0);
/// The process whose alarm it is.
static OWNER: AtomicPid = AtomicPid::new(0);

/// Whether a signal is the alarm's.
pub fn is_own(signal: &Received) -> bool {
    signal.signo == libc::SIGALRM && signal.timer == Some(TOKEN)
}

/// Has the alarm go off in `msec` milliseconds.
///
/// A master that cannot have an alarm is none the worse than nginx's: what
/// waits is looked after at its next signal.
pub fn wake_in(msec: ngx_msec_t) {
    let _ = set(msec);
}

fn set(msec: ngx_msec_t) -> Result<(), Errno> {
    let own = process::getpid();

    if OWNER.load(Relaxed) != own {
        ALARM.store(Alarm::new()?.into_raw(), Relaxed);
        OWNER.store(own, Relaxed);
    }

    Alarm::from_raw(ALARM.load(Relaxed)).set(msec)
}

/// Sets the alarm for what is due next, if anything is. Who is about to leave
/// has nothing to come back for.
pub fn set_for_what_waits(g: &Globals, log: Log) {
    if g.leaving() {
        return;
    }

    let next = [queue::retry_in(g), retry::due_in(g)]
        .into_iter()
        .flatten()
        .min();

    if let Some(Err(err)) = next.map(set) {
        log.error(
            Level::Alert,
            Some(err),
            format_args!("timer_settime() failed"),
        );
    }
}
