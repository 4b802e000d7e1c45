//! The clocks, `clock_gettime(2)` and `localtime_r(3)`.

use std::mem::MaybeUninit;

/// Seconds and milliseconds of a clock.
#[derive(Clone, Copy)]
pub struct Time {
    /// Whole seconds.
    pub sec: i64,
    /// The milliseconds of the second that has begun.
    pub msec: usize,
}

impl Time {
    /// Both in milliseconds.
    pub fn as_msec(self) -> usize {
        usize::try_from(self.sec)
            .unwrap_or_default()
            .wrapping_mul(1000)
            .wrapping_add(self.msec)
    }
}

fn clock(id: libc::clockid_t) -> Time {
    let mut ts = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };

    // SAFETY: `ts` is writable and of the right type. The two clocks asked
    // for below exist on every Linux, so the call cannot fail.
    unsafe { libc::clock_gettime(id, &raw mut ts) };

    Time {
        sec: ts.tv_sec,
        msec: usize::try_from(ts.tv_nsec / 1_000_000).unwrap_or_default(),
    }
}

/// The time of day.
pub fn realtime() -> Time {
    clock(libc::CLOCK_REALTIME)
}

/// The time since some point in the past, never set back.
pub fn monotonic() -> Time {
    clock(libc::CLOCK_MONOTONIC)
}

/// Waits for `msec` milliseconds or a signal, `poll(2)`.
pub fn pause(msec: usize) {
    let msec = libc::c_int::try_from(msec).unwrap_or(libc::c_int::MAX);

    // SAFETY: without descriptors no memory is involved.
    unsafe { libc::poll(std::ptr::null_mut(), 0, msec) };
}

/// Minutes that local time is ahead of UTC at `sec`; not for a signal handler.
pub fn gmtoff(sec: i64) -> isize {
    let mut tm = MaybeUninit::<libc::tm>::zeroed();

    // SAFETY: both arguments are valid, and an all-zero `tm` is a valid one.
    let tm = unsafe {
        libc::localtime_r(&raw const sec, tm.as_mut_ptr());
        tm.assume_init()
    };

    isize::try_from(tm.tm_gmtoff / 60).unwrap_or_default()
}
