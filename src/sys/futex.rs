//! Sleeping until another process changes a word of shared memory, `futex(2)`.

use std::ptr;
use std::sync::atomic::AtomicU64;

use nix::errno::Errno;

/// A semaphore of `sem_overview(7)`. nginx's structure of a lock has one, which the library
/// does not use.
pub type Semaphore = libc::sem_t;

/// The half of a word that the kernel compares: the lower 32 bits.
fn low_half(word: &AtomicU64) -> *mut u32 {
    let half = word.as_ptr().cast::<u32>();

    // A big-endian machine has the lower half behind the higher one.
    half.wrapping_add(usize::from(cfg!(target_endian = "big")))
}

/// Sleeps while the lower 32 bits of `word` are those of `value`, at most `msec`
/// milliseconds, or until [`wake`] or a signal. Returns whether the time is over or a signal
/// has arrived: signals that arrive often must not keep the caller from what it does when
/// the time is over. Returns an error only if the kernel or a filter of system calls refuses the call.
///
/// # References
///
/// `FUTEX_WAIT` of `futex(2)`.
pub fn wait(word: &AtomicU64, value: u64, msec: u32) -> Result<bool, Errno> {
    let limit = libc::timespec {
        tv_sec: libc::time_t::from(msec / 1000),
        tv_nsec: libc::c_long::from(msec % 1000) * 1_000_000,
    };

    // SAFETY: the kernel reads half of `word`, which outlives the call, and `limit`,
    // which is local.
    let result = Errno::result(unsafe {
        libc::syscall(
            libc::SYS_futex,
            low_half(word),
            libc::FUTEX_WAIT,
            value as u32,
            &raw const limit,
            ptr::null::<u32>(),
            0,
        )
    });

    match result {
        Ok(_) | Err(Errno::EAGAIN) => Ok(false),
        Err(Errno::ETIMEDOUT | Errno::EINTR) => Ok(true),
        Err(err) => Err(err),
    }
}

/// Wakes up at most `count` of the processes that sleep in [`wait`] on the word.
///
/// # References
///
/// `FUTEX_WAKE` of `futex(2)`.
pub fn wake(word: &AtomicU64, count: i32) {
    // SAFETY: FUTEX_WAKE uses the address of `word` and accesses no memory.
    unsafe { libc::syscall(libc::SYS_futex, low_half(word), libc::FUTEX_WAKE, count) };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::testing::{in_child, refuse};

    #[test]
    fn another_value_does_not_sleep() {
        let word = AtomicU64::new(1 << 32 | 7);

        assert_eq!(wait(&word, 8, 3_600_000), Ok(false));
        // The upper half does not count: the time limit ends this sleep.
        assert_eq!(wait(&word, 7, 1), Ok(true));
    }

    #[test]
    fn a_filter_can_refuse() {
        in_child(|| {
            refuse(libc::SYS_futex);
            assert_eq!(wait(&AtomicU64::new(0), 0, 1), Err(Errno::ENOSYS));
        });
    }
}
