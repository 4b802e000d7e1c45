//! What is known of the processes of the table beside what nginx keeps: in
//! memory that all of them share, so that any can tell.
//!
//! The master writes, the others read; each number is right by itself, and
//! nothing but `first_pid` and `view` depends on two of them together.

use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicI32, AtomicI64, AtomicIsize, AtomicPtr, AtomicUsize};

use super::restart::Restart;
use super::role;
use super::slots::MAX_PROCESSES;
use crate::config::{AtomicPid, NGX_INVALID_PID, ngx_int_t, ngx_pid_t, ngx_uint_t};
use crate::sys::shm::{self, impl_share};
use crate::table::globals::Globals;

/// What a process is up to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum State {
    /// There is none.
    Empty = 0,
    /// It runs.
    Running = 1,
    /// It has been told to exit.
    Exiting = 2,
    /// It has exited, and will be started again.
    Waiting = 3,
}

/// Of one slot.
pub struct Info {
    /// The process; -1 if there is none now.
    pub pid: AtomicPid,
    state: AtomicI32,
    /// The number among the workers; -1: it is none.
    pub worker: AtomicIsize,
    /// How many configurations there had been when it was first started.
    pub generation: AtomicUsize,
    /// `NGX_PROCESS_WORKER` or `NGX_PROCESS_HELPER`; 0: not known.
    pub role: AtomicUsize,
    /// When its process was started, in seconds since 1970.
    pub started: AtomicI64,
    /// How often it was started again,
    pub respawns: AtomicUsize,
    /// and when it is to be next.
    pub restart: Restart,
    /// Control messages that the master has sent to it.
    pub sent: AtomicUsize,
    /// Control messages that were queued because its channel was full.
    pub queued: AtomicUsize,
    /// The most control messages that its queue has held at one time.
    pub queued_max: AtomicUsize,
    /// Control messages that were dropped because it had exited.
    pub dropped: AtomicUsize,
}

impl_share!(Info {
    pid,
    state,
    worker,
    generation,
    role,
    started,
    respawns,
    restart,
    sent,
    queued,
    queued_max,
    dropped,
});

impl Info {
    const fn new() -> Self {
        Self {
            pid: AtomicPid::new(NGX_INVALID_PID),
            state: AtomicI32::new(State::Empty as i32),
            worker: AtomicIsize::new(-1),
            generation: AtomicUsize::new(0),
            role: AtomicUsize::new(0),
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
        self.generation
            .store(from.generation.load(Relaxed), Relaxed);
        self.role.store(from.role.load(Relaxed), Relaxed);
        self.started.store(from.started.load(Relaxed), Relaxed);
        self.respawns.store(from.respawns.load(Relaxed), Relaxed);
        self.restart.copy(&from.restart);
    }

    /// A process of another kind takes the slot.
    pub fn reset(&self, role: ngx_uint_t, worker: ngx_int_t, generation: ngx_uint_t) {
        self.is_a(role, worker);
        self.generation.store(generation, Relaxed);
    }

    /// A process knows its role and its number.
    pub fn is_a(&self, role: ngx_uint_t, worker: ngx_int_t) {
        self.role.store(role, Relaxed);
        self.worker.store(worker, Relaxed);
    }

    /// A process runs in the slot.
    pub fn runs(&self, pid: ngx_pid_t) {
        // After `respawns`, see `first_pid`.
        self.pid.store(pid, Release);
        self.state.store(State::Running as i32, Relaxed);
    }

    /// The slot's process, if it runs and was not started again.
    pub fn first_pid(&self) -> Option<ngx_pid_t> {
        let pid = self.pid.load(Acquire);

        (pid != NGX_INVALID_PID && self.respawns.load(Relaxed) == 0).then_some(pid)
    }

    /// The slot has no process, or one only later.
    pub fn is_without(&self, state: State) {
        self.pid.store(NGX_INVALID_PID, Relaxed);
        self.state.store(state as i32, Relaxed);
    }

    /// The process has been told to exit.
    pub fn is_to_exit(&self) {
        let _ = self.state.compare_exchange(
            State::Running as i32,
            State::Exiting as i32,
            Relaxed,
            Relaxed,
        );
    }

    /// The process, and what it is up to. The two are not written at once: one
    /// that runs has a pid, and no other.
    pub fn view(&self) -> (ngx_pid_t, State) {
        let pid = self.pid.load(Relaxed);

        match self.state.load(Relaxed) {
            1 if pid != NGX_INVALID_PID => (pid, State::Running),
            2 if pid != NGX_INVALID_PID => (pid, State::Exiting),
            3 => (NGX_INVALID_PID, State::Waiting),
            _ => (NGX_INVALID_PID, State::Empty),
        }
    }

    /// Counts from zero again.
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

/// Of all slots, and one more, of what has none.
pub type Infos = [Info; MAX_PROCESSES + 1];

/// What this process keeps to itself: all there is before there is shared
/// memory and without it, and in others than the master, whose slots have
/// nothing to do with its own.
static PRIVATE: Infos = [const { Info::new() }; MAX_PROCESSES + 1];

/// The slot that the master has this process in; none if it has none.
#[cfg(not(feature = "standalone"))]
static OWN: AtomicUsize = AtomicUsize::new(MAX_PROCESSES);

static SHARED: AtomicPtr<Infos> = AtomicPtr::new(std::ptr::null_mut());

/// Has the processes that are forked from now on share what is known.
///
/// Without memory for that, each keeps what it knows to itself.
pub fn share() {
    if SHARED.load(Relaxed).is_null()
        && let Ok(infos) = shm::share::<Infos>()
    {
        for (to, from) in infos.iter().zip(&PRIVATE) {
            to.copy(from);
        }

        SHARED.store(std::ptr::from_ref(infos).cast_mut(), Relaxed);
    }
}

/// Whether what is known is shared: else it was the master's when this process
/// began.
pub fn is_shared() -> bool {
    !SHARED.load(Relaxed).is_null()
}

/// What the master knows of all slots.
pub fn all() -> &'static Infos {
    shm::shared(&SHARED).unwrap_or(&PRIVATE)
}

/// What the master knows of slot `i`.
pub fn of(i: usize) -> &'static Info {
    at(all(), i)
}

/// What this process knows of its own child in slot `i`, to be written.
pub fn of_child(g: &Globals, i: usize) -> &'static Info {
    at(
        if role::acts_as_master(g) {
            all()
        } else {
            &PRIVATE
        },
        i,
    )
}

fn at(infos: &'static Infos, i: usize) -> &'static Info {
    let [.., none] = infos;

    infos.get(i).unwrap_or(none)
}

/// In a new child, which is in slot `i` of its parent's table.
#[cfg(not(feature = "standalone"))]
pub fn is_in(g: &Globals, i: usize) {
    let known = role::acts_as_master(g);

    OWN.store(if known { i } else { MAX_PROCESSES }, Relaxed);
}

/// What the master knows of this process.
#[cfg(not(feature = "standalone"))]
pub fn of_self() -> &'static Info {
    of(OWN.load(Relaxed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_runs_without_a_pid() {
        let info = Info::new();

        info.runs(7);
        assert_eq!(info.view(), (7, State::Running));

        // As a reader may find it while `is_without` is at work.
        info.pid.store(NGX_INVALID_PID, Relaxed);
        assert_eq!(info.view().1, State::Empty);

        info.is_to_exit();
        assert_eq!(info.view().1, State::Empty);

        info.is_without(State::Waiting);
        assert_eq!(info.view(), (NGX_INVALID_PID, State::Waiting));
    }
}
