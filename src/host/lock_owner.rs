//! What the locks of `src/zone/` need to know of the program.

use std::mem::MaybeUninit;
use std::sync::atomic::Ordering::Relaxed;

use super::logs::cycle_log;
#[cfg(not(feature = "standalone"))]
use super::nginx::variables::{ngx_cycle, ngx_pid};
#[cfg(feature = "standalone")]
use super::standalone::variables::{ngx_cycle, ngx_pid};
use crate::log::Log;
use crate::zone::owner;
use crate::zone::shmtx::{ngx_shmtx_sh_t, ngx_shmtx_t};

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

/// A lock of `words`. Other processes can change the lock that is in a zone, but not this
/// one.
pub fn lock_of(words: &'static ngx_shmtx_sh_t) -> ngx_shmtx_t {
    // SAFETY: zeros are a lock that is not created.
    let mut lock = unsafe { MaybeUninit::<ngx_shmtx_t>::zeroed().assume_init() };

    lock.create(words);
    lock
}

/// Finds out the number of this process, so that a signal handler knows it.
pub fn prepare() {
    owner::find_out();
}
