//! Per-slot data that `ngx_process_t` has no field for, in shared memory, so
//! that every process can read it.
//!
//! Only the master writes, except for the role and the state "exiting", which
//! a worker sets for itself in nginx. Each number is an atomic that is right by
//! itself, and is accessed `Relaxed`. Two readers need two numbers together:
//! [`Stats::view`] allows for a pid and a state that do not match, and
//! [`Stats::first_pid`] depends on the order in which the master writes.

use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicI32, AtomicI64, AtomicUsize};

use super::globals::Globals;
use super::minus_one::{MinusOneI32, MinusOneIsize};
use super::restart::Restart;
use super::role::{self, Role, WorkerNumber};
use super::slot::{NGX_MAX_PROCESSES, Slot};
use super::state::State;
use crate::config::{NGX_INVALID_PID, ngx_pid_t, ngx_uint_t};
use crate::sys::shm::{self, Shared, impl_share};

/// The data of one slot.
pub struct Stats {
    pid: MinusOneI32,
    state: AtomicI32,
    worker: MinusOneIsize,
    role: AtomicUsize,
    /// The generation for which the process was started first.
    pub generation: AtomicUsize,
    /// When the process was started, in seconds since 1970.
    pub started: AtomicI64,
    /// The number of times that the process was started again.
    pub respawns: AtomicUsize,
    /// When the process may be started again.
    pub restart: Restart,
    /// The number of control messages that the master has sent to the process.
    pub sent: AtomicUsize,
    /// The number of control messages that were queued because the channel of
    /// the process was full.
    pub queued: AtomicUsize,
    /// The largest number of control messages that were queued at one time.
    pub queued_max: AtomicUsize,
    /// The number of control messages that were dropped because the process
    /// had exited.
    pub dropped: AtomicUsize,
}

impl_share!(Stats {
    pid,
    state,
    worker,
    role,
    generation,
    started,
    respawns,
    restart,
    sent,
    queued,
    queued_max,
    dropped,
});

impl Stats {
    const fn new() -> Self {
        Self {
            pid: MinusOneI32::new(),
            state: AtomicI32::new(State::Empty as i32),
            worker: MinusOneIsize::new(),
            role: AtomicUsize::new(0),
            generation: AtomicUsize::new(0),
            started: AtomicI64::new(0),
            respawns: AtomicUsize::new(0),
            restart: Restart::unused(),
            sent: AtomicUsize::new(0),
            queued: AtomicUsize::new(0),
            queued_max: AtomicUsize::new(0),
            dropped: AtomicUsize::new(0),
        }
    }

    fn copy(&self, from: &Self) {
        self.pid.store(from.pid.load(Relaxed), Relaxed);
        self.state.store(from.state.load(Relaxed), Relaxed);
        self.worker.store(from.worker.load(Relaxed), Relaxed);
        self.role.store(from.role.load(Relaxed), Relaxed);
        self.generation
            .store(from.generation.load(Relaxed), Relaxed);
        self.started.store(from.started.load(Relaxed), Relaxed);
        self.respawns.store(from.respawns.load(Relaxed), Relaxed);
        self.restart.copy(&from.restart);
    }

    /// Describes the process that is about to be started in the slot for the
    /// first time.
    pub fn describe(&self, role: Role, worker: Option<WorkerNumber>, generation: ngx_uint_t) {
        self.set_role(role, worker);
        self.generation.store(generation, Relaxed);
    }

    /// Sets the role of the process, and its number among the workers.
    pub fn set_role(&self, role: Role, worker: Option<WorkerNumber>) {
        self.role.store(role.to_c(), Relaxed);
        self.worker.store(WorkerNumber::to_c(worker), Relaxed);
    }

    /// The role of the process.
    pub fn role(&self) -> Role {
        Role::from_c(self.role.load(Relaxed)).unwrap_or_default()
    }

    /// The number of the process among the workers; `None` if it has none.
    pub fn worker(&self) -> Option<WorkerNumber> {
        WorkerNumber::from_c(self.worker.load(Relaxed))
    }

    /// The process `pid` runs in the slot.
    pub fn set_running(&self, pid: ngx_pid_t) {
        // Release: who reads this pid reads the number of respawns that was
        // written before, see `first_pid`.
        self.pid.store(pid, Release);
        self.state.store(State::Running as i32, Relaxed);
    }

    /// The pid of the process, if it runs and was not started again.
    pub fn first_pid(&self) -> Option<ngx_pid_t> {
        let pid = self.pid.load(Acquire);

        (pid != NGX_INVALID_PID && self.respawns.load(Relaxed) == 0).then_some(pid)
    }

    /// The slot is empty.
    pub fn clear(&self) {
        self.set_without_process(State::Empty);
    }

    /// The slot is reserved for a process that is started later.
    pub fn set_waiting(&self) {
        self.set_without_process(State::Waiting);
    }

    fn set_without_process(&self, state: State) {
        self.pid.store(NGX_INVALID_PID, Relaxed);
        self.state.store(state as i32, Relaxed);
    }

    /// The process has been told to exit.
    pub fn mark_exiting(&self) {
        let _ = self.state.compare_exchange(
            State::Running as i32,
            State::Exiting as i32,
            Relaxed,
            Relaxed,
        );
    }

    /// The process and its state.
    ///
    /// The master writes them one after the other. A reader that sees a
    /// running process without a pid in between takes the slot for empty.
    pub fn view(&self) -> (ngx_pid_t, State) {
        const RUNNING: i32 = State::Running as i32;
        const EXITING: i32 = State::Exiting as i32;
        const WAITING: i32 = State::Waiting as i32;

        let pid = self.pid.load(Relaxed);

        match self.state.load(Relaxed) {
            RUNNING if pid != NGX_INVALID_PID => (pid, State::Running),
            EXITING if pid != NGX_INVALID_PID => (pid, State::Exiting),
            WAITING => (NGX_INVALID_PID, State::Waiting),
            _ => (NGX_INVALID_PID, State::Empty),
        }
    }

    /// Sets all counters to zero.
    pub fn clear_counters(&self) {
        for counter in [
            &self.respawns,
            &self.sent,
            &self.queued,
            &self.queued_max,
            &self.dropped,
        ] {
            counter.store(0, Relaxed);
        }
    }
}

/// The data of all slots, and of [`Slot::NONE`].
type AllStats = [Stats; NGX_MAX_PROCESSES + 1];

/// The data of a process that shares none: a program before [`share`] or
/// without memory for it, and a worker's data of its own children, whose slots
/// have nothing to do with the master's.
static PRIVATE: AllStats = [const { Stats::new() }; NGX_MAX_PROCESSES + 1];

/// The master's data of all slots, if there is memory for it.
static SHARED: Shared<AllStats> = Shared::none();

/// The index of the slot that the master has started this process in.
#[cfg(not(feature = "standalone"))]
static OWN: AtomicUsize = AtomicUsize::new(NGX_MAX_PROCESSES);

/// Makes the processes that are forked from now on share the data.
///
/// If there is no memory for that, each process keeps its own.
pub fn share() {
    if is_shared() {
        return;
    }

    if let Ok(shared) = shm::share::<AllStats>() {
        for (to, from) in shared.iter().zip(&PRIVATE) {
            to.copy(from);
        }

        SHARED.set(shared);
    }
}

/// Whether the data is shared. If not, what a worker reads is the master's at
/// the time of the fork.
pub fn is_shared() -> bool {
    SHARED.get().is_some()
}

/// The master's data of a slot, to be read.
pub fn of(slot: Slot) -> &'static Stats {
    at(all(), slot)
}

/// The data that this process has of its child in a slot, to be written.
pub fn of_child(g: &Globals, slot: Slot) -> &'static Stats {
    if role::acts_as_master(g) {
        at(all(), slot)
    } else {
        at(&PRIVATE, slot)
    }
}

fn all() -> &'static AllStats {
    SHARED.get().unwrap_or(&PRIVATE)
}

fn at(stats: &'static AllStats, slot: Slot) -> &'static Stats {
    let [.., none] = stats;

    stats.get(slot.index()).unwrap_or(none)
}

/// In a new child: keeps the slot that its parent has started it in, if the
/// parent is the master.
#[cfg(not(feature = "standalone"))]
pub fn set_own_slot(g: &Globals, slot: Slot) {
    let slot = if role::acts_as_master(g) {
        slot
    } else {
        Slot::NONE
    };

    OWN.store(slot.index(), Relaxed);
}

/// The master's data of this process.
#[cfg(not(feature = "standalone"))]
pub fn of_self() -> &'static Stats {
    of(Slot::new(OWN.load(Relaxed)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_without_a_pid_does_not_run() {
        let stats = Stats::new();

        stats.set_running(7);
        assert_eq!(stats.view(), (7, State::Running));

        // As a reader may find it while `clear` is at work.
        stats.pid.store(NGX_INVALID_PID, Relaxed);
        assert_eq!(stats.view().1, State::Empty);

        stats.mark_exiting();
        assert_eq!(stats.view().1, State::Empty);

        stats.set_waiting();
        assert_eq!(stats.view(), (NGX_INVALID_PID, State::Waiting));
    }
}
