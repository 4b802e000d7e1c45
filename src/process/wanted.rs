//! Processes that are to be started, and the waiting list of the processes that
//! could not be started yet.
//!
//! The master of the standalone host lists each process whose first start failed
//! (`D2`). nginx's master lists a process only if the table is full; in other
//! cases it reserves a slot for the process. The master retries all processes of
//! the list at the same time. After each failure the delay doubles, see
//! [`Restart`].
//!
//! The list is a static array of atomics, because nginx's master changes the
//! list in a signal handler, where no memory can be allocated.

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
    /// The function that the process runs, its argument and its name.
    pub work: Work,
    /// The role of the process.
    pub role: Role,
    /// The worker number of the process; `None` if the process has none.
    pub worker: Option<WorkerNumber>,
}

impl Wanted {
    /// Makes the description of a process that has no known role and no worker
    /// number.
    pub fn new(work: Work) -> Self {
        Self {
            work,
            role: Role::Other,
            worker: None,
        }
    }
}

/// A [`Wanted`] in atomic variables, for the waiting list.
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

/// The waiting list; its first `COUNT` entries are used. The list has as many
/// entries as the process table has slots, so more processes could never run.
static LIST: [Entry; NGX_MAX_PROCESSES] = [const { Entry::new() }; NGX_MAX_PROCESSES];
static COUNT: AtomicUsize = AtomicUsize::new(0);
/// The time at which the master retries the processes of the waiting list.
static RETRY: Restart = Restart::unused();

/// Whether the waiting list is empty.
pub fn is_empty() -> bool {
    COUNT.load(Relaxed) == 0
}

/// Empties the waiting list, because its processes are not wanted any more.
pub fn clear() {
    COUNT.store(0, Relaxed);
}

/// Adds a process whose first start failed to the waiting list.
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

/// Milliseconds until the master has to retry the processes of the waiting
/// list. `None` if the list is empty, if this process is about to exit, or if
/// it is not a master: a child inherits the list, but must not start the
/// processes.
pub fn due_in(g: &Globals) -> Option<ngx_msec_t> {
    if is_empty() || g.leaving() || !role::is_master(g) {
        return None;
    }

    Some(RETRY.due_in(restart::now()))
}

/// The number of processes of the waiting list.
#[cfg(feature = "standalone")]
pub fn count() -> usize {
    COUNT.load(Relaxed)
}

/// The process with the index `index` of the waiting list, in the order in which
/// the processes were added; `None` if the list has fewer processes.
#[cfg(feature = "standalone")]
pub fn get(index: usize) -> Option<Wanted> {
    LIST.get(index).filter(|_| index < count()).map(Entry::load)
}

/// Moves the process with the index `from` to the index `to`, which is not
/// larger.
#[cfg(feature = "standalone")]
pub fn move_to(from: usize, to: usize) {
    if let (Some(wanted), Some(entry)) = (get(from), LIST.get(to)) {
        entry.store(&wanted);
    }
}

/// Keeps the first `n` processes of the waiting list: those that the master has
/// tried to start again without success. Doubles the delay before the next
/// attempt.
#[cfg(feature = "standalone")]
pub fn keep_first(n: usize) {
    COUNT.fetch_min(n, Relaxed);

    if !is_empty() {
        RETRY.after_failure(restart::now());
    }
}

/// Hands the processes of the waiting list over to `take`, the last process
/// first, until `take` returns `false`. If processes are left in the list then,
/// doubles the delay before the next attempt.
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

/// Shortens the delay of the waiting list, because a child has been reaped and
/// a slot will be free soon.
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
        move_to(1, 0);
        move_to(3, 1);
        keep_first(2);
        assert!(RETRY.due_in(now) >= 200);

        let left: Vec<_> = (0..count()).filter_map(get).collect();

        assert_eq!(
            left.iter().map(|wanted| wanted.worker).collect::<Vec<_>>(),
            [1, 3].map(WorkerNumber::new).map(Some)
        );
        assert!(left.iter().all(|wanted| wanted.role == Role::Worker));
        assert!(get(2).is_none());

        keep_first(0);
        assert!(is_empty());
    }
}
