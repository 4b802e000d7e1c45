//! Processes that are to be started, and the list of those that wait for it.
//!
//! A process waits if it could not be started for the first time, or if the
//! table is full (`D2`). All of them have one time at which the master tries
//! again; after each failure the delay doubles, see [`Restart`].
//!
//! The list is fixed memory and consists of atomics, since nginx's master
//! works on it in a signal handler.

use std::ffi::c_void;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicIsize, AtomicPtr, AtomicUsize};

use crate::config::ngx_msec_t;
use crate::sys::text::AtomicText;
use crate::table::globals::Globals;
use crate::table::restart::{self, Restart};
use crate::table::role::{self, Role, WorkerNumber};
use crate::table::slot::NGX_MAX_PROCESSES;
use crate::table::slots::Work;

/// A process that is to be started.
#[derive(Clone, Copy)]
pub struct Wanted {
    /// What it runs.
    pub work: Work,
    /// Its role.
    pub role: Role,
    /// Its number among the workers, if it has one.
    pub worker: Option<WorkerNumber>,
}

impl Wanted {
    /// A process of which only the function is known.
    pub fn new(work: Work) -> Self {
        Self {
            work,
            role: Role::Other,
            worker: None,
        }
    }
}

/// [`Wanted`] as atomics.
struct Entry {
    proc: AtomicPtr<c_void>,
    data: AtomicPtr<c_void>,
    name: AtomicText,
    role: AtomicUsize,
    worker: AtomicIsize,
}

impl Entry {
    const fn new() -> Self {
        Self {
            proc: AtomicPtr::new(std::ptr::null_mut()),
            data: AtomicPtr::new(std::ptr::null_mut()),
            name: AtomicText::null(),
            role: AtomicUsize::new(0),
            worker: AtomicIsize::new(0),
        }
    }

    fn store(&self, wanted: &Wanted) {
        self.proc.store(wanted.work.proc, Relaxed);
        self.data.store(wanted.work.data, Relaxed);
        self.name.store(wanted.work.name);
        self.role.store(wanted.role.to_c(), Relaxed);
        self.worker
            .store(WorkerNumber::to_c(wanted.worker), Relaxed);
    }

    fn load(&self) -> Wanted {
        Wanted {
            work: Work {
                proc: self.proc.load(Relaxed),
                data: self.data.load(Relaxed),
                name: self.name.load(),
            },
            role: Role::from_c(self.role.load(Relaxed)).unwrap_or_default(),
            worker: WorkerNumber::from_c(self.worker.load(Relaxed)),
        }
    }
}

/// The processes that wait, `COUNT` of them. No more than these can run.
static LIST: [Entry; NGX_MAX_PROCESSES] = [const { Entry::new() }; NGX_MAX_PROCESSES];
static COUNT: AtomicUsize = AtomicUsize::new(0);
/// When the master tries again to start them.
static RETRY: Restart = Restart::unused();

/// Whether no process waits.
pub fn is_empty() -> bool {
    COUNT.load(Relaxed) == 0
}

/// No process is wanted any more.
pub fn clear() {
    COUNT.store(0, Relaxed);
}

/// Adds a process that could not be started for the first time.
pub fn add(wanted: &Wanted) {
    if is_empty() {
        let now = restart::now();

        RETRY.first_start(now);
        RETRY.after_failure(now);
    }

    push(wanted);
}

fn push(wanted: &Wanted) {
    let count = COUNT.load(Relaxed);

    if let Some(entry) = LIST.get(count) {
        entry.store(wanted);
        COUNT.store(count + 1, Relaxed);
    }
}

/// Milliseconds until the master has to try again; `None` if no process waits,
/// if this process is about to exit, and in a child, which inherits the list.
pub fn due_in(g: &Globals) -> Option<ngx_msec_t> {
    if is_empty() || g.leaving() || !role::is_master(g) {
        return None;
    }

    Some(RETRY.due_in(restart::now()))
}

/// The processes that wait, in the order in which they were added.
#[cfg(feature = "standalone")]
pub fn all() -> Vec<Wanted> {
    LIST.iter()
        .take(COUNT.load(Relaxed))
        .map(Entry::load)
        .collect()
}

/// The master has tried to start all, and could not start `failed`: they wait
/// twice as long.
#[cfg(feature = "standalone")]
pub fn keep(failed: &[Wanted]) {
    clear();
    failed.iter().for_each(push);

    if !is_empty() {
        RETRY.after_failure(restart::now());
    }
}

/// Hands the processes over to `take`, the last one first, until it returns
/// `false`; the rest waits twice as long.
#[cfg(not(feature = "standalone"))]
pub fn hand_over(mut take: impl FnMut(Wanted) -> bool) {
    while let Some(last) = COUNT.load(Relaxed).checked_sub(1) {
        let Some(entry) = LIST.get(last) else { return };

        if !take(entry.load()) {
            RETRY.after_failure(restart::now());
            return;
        }

        COUNT.store(last, Relaxed);
    }
}

/// A child has been reaped, so a slot will be free soon: shortens the delay.
#[cfg(not(feature = "standalone"))]
pub fn hasten() {
    RETRY.hasten(restart::now());
}

#[cfg(all(test, feature = "standalone"))]
mod tests {
    use super::*;
    use crate::sys::text::Text;

    fn worker(number: usize) -> Wanted {
        Wanted {
            work: Work {
                proc: std::ptr::null_mut(),
                data: std::ptr::without_provenance_mut(number),
                name: Text::new(c"worker process"),
            },
            role: Role::Worker,
            worker: Some(WorkerNumber::new(number)),
        }
    }

    #[test]
    fn processes_that_fail_again_keep_their_order_and_wait_twice_as_long() {
        restart::set_delays(true);
        (0..4).map(worker).for_each(|wanted| add(&wanted));

        let now = restart::now();

        assert!(RETRY.due_in(now) <= 100);
        keep(&[worker(1), worker(3)]);
        assert!(RETRY.due_in(now) >= 200);

        let left: Vec<_> = all().iter().map(|wanted| wanted.worker).collect();

        assert_eq!(left, [1, 3].map(WorkerNumber::new).map(Some));
        assert!(all().iter().all(|wanted| wanted.role == Role::Worker));

        keep(&[]);
        assert!(is_empty());
    }
}
