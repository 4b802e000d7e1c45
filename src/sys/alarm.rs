//! A timer that raises SIGALRM, beside that of `setitimer(2)`, which is the
//! program's.

use std::ffi::c_int;
use std::mem::MaybeUninit;
use std::ptr;

use nix::errno::Errno;

/// A timer of this process: a forked child does not have it.
#[derive(Clone, Copy)]
pub struct Alarm(c_int);

/// The value of the signals of all alarms, by which a handler knows them.
pub const TOKEN: usize = 0x6e67_785f;

impl Alarm {
    /// Makes one that does not run yet, `timer_create(2)`.
    ///
    /// By system call: the C library keeps its own idea of timers, and until
    /// glibc 2.34 had it in a library of its own.
    pub fn new() -> Result<Self, Errno> {
        // SAFETY: all-zero is a valid value of this plain C struct.
        let mut event: libc::sigevent = unsafe { std::mem::zeroed() };
        let mut id = MaybeUninit::<c_int>::uninit();

        event.sigev_notify = libc::SIGEV_SIGNAL;
        event.sigev_signo = libc::SIGALRM;
        event.sigev_value.sival_ptr = ptr::without_provenance_mut(TOKEN);

        // SAFETY: `event` and `id` live; the kernel's struct is the same.
        Errno::result(unsafe {
            libc::syscall(
                libc::SYS_timer_create,
                libc::CLOCK_MONOTONIC,
                &raw mut event,
                id.as_mut_ptr(),
            )
        })?;

        // SAFETY: the call has succeeded, so the kernel has written it.
        Ok(Self(unsafe { id.assume_init() }))
    }

    /// Goes off once, in `msec` milliseconds, `timer_settime(2)`.
    pub fn set(self, msec: usize) -> Result<(), Errno> {
        // SAFETY: all-zero is a valid value of this plain C struct.
        let mut time: libc::itimerspec = unsafe { std::mem::zeroed() };

        // Zero would stop the timer.
        let msec = msec.clamp(1, 1 << 30);

        time.it_value.tv_sec = (msec / 1000) as libc::time_t;
        time.it_value.tv_nsec = (msec % 1000 * 1_000_000) as libc::c_long;

        // SAFETY: `time` lives; no old value is asked for.
        Errno::result(unsafe {
            libc::syscall(
                libc::SYS_timer_settime,
                self.0,
                0,
                &raw const time,
                ptr::null_mut::<libc::itimerspec>(),
            )
        })
        .map(drop)
    }

    /// For an atomic.
    pub fn into_raw(self) -> c_int {
        self.0
    }

    /// What `into_raw` has returned; another number is an error in `set`.
    pub fn from_raw(raw: c_int) -> Self {
        Self(raw)
    }
}
