//! `ngx_times.h`: the time, kept at hand so that reading it costs nothing.
//!
//! nginx's scheme: each second has a slot of its own, and a pointer moves to
//! it when it is filled; whoever reads a slot has 63 seconds to do so before
//! it is used again, so readers need no lock.

use std::ptr;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicIsize, AtomicPtr, AtomicU8, AtomicUsize};

use crate::config::{AtomicUint, ngx_int_t, ngx_uint_t};
use crate::host::standalone::date::{Date, ERR_LOG_LEN};
use crate::sys::time::{self, Time};

const SLOTS: usize = 64;

/// The layout of C's `ngx_time_t`.
#[repr(C)]
pub struct CachedTime {
    sec: AtomicI64,
    msec: AtomicUsize,
    gmtoff: AtomicIsize,
}

/// The layout of C's `ngx_str_t`.
#[repr(C)]
pub struct CachedText {
    len: AtomicUsize,
    data: AtomicPtr<u8>,
}

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

/// The slot in use.
static CURRENT: AtomicUsize = AtomicUsize::new(0);
/// The last known distance to UTC in minutes: a handler cannot ask for it.
static GMTOFF: AtomicIsize = AtomicIsize::new(0);
/// Taken by who fills a slot; who finds it taken goes without.
static UPDATING: AtomicBool = AtomicBool::new(false);

/// The time of day, as of the last update.
#[unsafe(no_mangle)]
pub static ngx_cached_time: AtomicPtr<CachedTime> = AtomicPtr::new(ptr::null_mut());
/// The same, as it stands in the error log.
#[unsafe(no_mangle)]
pub static ngx_cached_err_log_time: CachedText = CachedText {
    len: AtomicUsize::new(ERR_LOG_LEN),
    data: AtomicPtr::new(ptr::null_mut()),
};
/// Milliseconds since some point in the past, for timers.
#[unsafe(no_mangle)]
pub static ngx_current_msec: AtomicUint = AtomicUint::new(0);

/// A time of day.
#[repr(C)]
pub struct ngx_time_t {
    /// Seconds since 1970.
    pub sec: libc::time_t,
    /// Milliseconds of the second that has begun.
    pub msec: ngx_uint_t,
    /// Minutes that local time is ahead of UTC.
    pub gmtoff: ngx_int_t,
}

const _: () = assert!(size_of::<ngx_time_t>() == size_of::<CachedTime>());

/// Seconds since 1970, as of the last update; 0 before the first.
pub fn now() -> i64 {
    current().time.sec.load(Relaxed)
}

/// The time for a line of the error log.
pub fn err_log_time() -> [u8; ERR_LOG_LEN] {
    if ngx_cached_time.load(Relaxed).is_null() {
        ngx_time_update();
    }

    current().err_log.each_ref().map(|byte| byte.load(Relaxed))
}

fn current() -> &'static Slot {
    slot(CURRENT.load(Acquire))
}

fn slot(i: usize) -> &'static Slot {
    let [first, ..] = &CACHE;

    CACHE.get(i % SLOTS).unwrap_or(first)
}

/// Keeps the time at hand; to be called before anything is logged.
///
/// # References
///
/// nginx's `src/core/ngx_times.c`.
#[unsafe(no_mangle)]
pub extern "C" fn ngx_time_init() {
    ngx_time_update();
}

/// Updates the time; the event loop does so whenever it wakes up.
#[unsafe(no_mangle)]
pub extern "C" fn ngx_time_update() {
    ngx_current_msec.store(time::monotonic().as_msec(), Relaxed);

    update(|sec| {
        let gmtoff = time::gmtoff(sec);

        GMTOFF.store(gmtoff, Relaxed);
    });
}

/// Updates the time that log lines begin with; for signal handlers.
#[unsafe(no_mangle)]
pub extern "C" fn ngx_time_sigsafe_update() {
    update(|_| {});
}

/// Fills the next slot if a new second has begun, else sets the milliseconds.
fn update(find_gmtoff: impl FnOnce(i64)) {
    if UPDATING.swap(true, Acquire) {
        return;
    }

    let time = time::realtime();
    let first = ngx_cached_time.load(Relaxed).is_null();

    if first || now() != time.sec {
        find_gmtoff(time.sec);
        fill(CURRENT.load(Relaxed) + 1, time);
    } else {
        current().time.msec.store(time.msec, Relaxed);
    }

    UPDATING.store(false, Release);
}

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
