//! A timer that sends a signal, `timer_create(2)`. The timer of `setitimer(2)`
//! is left to the program.

use std::ffi::c_int;
use std::mem::MaybeUninit;
use std::ptr;

use nix::errno::Errno;

/// A timer of this process. A forked child does not inherit the timer.
#[derive(Clone, Copy)]
pub struct Alarm(c_int);

/// The value that the signals of these timers carry. A signal handler
/// recognises the signals by this value.
pub const TOKEN: usize = 0x6e67_785f;

impl Alarm {
    /// Makes a timer that sends `signo` and does not run yet,
    /// `timer_create(2)`.
    ///
    /// This function makes the system call directly, because glibc before 2.34
    /// has timer_create() in another library, librt.
    pub fn new(signo: c_int) -> Result<Self, Errno> {
        // SAFETY: the type is a plain C struct, for which all-zero bytes are
        // valid.
        let mut event: libc::sigevent = unsafe { std::mem::zeroed() };
        let mut id = MaybeUninit::<c_int>::uninit();

        event.sigev_notify = libc::SIGEV_SIGNAL;
        event.sigev_signo = signo;
        event.sigev_value.sival_ptr = ptr::without_provenance_mut(TOKEN);

        // SAFETY: the kernel reads `event` and writes `id`, which are local;
        // its struct sigevent has the layout of libc's.
        Errno::result(unsafe {
            libc::syscall(
                libc::SYS_timer_create,
                libc::CLOCK_MONOTONIC,
                &raw mut event,
                id.as_mut_ptr(),
            )
        })?;

        // SAFETY: the call has succeeded, so the kernel has written `id`.
        Ok(Self(unsafe { id.assume_init() }))
    }

    /// Makes the timer expire once, in `msec` milliseconds, `timer_settime(2)`.
    pub fn set(self, msec: usize) -> Result<(), Errno> {
        // SAFETY: the type is a plain C struct, for which all-zero bytes are
        // valid.
        let mut time: libc::itimerspec = unsafe { std::mem::zeroed() };

        // A time of 0 would stop the timer.
        let msec = msec.clamp(1, 1 << 30);

        time.it_value.tv_sec = (msec / 1000) as libc::time_t;
        time.it_value.tv_nsec = (msec % 1000 * 1_000_000) as libc::c_long;

        // SAFETY: the kernel reads `time`, which is local. It writes no old
        // value, because the last argument is NULL.
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

    /// The number of the timer, to be stored in an atomic.
    pub fn into_raw(self) -> c_int {
        self.0
    }

    /// The timer with the number `raw`, which `into_raw` has returned. If `raw`
    /// is another number, `set` fails.
    pub fn from_raw(raw: c_int) -> Self {
        Self(raw)
    }
}
