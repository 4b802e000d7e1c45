//! Processes on processors of their own, and words that they share.

use std::cell::RefCell;
use std::hint::black_box;
use std::ptr;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Acquire, Release};
use std::time::Instant;

thread_local! {
    static TRIPS: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) };
}

/// Runs this process on one processor.
pub fn pin(cpu: usize) {
    // SAFETY: an all-zero set is a valid value, and the kernel reads it only.
    unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();

        libc::CPU_SET(cpu, &mut set);
        libc::sched_setaffinity(0, size_of_val(&set), &raw const set);
    }
}

/// Describes the two processors: whether they are one core.
pub fn processors() -> String {
    let file = "/sys/devices/system/cpu/cpu0/topology/thread_siblings_list";
    let siblings = std::fs::read_to_string(file).unwrap_or_default();
    let is_one = siblings
        .trim()
        .split([',', '-'])
        .any(|processor| processor == "1");

    if is_one {
        "The processors 0 and 1 are threads of one core.".to_owned()
    } else {
        "The processors 0 and 1 are different cores, as the kernel sees it.".to_owned()
    }
}

/// Runs `work` in a child on the first processor. Returns when the child runs
/// there, and this process is on the second processor.
pub fn child(work: impl FnOnce()) -> i32 {
    let running = Shared::new(4096);

    pin(0);

    // SAFETY: the program has one thread.
    match unsafe { libc::fork() } {
        0 => {
            running.word(0).store(1, Release);
            work();
            // SAFETY: the child has nothing to clean up.
            unsafe { libc::_exit(0) }
        }
        pid => {
            pin(1);

            while running.word(0).load(Acquire) == 0 {
                std::thread::yield_now();
            }

            pid
        }
    }
}

/// Reads the first 64 bytes of a payload, as a handler does. The rest of a larger one
/// is not read: a handler passes it on.
#[inline]
pub fn look_at(payload: &[u8]) {
    let mut sum = 0;

    for word in payload[..payload.len().min(64)].as_chunks().0 {
        sum ^= u64::from_ne_bytes(*word);
    }

    black_box(sum);
}

/// Makes the page tables of this process for shared memory, so that no page fault
/// is measured.
pub fn populate(start: *mut u8, len: usize) {
    // SAFETY: the caller has mapped these bytes, and this changes none of them.
    unsafe { libc::madvise(start.cast(), len, libc::MADV_POPULATE_WRITE) };
}

/// Waits for the children.
pub fn wait(pids: &[i32]) {
    for &pid in pids {
        let mut status = 0;

        // SAFETY: the kernel writes `status`, which is local.
        unsafe { libc::waitpid(pid, &raw mut status, 0) };
        assert_eq!(status, 0, "a child failed");
    }
}

/// Shared memory of zeros, which is unmapped when this value is dropped.
pub struct Shared {
    start: *mut u8,
    size: usize,
}

impl Shared {
    pub fn new(size: usize) -> Self {
        // SAFETY: the kernel chooses the address.
        let start = unsafe {
            libc::mmap(
                ptr::null_mut(),
                size,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED | libc::MAP_ANON | libc::MAP_POPULATE,
                -1,
                0,
            )
        };

        assert_ne!(start, libc::MAP_FAILED);

        Self {
            start: start.cast(),
            size,
        }
    }

    pub fn word(&self, at: usize) -> &AtomicU64 {
        assert!(at + 8 <= self.size && at.is_multiple_of(8));
        // SAFETY: the word lies in the mapping and is aligned.
        unsafe { AtomicU64::from_ptr(self.start.add(at).cast()) }
    }

    /// See [`populate`].
    pub fn populate(&self) {
        populate(self.start, self.size);
    }

    pub fn at(&self, at: usize) -> *mut u8 {
        assert!(at <= self.size);
        // SAFETY: `at` lies in the mapping.
        unsafe { self.start.add(at) }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // SAFETY: `new` has mapped it.
        unsafe { libc::munmap(self.start.cast(), self.size) };
    }
}

/// Runs `trip` `n` times, and notes how long each one takes. Returns the mean in
/// nanoseconds.
pub fn time_each(n: usize, mut trip: impl FnMut()) -> f64 {
    let start = Instant::now();
    let mut last = start;

    for _ in 0..n {
        trip();

        let now = Instant::now();

        add_trip((now - last).as_nanos() as u64);
        last = now;
    }

    (last - start).as_nanos() as f64 / n as f64
}

/// Notes the nanoseconds of one trip.
pub fn add_trip(nanoseconds: u64) {
    TRIPS.with_borrow_mut(|trips| trips.push(nanoseconds));
}

/// The nanoseconds of each trip since the last call.
pub fn take_trips() -> Vec<u64> {
    TRIPS.take()
}

/// The nanoseconds of one of `n` operations that `work` does.
pub fn time(n: usize, work: impl FnOnce()) -> f64 {
    let start = Instant::now();

    work();
    start.elapsed().as_nanos() as f64 / n as f64
}
