//! The start of the program, in the data that the master publishes.

use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicI32, AtomicI64, AtomicUsize};

use crate::config::ngx_pid_t;
use crate::sys::shm::impl_share;
use crate::sys::time;

/// When the program has started, and its master.
pub struct Program {
    master: AtomicI32,
    /// In seconds since 1970; 0 if the start was not recorded.
    started: AtomicI64,
    /// The same in seconds of the clock that is never set.
    monotonic: AtomicI64,
    /// The number of processes whose processor time was added to their places.
    reaped: AtomicUsize,
}

impl_share!(Program {
    master,
    started,
    monotonic,
    reaped,
});

impl Program {
    /// A program that has not started.
    pub const fn not_started() -> Self {
        Self {
            master: AtomicI32::new(0),
            started: AtomicI64::new(0),
            monotonic: AtomicI64::new(0),
            reaped: AtomicUsize::new(0),
        }
    }

    /// Records that the process `master` starts the program now. Does nothing if the
    /// start is recorded already.
    pub fn begin(&self, master: ngx_pid_t) {
        if self.started.load(Relaxed) == 0 {
            self.master.store(master, Relaxed);
            self.started.store(time::realtime().sec, Relaxed);
            self.monotonic.store(time::monotonic().sec, Relaxed);
        }
    }

    /// Copies the start of `from`. The process `master` is the master.
    pub fn copy(&self, from: &Self, master: ngx_pid_t) {
        self.master.store(master, Relaxed);
        self.started.store(from.started.load(Relaxed), Relaxed);
        self.monotonic.store(from.monotonic.load(Relaxed), Relaxed);
    }

    /// Records that the processor time of a process was added to its place.
    pub fn count_reaped(&self) {
        // `Release`, so that a process that reads this number reads the times, too.
        self.reaped.fetch_add(1, Release);
    }

    /// The number of processes whose processor time was added to their places.
    pub fn reaped(&self) -> usize {
        self.reaped.load(Acquire)
    }

    /// The pid of the master.
    pub fn master(&self) -> ngx_pid_t {
        self.master.load(Relaxed)
    }

    /// The time of the start, in seconds since 1970.
    pub fn started(&self) -> i64 {
        self.started.load(Relaxed)
    }

    /// The seconds since the start, also if the clock was set meanwhile.
    pub fn uptime(&self) -> i64 {
        time::monotonic()
            .sec
            .saturating_sub(self.monotonic.load(Relaxed))
    }
}
