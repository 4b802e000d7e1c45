//! Per-slot data for which `ngx_process_t` has no field. The master publishes
//! the data: every process can read it, and only the master can write it. The
//! master decides nothing by it (`D38`).
//!
//! Each number is an atomic whose meaning does not depend on another number, so
//! it is accessed `Relaxed`. Two functions need two numbers that belong
//! together: [`Stats::view`] treats a pid and a state that do not match as an
//! empty slot, and [`Stats::first_pid`] depends on the order in which the master
//! writes the number of respawns and the pid.

use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicI32, AtomicI64, AtomicUsize};

use super::globals::Globals;
use super::minus_one::{MinusOneI32, MinusOneIsize};
use super::name::Name;
use super::places::{self, Counter, PLACES, Place};
use super::program::Program;
use super::role::{self, Role, WorkerNumber};
use super::slot::{NGX_MAX_PROCESSES, Slot};
use super::state::State;
use crate::config::{NGX_INVALID_PID, ngx_pid_t, ngx_uint_t};
use crate::sys::published::Published;
use crate::sys::shm::impl_share;
use crate::sys::text::Text;
use crate::sys::usage::Cpu;

/// The data of one slot.
pub struct Stats {
    pid: MinusOneI32,
    state: AtomicI32,
    worker: MinusOneIsize,
    role: AtomicUsize,
    /// The name of the process in log lines.
    pub name: Name,
    /// The index of the process's place in [`mod@places`].
    pub place: AtomicUsize,
    /// The generation in which the process was started for the first time.
    pub generation: AtomicUsize,
    /// The time of the last start, in seconds since 1970.
    pub started: AtomicI64,
    /// The number of times that the master has started the process again.
    pub respawns: AtomicUsize,
    /// The number of control messages that the master has sent to the process.
    pub sent: AtomicUsize,
    /// The number of control messages that were queued because the channel of
    /// the process was full.
    pub queued: AtomicUsize,
    /// The largest number of control messages that were queued at one time.
    pub queued_max: AtomicUsize,
    /// The number of control messages that were queued and then dropped,
    /// because the process exited before they could be sent.
    pub dropped: AtomicUsize,
}

impl_share!(Stats {
    pid,
    state,
    worker,
    role,
    name,
    place,
    generation,
    started,
    respawns,
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
            name: Name::new(),
            place: AtomicUsize::new(0),
            generation: AtomicUsize::new(0),
            started: AtomicI64::new(0),
            respawns: AtomicUsize::new(0),
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
        self.name.copy(&from.name);
        self.place.store(from.place.load(Relaxed), Relaxed);
        self.generation
            .store(from.generation.load(Relaxed), Relaxed);
        self.started.store(from.started.load(Relaxed), Relaxed);
        self.respawns.store(from.respawns.load(Relaxed), Relaxed);
    }

    fn counter(&self, counter: Counter) -> Option<&AtomicUsize> {
        match counter {
            Counter::Respawns => Some(&self.respawns),
            Counter::Sent => Some(&self.sent),
            Counter::Queued => Some(&self.queued),
            Counter::Dropped => Some(&self.dropped),
            Counter::CpuUser | Counter::CpuSystem => None,
        }
    }

    /// The role of the process.
    pub fn role(&self) -> Role {
        Role::from_c(self.role.load(Relaxed)).unwrap_or_default()
    }

    /// The worker number of the process; `None` if the process has none.
    pub fn worker(&self) -> Option<WorkerNumber> {
        WorkerNumber::from_c(self.worker.load(Relaxed))
    }

    /// Records that the process `pid` runs in the slot.
    pub fn set_running(&self, pid: ngx_pid_t) {
        // `Release`, so that a process that reads this pid in `first_pid` also
        // reads the number of respawns that the master has written before.
        self.pid.store(pid, Release);
        self.state.store(State::Running as i32, Relaxed);
    }

    /// The pid of the slot's process; `None` if no process runs, or if the
    /// process has been started again since its first start.
    pub fn first_pid(&self) -> Option<ngx_pid_t> {
        let pid = self.pid.load(Acquire);

        (pid != NGX_INVALID_PID && self.respawns.load(Relaxed) == 0).then_some(pid)
    }

    /// Records that the slot is empty.
    pub fn clear(&self) {
        self.set_without_process(State::Empty);
    }

    /// Records that the slot is reserved for a process that the master starts
    /// later.
    pub fn set_waiting(&self) {
        self.set_without_process(State::Waiting);
    }

    fn set_without_process(&self, state: State) {
        self.pid.store(NGX_INVALID_PID, Relaxed);
        self.state.store(state as i32, Relaxed);
    }

    /// Records that the process has been told to exit. Does nothing if the slot
    /// has no running process.
    pub fn mark_exiting(&self) {
        let _ = self.state.compare_exchange(
            State::Running as i32,
            State::Exiting as i32,
            Relaxed,
            Relaxed,
        );
    }

    /// Records that the process could not be told to exit.
    pub fn clear_exiting(&self) {
        let _ = self.state.compare_exchange(
            State::Exiting as i32,
            State::Running as i32,
            Relaxed,
            Relaxed,
        );
    }

    /// The pid and the state of the slot's process.
    ///
    /// The master writes the pid and the state one after the other. For a
    /// reader that reads between the two writes, and finds a running process
    /// without a pid, the slot is empty.
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

    /// Sets all counters of the slot to zero.
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

/// The data of the program, of all slots and of [`Slot::NONE`], and of all places.
struct Data {
    program: Program,
    slots: [Stats; NGX_MAX_PROCESSES + 1],
    places: [Place; PLACES],
}

impl_share!(Data {
    program,
    slots,
    places,
});

impl Data {
    const fn new() -> Self {
        Self {
            program: Program::not_started(),
            slots: [const { Stats::new() }; NGX_MAX_PROCESSES + 1],
            places: [const { Place::unused() }; PLACES],
        }
    }

    fn at(&self, slot: Slot) -> &Stats {
        let [.., none] = &self.slots;

        self.slots.get(slot.index()).unwrap_or(none)
    }

    fn place_of(&self, stats: &Stats) -> Option<&Place> {
        self.places.get(stats.place.load(Relaxed))
    }
}

/// Data of this process's own children that other processes cannot read. A master
/// uses this memory before it calls [`share`], and if there is no memory to share.
/// A worker always uses it for its children: the same slot can have another
/// process in the worker's table than in the master's table.
static PRIVATE: Data = Data::new();

/// The master's data of all slots; none before [`share`], and if there was no
/// memory to share.
static SHARED: Published<Data> = Published::none();

/// Records that the program starts now, unless its start is recorded already.
pub fn begin(g: &Globals) {
    PRIVATE.program.begin(g.own_pid());
}

/// In a master: publishes the data to the processes that it forks later. Does
/// nothing in another process, and if this process publishes the data already.
///
/// If there is no memory to share, each process keeps data of its own.
pub fn share(g: &Globals) {
    if role::acts_as_master(g) && SHARED.writable().is_none() {
        let own = g.own_pid();

        PRIVATE.program.begin(own);

        let _ = SHARED.create(|shared| {
            shared.program.copy(&PRIVATE.program, own);

            for (to, from) in shared.slots.iter().zip(&PRIVATE.slots) {
                to.copy(from);
            }

            for (to, from) in shared.places.iter().zip(&PRIVATE.places) {
                to.copy(from);
            }
        });
    }
}

/// Publishes the data if another process did so before it has forked this
/// master: a program that becomes a daemon, for example.
#[cfg(feature = "standalone")]
pub fn keep_shared(g: &Globals) {
    if is_shared() {
        share(g);
    }
}

/// Whether this process is a master that publishes the data.
#[cfg(feature = "standalone")]
pub fn is_publisher(g: &Globals) -> bool {
    role::acts_as_master(g) && SHARED.writable().is_some()
}

/// Whether the master publishes the data. If it does not, a worker reads the
/// values that the master had when it forked the worker.
pub fn is_shared() -> bool {
    SHARED.readable().is_some()
}

/// The master's data of a slot, for reading. Any process can read it.
pub fn of(slot: Slot) -> &'static Stats {
    readable().at(slot)
}

/// The master's data of the program.
pub fn program() -> &'static Program {
    &readable().program
}

/// The master's data of all places.
pub fn places() -> &'static [Place] {
    &readable().places
}

fn readable() -> &'static Data {
    SHARED.readable().unwrap_or(&PRIVATE)
}

/// The data of the child that this process has started in a slot. This process
/// writes it.
pub fn of_child(g: &Globals, slot: Slot) -> &'static Stats {
    of_children(g).at(slot)
}

fn of_children(g: &Globals) -> &'static Data {
    let published = SHARED.writable().filter(|_| role::acts_as_master(g));

    published.unwrap_or(&PRIVATE)
}

/// Sets the name, the role, the worker number and the generation of a child of this
/// process, before the child is started for the first time.
pub fn describe(
    g: &Globals,
    slot: Slot,
    name: Text,
    role: Role,
    worker: Option<WorkerNumber>,
    generation: ngx_uint_t,
) {
    let data = of_children(g);
    let stats = data.at(slot);

    stats.name.store(name);
    stats.role.store(role.to_c(), Relaxed);
    stats.worker.store(WorkerNumber::to_c(worker), Relaxed);
    stats.generation.store(generation, Relaxed);
    stats
        .place
        .store(places::find(&data.places, name, role, worker), Relaxed);
}

/// Adds the processor time of a child that was reaped, in milliseconds, to its place.
pub fn count_cpu(g: &Globals, slot: Slot, cpu: Cpu) {
    count(g, slot, Counter::CpuUser, cpu.user);
    count(g, slot, Counter::CpuSystem, cpu.system);
    of_children(g).program.count_reaped();
}

/// Adds `n` to a counter of the slot and of its process's place.
pub fn count(g: &Globals, slot: Slot, counter: Counter, n: usize) {
    let data = of_children(g);
    let stats = data.at(slot);

    if let Some(counter) = stats.counter(counter) {
        counter.fetch_add(n, Relaxed);
    }

    if let Some(place) = data.place_of(stats) {
        place.add(counter, n);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_without_a_pid_does_not_run() {
        let stats = Stats::new();

        stats.set_running(7);
        assert_eq!(stats.view(), (7, State::Running));

        // A reader can find this pid between the two writes of `clear`.
        stats.pid.store(NGX_INVALID_PID, Relaxed);
        assert_eq!(stats.view().1, State::Empty);

        stats.mark_exiting();
        assert_eq!(stats.view().1, State::Empty);

        stats.set_waiting();
        assert_eq!(stats.view(), (NGX_INVALID_PID, State::Waiting));
    }
}
