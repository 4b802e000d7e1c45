//! Keeps the current time. The event loop reads the clock once in each round,
//! so that a log line needs no system call for the time.
//!
//! As in nginx, each new second is written to the next of 64 slots, and then a
//! pointer is set to that slot. A reader has 63 seconds to read a slot before
//! the slot is written again, so readers need no lock. The pointer is stored
//! with `Release` and loaded with `Acquire`, so a reader that loads the pointer
//! also sees the content of the slot.
//!
//! A signal handler updates the time as well. If the signal has interrupted an
//! update, the handler does not change the time.

use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicIsize, AtomicU8, AtomicUsize};

use super::date::{Date, ERR_LOG_LEN};
use super::types::CachedTime;
use super::variables::{ngx_cached_err_log_time, ngx_cached_time, ngx_current_msec};
use crate::sys::time::{self, Time};

const SLOTS: usize = 64;

struct Slot {
    time: CachedTime,
    err_log: [AtomicU8; ERR_LOG_LEN],
}

static CACHE: [Slot; SLOTS] = [const {
    Slot {
        time: CachedTime {
            sec: AtomicI64::new(0),
            msec: AtomicUsize::new(0),
            gmtoff: AtomicIsize::new(0),
        },
        err_log: [const { AtomicU8::new(b'0') }; ERR_LOG_LEN],
    }
}; SLOTS];

/// The slot of the current second.
static CURRENT: AtomicUsize = AtomicUsize::new(0);
/// The number of minutes that local time is ahead of UTC, as of the last update
/// outside a signal handler: localtime_r(3) is not async-signal-safe.
static GMTOFF: AtomicIsize = AtomicIsize::new(0);
/// Whether an update of the time is running in this process.
static UPDATING: AtomicBool = AtomicBool::new(false);

/// Seconds since 1970, as of the last update; 0 before the first update.
pub fn now() -> i64 {
    current().time.sec.load(Relaxed)
}

/// The time in the format with which a line of the error log begins.
///
/// The function is async-signal-safe after the first update of the time.
pub fn err_log_time() -> [u8; ERR_LOG_LEN] {
    moment().text
}

/// The time of a line of JSON.
pub struct Moment {
    /// The date and the time of day, as [`err_log_time`] returns them.
    pub text: [u8; ERR_LOG_LEN],
    /// The milliseconds since the last full second.
    pub msec: usize,
    /// The number of minutes that local time is ahead of UTC.
    pub gmtoff: isize,
}

/// The time as of the last update. Async-signal-safe after the first update.
pub fn moment() -> Moment {
    if ngx_cached_time.load(Relaxed).is_null() {
        update();
    }

    let slot = current();

    Moment {
        text: slot.err_log.each_ref().map(|byte| byte.load(Relaxed)),
        msec: slot.time.msec.load(Relaxed),
        gmtoff: slot.time.gmtoff.load(Relaxed),
    }
}

fn current() -> &'static Slot {
    slot(CURRENT.load(Acquire))
}

fn slot(i: usize) -> &'static Slot {
    let [first, ..] = &CACHE;

    CACHE.get(i % SLOTS).unwrap_or(first)
}

/// Updates the time of day, and the clock of the timers, `ngx_current_msec`.
pub fn update() {
    ngx_current_msec.store(time::monotonic().as_msec(), Relaxed);

    update_with(|sec| GMTOFF.store(time::gmtoff(sec), Relaxed));
}

/// Updates the time of day. The difference between local time and UTC stays as
/// of the last call of [`update`].
///
/// Async-signal-safe.
pub fn update_in_signal_handler() {
    update_with(|_| {});
}

/// Fills the next slot if a new second has begun, else sets the milliseconds in
/// the current slot. `update_gmtoff` is called with each new second.
fn update_with(update_gmtoff: impl FnOnce(i64)) {
    if UPDATING.swap(true, Acquire) {
        return;
    }

    let time = time::realtime();
    let first = ngx_cached_time.load(Relaxed).is_null();

    if first || now() != time.sec {
        update_gmtoff(time.sec);
        fill(CURRENT.load(Relaxed) + 1, time);
    } else {
        current().time.msec.store(time.msec, Relaxed);
    }

    UPDATING.store(false, Release);
}

/// Writes `time` to slot `i`, and makes the slot the current slot.
fn fill(i: usize, time: Time) {
    let slot = slot(i);
    let gmtoff = GMTOFF.load(Relaxed);
    let text = Date::new(time.sec + gmtoff as i64 * 60).err_log();

    slot.time.sec.store(time.sec, Relaxed);
    slot.time.msec.store(time.msec, Relaxed);
    slot.time.gmtoff.store(gmtoff, Relaxed);

    for (to, from) in slot.err_log.iter().zip(text) {
        to.store(from, Relaxed);
    }

    CURRENT.store(i % SLOTS, Release);
    ngx_cached_time.store((&raw const slot.time).cast_mut(), Release);
    ngx_cached_err_log_time
        .data
        .store(slot.err_log.as_ptr().cast_mut().cast(), Release);
}
