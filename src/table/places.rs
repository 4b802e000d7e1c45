//! Counters of places: of worker 3, for example, or of the helper "cache manager
//! process".
//!
//! The counters of a slot begin at zero when the slot gets another process, and after
//! a reload worker 3 has another slot. The counters here are those of all processes
//! that have had the place since the program has started, so they never decrease.

use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;

use super::name::Name;
use super::role::{Role, WorkerNumber};
use super::slot::NGX_MAX_PROCESSES;
use crate::config::ngx_int_t;
use crate::sys::shm::impl_share;
use crate::sys::text::Text;

/// The number of places of processes that are not workers, known by their names. The
/// last one is that of all further names.
const OTHERS: usize = 32;
/// The number of places. Worker N has the place N.
pub const PLACES: usize = NGX_MAX_PROCESSES + OTHERS;

/// A number that is counted for each place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counter {
    /// Processes that were started again.
    Respawns,
    /// Control messages that the master has sent.
    Sent,
    /// Control messages that the master has queued.
    Queued,
    /// Control messages that the master has dropped.
    Dropped,
    /// Milliseconds in user mode, of processes that have exited.
    CpuUser,
    /// Milliseconds in the kernel, of processes that have exited.
    CpuSystem,
}

const COUNTERS: usize = Counter::CpuSystem as usize + 1;

/// A place.
pub struct Place {
    /// The name of the processes; empty if the place was never used.
    pub name: Name,
    role: AtomicUsize,
    worker: AtomicUsize,
    counters: [AtomicUsize; COUNTERS],
}

impl_share!(Place {
    name,
    role,
    worker,
    counters,
});

impl Place {
    /// A place that was never used.
    pub const fn unused() -> Self {
        Self {
            name: Name::new(),
            role: AtomicUsize::new(0),
            worker: AtomicUsize::new(0),
            counters: [const { AtomicUsize::new(0) }; COUNTERS],
        }
    }

    /// Copies what identifies the place.
    pub fn copy(&self, from: &Self) {
        if from.is_used() {
            self.name.copy(&from.name);
            self.role.store(from.role.load(Relaxed), Relaxed);
            self.worker.store(from.worker.load(Relaxed), Relaxed);
        }
    }

    /// Whether a process has had the place.
    pub fn is_used(&self) -> bool {
        !self.name.is_empty()
    }

    /// The role of the processes.
    pub fn role(&self) -> Role {
        Role::from_c(self.role.load(Relaxed)).unwrap_or_default()
    }

    /// The number of the worker; -1 if the processes are not workers.
    pub fn worker(&self) -> ngx_int_t {
        self.worker.load(Relaxed).cast_signed() - 1
    }

    /// Adds `n` to a counter.
    pub fn add(&self, counter: Counter, n: usize) {
        if let Some(counter) = self.counters.get(counter as usize) {
            counter.fetch_add(n, Relaxed);
        }
    }

    /// The value of a counter.
    pub fn get(&self, counter: Counter) -> usize {
        self.counters
            .get(counter as usize)
            .map_or(0, |counter| counter.load(Relaxed))
    }

    fn take(&self, name: Text, role: Role, worker: Option<WorkerNumber>) {
        self.worker
            .store((WorkerNumber::to_c(worker) + 1).unsigned_abs(), Relaxed);
        self.role.store(role.to_c(), Relaxed);
        self.name.store(name);
    }
}

/// Finds the place of a process, or takes a place for it. Returns the index.
pub fn find(places: &[Place], name: Text, role: Role, worker: Option<WorkerNumber>) -> usize {
    let name = if name.bytes().is_none_or(<[u8]>::is_empty) {
        Text::new(c"-")
    } else {
        name
    };
    let number = worker.map(|worker| WorkerNumber::to_c(Some(worker)).unsigned_abs());

    if let Some(number) =
        number.filter(|&number| role == Role::Worker && number < NGX_MAX_PROCESSES)
    {
        if let Some(place) = places.get(number).filter(|place| !place.is_used()) {
            place.take(name, role, worker);
        }

        return number;
    }

    let last = places.len().saturating_sub(1);

    for (index, place) in places.iter().enumerate().skip(NGX_MAX_PROCESSES) {
        if !place.is_used() {
            let name = if index == last {
                Text::new(c"others")
            } else {
                name
            };
            let role = if index == last { Role::Other } else { role };

            place.take(name, role, None);
            return index;
        }

        if place.role() == role && place.name.is(name) {
            return index;
        }
    }

    last
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(places: &[Place]) -> Vec<(usize, ngx_int_t)> {
        let used = places
            .iter()
            .enumerate()
            .filter(|(_, place)| place.is_used());

        used.map(|(index, place)| (index, place.worker())).collect()
    }

    #[test]
    fn a_process_has_the_place_of_its_predecessor() {
        let places = [const { Place::unused() }; PLACES];
        let worker = Text::new(c"worker process");
        let number = |number| Some(WorkerNumber::new(number));

        assert_eq!(find(&places, worker, Role::Worker, number(3)), 3);
        assert_eq!(find(&places, worker, Role::Worker, number(3)), 3);

        let first = NGX_MAX_PROCESSES;
        let (a, b) = (Text::new(c"a"), Text::new(c"b"));

        assert_eq!(find(&places, a, Role::Helper, None), first);
        assert_eq!(find(&places, b, Role::Helper, None), first + 1);
        assert_eq!(find(&places, a, Role::Other, None), first + 2);
        assert_eq!(find(&places, a, Role::Helper, None), first);
        assert_eq!(
            names(&places),
            [(3, 3), (first, -1), (first + 1, -1), (first + 2, -1)]
        );

        places[3].add(Counter::CpuUser, 70);
        places[3].add(Counter::CpuUser, 7);
        assert_eq!(places[3].get(Counter::CpuUser), 77);
        assert_eq!(places[3].get(Counter::CpuSystem), 0);
        assert_eq!(places[first].role(), Role::Helper);
    }

    #[test]
    fn names_that_have_no_place_share_the_last_one() {
        let places = [const { Place::unused() }; PLACES];

        for n in 0..2 * OTHERS {
            let name = std::ffi::CString::new(n.to_string()).unwrap();
            let name = Text::new(Box::leak(name.into_boxed_c_str()));

            assert_eq!(
                find(&places, name, Role::Other, None),
                (NGX_MAX_PROCESSES + n).min(PLACES - 1)
            );
        }

        assert!(places[PLACES - 1].name.is(Text::new(c"others")));
    }
}
