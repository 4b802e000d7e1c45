//! What the locks of `src/zone/` need to know of the program.

use std::sync::atomic::Ordering::Relaxed;

use super::variables::{ngx_cycle, ngx_pid};
use crate::host::logs::cycle_log;
use crate::log::Log;
use crate::zone::owner;

/// The log for alerts: that of the program's cycle.
#[inline]
pub fn log() -> Log {
    // SAFETY: the variable is NULL or the program's cycle, whose log is valid.
    unsafe { cycle_log(ngx_cycle.load(Relaxed)) }
}

/// The number of this process, if it is known already.
#[inline]
pub fn own() -> Option<u64> {
    owner::known(ngx_pid.load(Relaxed))
}

/// The number that is known, which is not checked: that of this process, or of no process.
/// It is for a release: a lock with the number of this process is the lock of this process.
#[inline]
pub fn unchecked() -> u64 {
    owner::unchecked()
}
