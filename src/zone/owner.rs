//! Which process holds a lock, and whether this process still exists.
//!
//! A process has a number of 64 bits, which a lock stores: the pid in the lower 32
//! bits, and an incarnation in the higher ones. The incarnation is made of the start time
//! of the process. So a process that gets the pid of a dead one has another number. The
//! incarnation is 0 if `/proc` does not tell the start time. Such a process counts as
//! running for as long as any process has its pid.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize};

use crate::config::ngx_pid_t;
use crate::sys::{at_fork, proc_stat, process, time};
use crate::zone::mixed::mixed;

/// The number of bits of an incarnation. A lock for readers and writers has no room for
/// more.
pub const INCARNATION_BITS: u32 = 29;

/// The shortest time between two looks for the owner of a lock in `try_lock`, in
/// nanoseconds.
const LOOK: u64 = 100_000_000;

/// The largest incarnation.
const MAX: u64 = (1 << INCARNATION_BITS) - 1;

/// The number of no process. Its lower half is no pid.
const NONE: u64 = u64::MAX;

/// The number of this process, or `NONE` until it is needed.
static OWN: AtomicU64 = AtomicU64::new(NONE);
/// Whether `forget` is called in each new child.
static FORGETS: AtomicBool = AtomicBool::new(false);

/// The number of this process, if it is known already. `pid` is the program's variable
/// `ngx_pid`.
///
/// The number is unknown if `ngx_pid` is not the pid in it: at the first call, in a new
/// child, and in a program that does not set `ngx_pid`. Then [`find_out`] has the number.
#[inline]
pub fn known(pid: ngx_pid_t) -> Option<u64> {
    let own = OWN.load(Relaxed);

    (pid_of(own) == pid).then_some(own)
}

/// The number that is known, which is not checked: that of this process, or of no process.
#[inline]
pub fn unchecked() -> u64 {
    OWN.load(Relaxed)
}

/// The number of this process, if `own` is that of no process; else `own`.
pub fn checked(own: u64) -> u64 {
    if own == NONE { find_out() } else { own }
}

/// The number of this process, from the kernel.
#[cold]
#[inline(never)]
pub fn find_out() -> u64 {
    let own = OWN.load(Relaxed);
    let pid = process::getpid();

    if pid_of(own) == pid {
        return own;
    }

    let own = number(pid, incarnation(proc_stat::own_start_time(pid)));

    // A child that does not set ngx_pid must not use the number of its parent.
    if FORGETS.load(Relaxed) || at_fork::in_child(forget).is_ok() {
        FORGETS.store(true, Relaxed);
        OWN.store(own, Relaxed);
    }

    own
}

/// Forgets the number of the parent, in a new child.
extern "C" fn forget() {
    OWN.store(NONE, Relaxed);
}

/// The number of a process.
pub const fn number(pid: ngx_pid_t, incarnation: u64) -> u64 {
    incarnation << 32 | pid.cast_unsigned() as u64
}

/// The pid in a number.
#[inline]
pub const fn pid_of(number: u64) -> ngx_pid_t {
    (number as u32).cast_signed()
}

/// The incarnation of a process with this start time; 0 if the time is unknown.
fn incarnation(start_time: Option<u64>) -> u64 {
    start_time.map_or(0, |time| time % MAX + 1)
}

/// Whether the process with this number has exited. A zombie has exited. A number that
/// has no valid pid belongs to no process.
pub fn has_exited(number: u64) -> bool {
    let pid = pid_of(number);

    pid <= 0 || process::has_exited(pid) || has_successor(pid, number >> 32)
}

/// Whether the pid belongs to a later process than the one with this incarnation.
fn has_successor(pid: ngx_pid_t, incarnation_before: u64) -> bool {
    let present = incarnation(proc_stat::start_time(pid));

    incarnation_before != 0 && present != 0 && present != incarnation_before && sees_start_times()
}

/// Whether this process sees the start times that the numbers are made of. It does not if
/// `/proc` is that of another PID namespace now, in a time namespace, and after it was
/// restored from a checkpoint.
fn sees_start_times() -> bool {
    let own = find_out();

    incarnation(proc_stat::own_start_time(pid_of(own))) == own >> 32
}

/// Whether `try_lock` may look for the owner of a taken lock now. The look needs several
/// system calls, and a program can try to take the lock very often.
pub fn is_time_to_look(lock: &AtomicU64) -> bool {
    /// The address of a lock, and when this process has looked, in nanoseconds. Locks share
    /// these words.
    static LOOKS: [(AtomicUsize, AtomicU64); 64] =
        [const { (AtomicUsize::new(0), AtomicU64::new(0)) }; 64];

    let address = lock.as_ptr().addr();
    let now = time::nanoseconds();
    let Some((last, time)) = LOOKS.get(mixed(address, LOOKS.len())) else {
        return false;
    };

    if last.load(Relaxed) == address && now.wrapping_sub(time.load(Relaxed)) <= LOOK {
        return false;
    }

    last.store(address, Relaxed);
    time.store(now, Relaxed);

    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::process::{Fork, exit_now, fork};

    #[test]
    fn a_number_has_the_pid_in_its_lower_half() {
        let own = find_out();

        assert_eq!(own as u32, std::process::id());
        assert_ne!(own >> 32, 0);
        assert!(own >> 32 <= MAX);
        assert!(!has_exited(own));
    }

    #[test]
    fn another_start_time_is_another_process() {
        let own = find_out();
        let earlier = own ^ 1 << 32;

        assert!(has_exited(earlier));
        // Without an incarnation the pid decides.
        assert!(!has_exited(own & 0xffff_ffff));
        assert!(
            [0, u64::from(u32::MAX), 1 << 32]
                .iter()
                .all(|&n| has_exited(n))
        );
    }

    #[test]
    fn incarnations_fit_and_are_not_0() {
        let times = [0, 1, MAX - 1, MAX, MAX + 1, u64::MAX];

        assert!(
            times
                .iter()
                .all(|&t| (1..=MAX).contains(&incarnation(Some(t))))
        );
        assert_eq!(incarnation(None), 0);
    }

    #[test]
    fn a_child_has_its_own_number_and_a_zombie_has_exited() {
        let parent = find_out();

        match fork().unwrap() {
            // The child passes a stale ngx_pid.
            Fork::Child => exit_now(i32::from(
                known(pid_of(parent)).is_some() || find_out() == parent,
            )),
            Fork::Parent(pid) => {
                while !process::has_exited(pid) {
                    crate::sys::time::pause(1);
                }

                assert!(has_exited(number(pid, 0)));
                assert_eq!(process::reap(pid).unwrap().unwrap().status, 0);
            }
        }
    }
}
