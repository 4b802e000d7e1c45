//! The clocks, `clock_gettime(2)` and `localtime_r(3)`.

use std::mem::MaybeUninit;

/// A time of a clock, in seconds and milliseconds.
#[derive(Clone, Copy)]
pub struct Time {
    /// Whole seconds.
    pub sec: i64,
    /// The milliseconds since the last whole second.
    pub msec: usize,
}

impl Time {
    /// The time in milliseconds.
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

    // SAFETY: the kernel writes `ts`, which is local. Every Linux has the two
    // clocks that are used below, so the call cannot fail.
    unsafe { libc::clock_gettime(id, &raw mut ts) };

    Time {
        sec: ts.tv_sec,
        msec: usize::try_from(ts.tv_nsec / 1_000_000).unwrap_or_default(),
    }
}

/// The time since 1970, `CLOCK_REALTIME`.
pub fn realtime() -> Time {
    clock(libc::CLOCK_REALTIME)
}

/// The time since some moment in the past, `CLOCK_MONOTONIC`. This clock is
/// never set back.
pub fn monotonic() -> Time {
    clock(libc::CLOCK_MONOTONIC)
}

/// The time of `CLOCK_MONOTONIC`, in nanoseconds.
pub fn nanoseconds() -> u64 {
    let mut ts = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };

    // SAFETY: the kernel writes `ts`, which is local.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut ts) };

    let sec = u64::try_from(ts.tv_sec).unwrap_or_default();

    sec.wrapping_mul(1_000_000_000)
        .wrapping_add(u64::try_from(ts.tv_nsec).unwrap_or_default())
}

/// Waits for `msec` milliseconds, or until a signal arrives, `poll(2)`.
pub fn pause(msec: usize) {
    let msec = libc::c_int::try_from(msec).unwrap_or(libc::c_int::MAX);

    // SAFETY: without descriptors poll() accesses no memory.
    unsafe { libc::poll(std::ptr::null_mut(), 0, msec) };
}

/// The number of minutes by which local time is ahead of UTC at the time `sec`,
/// in seconds since 1970. Not async-signal-safe.
pub fn gmtoff(sec: i64) -> isize {
    let mut tm = MaybeUninit::<libc::tm>::zeroed();

    // SAFETY: localtime_r() reads `sec` and writes `tm`, which are local; if it
    // fails `tm` is all-zero, which is valid too.
    let tm = unsafe {
        libc::localtime_r(&raw const sec, tm.as_mut_ptr());
        tm.assume_init()
    };

    isize::try_from(tm.tm_gmtoff / 60).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::time::{Instant, SystemTime, UNIX_EPOCH};

    use super::*;

    #[test]
    fn a_time_is_converted_to_milliseconds() {
        assert_eq!(Time { sec: 3, msec: 45 }.as_msec(), 3045);
        assert_eq!(Time { sec: -1, msec: 45 }.as_msec(), 45);
    }

    #[test]
    fn the_clock_shows_seconds_and_milliseconds() {
        let now = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap();

        // If a millisecond were another unit, some of these times would be wrong.
        for _ in 0..50 {
            let before = now().as_millis();
            let time = realtime();
            let after = now().as_millis();

            assert!(time.msec < 1000);
            assert!((before..=after).contains(&(time.as_msec() as u128)));
            pause(1);
        }
    }

    #[test]
    fn a_pause_takes_its_time() {
        let start = Instant::now();
        let before = monotonic().as_msec();

        pause(30);
        assert!(start.elapsed().as_millis() >= 30);
        assert!(monotonic().as_msec() >= before + 29);
    }
}
