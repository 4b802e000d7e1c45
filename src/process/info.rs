//! What is known of the processes of the table beside what nginx keeps: in
//! memory that all of them share, so that any can tell.
//!
//! The parent writes, the others read; each number is right by itself, and
//! nothing depends on two of them together.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicI64, AtomicIsize, AtomicPtr, AtomicUsize};

use super::table::MAX_PROCESSES;
use crate::config::{ngx_int_t, ngx_uint_t};
use crate::sys::shm;

/// Of one slot.
pub struct Info {
    /// The number among the workers; -1: it is none.
    pub worker: AtomicIsize,
    /// How many configurations there had been when it was first started.
    pub generation: AtomicUsize,
    /// `NGX_PROCESS_WORKER` or `NGX_PROCESS_HELPER`; 0: not known.
    pub role: AtomicUsize,
    /// When its process was started, in seconds since 1970.
    pub started: AtomicI64,
    /// How often it was started again.
    pub respawns: AtomicUsize,
    /// Control messages that were sent to it.
    pub sent: AtomicUsize,
    /// Control messages that had to wait,
    pub queued: AtomicUsize,
    /// how many of them at most at a time,
    pub deepest: AtomicUsize,
    /// and how many it did not live to get.
    pub dropped: AtomicUsize,
}

impl Info {
    const fn new() -> Self {
        Self {
            worker: AtomicIsize::new(-1),
            generation: AtomicUsize::new(0),
            role: AtomicUsize::new(0),
            started: AtomicI64::new(0),
            respawns: AtomicUsize::new(0),
            sent: AtomicUsize::new(0),
            queued: AtomicUsize::new(0),
            deepest: AtomicUsize::new(0),
            dropped: AtomicUsize::new(0),
        }
    }

    /// A process of another kind takes the slot.
    pub fn reset(&self, role: ngx_uint_t, worker: ngx_int_t, generation: ngx_uint_t) {
        self.role.store(role, Relaxed);
        self.worker.store(worker, Relaxed);
        self.generation.store(generation, Relaxed);
    }

    /// Counts from zero again.
    pub fn clear_counters(&self) {
        for counter in [
            &self.respawns,
            &self.sent,
            &self.queued,
            &self.deepest,
            &self.dropped,
        ] {
            counter.store(0, Relaxed);
        }
    }
}

/// Of all slots.
pub type Infos = [Info; MAX_PROCESSES];

/// Before there is shared memory, and without it: this process's own.
static PRIVATE: Infos = [const { Info::new() }; MAX_PROCESSES];

static SHARED: AtomicPtr<Infos> = AtomicPtr::new(std::ptr::null_mut());

/// Has the processes that are forked from now on share what is known.
///
/// Without memory for that, each keeps what it knows to itself.
pub fn share() {
    if SHARED.load(Relaxed).is_null()
        && let Ok(infos) = shm::share::<Infos>()
    {
        SHARED.store(std::ptr::from_ref(infos).cast_mut(), Relaxed);
    }
}

/// What is known of all slots.
pub fn all() -> &'static Infos {
    shm::shared(&SHARED).unwrap_or(&PRIVATE)
}

/// What is known of slot `i`.
pub fn of(i: usize) -> &'static Info {
    let [first, ..] = all();

    all().get(i).unwrap_or(first)
}
