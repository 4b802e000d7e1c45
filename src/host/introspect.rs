//! The list of processes that each process of a program can print, with what
//! the master knows of them.

use std::ffi::{c_char, c_int};
#[cfg(feature = "standalone")]
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;

use super::globals::GLOBALS;
#[cfg(not(feature = "standalone"))]
use super::nginx::variables::ngx_worker;
#[cfg(feature = "standalone")]
use super::standalone::variables::ngx_worker;
use crate::config::{NGX_INVALID_PID, ngx_int_t, ngx_pid_t, ngx_uint_t};
#[cfg(feature = "standalone")]
use crate::log::{Level, Log};
use crate::table::role::{
    NGX_PROCESS_HELPER, NGX_PROCESS_SINGLE, NGX_PROCESS_WORKER, WorkerNumber,
};
use crate::table::slot::Slot;
use crate::table::slots::{Flag, ngx_process_t};
use crate::table::state::State;
use crate::table::stats;

/// A process of the table.
#[repr(C)]
pub struct ngx_ipc_process_t {
    /// Its slot.
    pub slot: ngx_int_t,
    /// Its pid; -1 while it waits to be started again.
    pub pid: ngx_pid_t,
    /// NGX_IPC_RUNNING, NGX_IPC_EXITING or NGX_IPC_WAITING.
    pub state: c_int,
    /// Its number among the workers; -1 if it is not a worker.
    pub worker: ngx_int_t,
    /// The configuration that it was first started for, counted from 1; 0: the
    /// program has none.
    pub generation: ngx_uint_t,
    /// NGX_PROCESS_WORKER or NGX_PROCESS_HELPER; 0: not known.
    pub role: ngx_uint_t,
    /// How log lines call it; NULL: not known to this process.
    pub name: *const c_char,
    /// When it was started, in seconds since 1970.
    pub started: libc::time_t,
    /// How often it was started again.
    pub respawns: ngx_uint_t,

    /// Control messages that the master has sent to it.
    pub sent: ngx_uint_t,
    /// Control messages that were queued because its channel was full.
    pub queued: ngx_uint_t,
    /// The most control messages that its queue has held at one time.
    pub queued_max: ngx_uint_t,
    /// Control messages that were dropped because it had exited.
    pub dropped: ngx_uint_t,
}

/// Whether this process is the leader of its generation: the first worker, or
/// the single process.
pub fn is_leader() -> bool {
    match GLOBALS.process.load(Relaxed) {
        NGX_PROCESS_SINGLE => true,
        NGX_PROCESS_WORKER => ngx_worker.load(Relaxed) == 0,
        _ => false,
    }
}

/// The first process in a slot behind `slot`; `None` if there is none.
pub fn next_process(slot: ngx_int_t) -> Option<ngx_ipc_process_t> {
    let first = usize::try_from(slot.saturating_add(1)).unwrap_or_default();

    processes(Slot::new(first))
        .next()
        .map(|(process, _)| process)
}

/// The processes in the slots from `first` on, including those that wait to be
/// started again.
fn processes(first: Slot) -> impl Iterator<Item = (ngx_ipc_process_t, &'static ngx_process_t)> {
    first.and_later().filter_map(|slot| {
        let entry = GLOBALS.table.get(slot);

        Some((describe(slot, entry)?, entry))
    })
}

/// The pid and the state of the process in a slot. Without shared memory
/// they are taken from this process's own table, which has the processes that
/// it has started, or that the master has announced to it.
fn pid_and_state(slot: Slot, entry: &ngx_process_t) -> (ngx_pid_t, State) {
    if stats::is_shared() {
        return stats::of(slot).view();
    }

    let state = if entry.is_reserved() {
        State::Waiting
    } else if !GLOBALS.table.is_used(slot) || !entry.occupied() {
        State::Empty
    } else if entry.is(Flag::Exiting) {
        State::Exiting
    } else {
        State::Running
    };

    let pid = if state == State::Waiting {
        NGX_INVALID_PID
    } else {
        entry.pid()
    };

    (pid, state)
}

/// The process in a slot; `None` if the slot is empty. The master may empty
/// it at any time, so the state is read once.
fn describe(slot: Slot, entry: &ngx_process_t) -> Option<ngx_ipc_process_t> {
    let stats = stats::of(slot);
    let (pid, state) = pid_and_state(slot, entry);

    (state != State::Empty).then(|| ngx_ipc_process_t {
        slot: slot.to_c(),
        pid,
        state: state as c_int,
        worker: WorkerNumber::to_c(stats.worker()),
        generation: stats.generation.load(Relaxed),
        role: stats.role().to_c(),
        name: entry.work().name.as_ptr(),
        started: stats.started.load(Relaxed),
        respawns: stats.respawns.load(Relaxed),
        sent: stats.sent.load(Relaxed),
        queued: stats.queued.load(Relaxed),
        queued_max: stats.queued_max.load(Relaxed),
        dropped: stats.dropped.load(Relaxed),
    })
}

/// Calls `print` with a line for each process.
pub fn print(print: impl Fn(&str)) {
    for (process, entry) in processes(Slot::new(0)) {
        print(&line(&process, entry));
    }
}

fn line(process: &ngx_ipc_process_t, entry: &ngx_process_t) -> String {
    let role = match process.role {
        NGX_PROCESS_WORKER => "worker",
        NGX_PROCESS_HELPER => "helper",
        _ => "other",
    };
    let state = match process.state {
        state if state == State::Waiting as c_int => "waiting",
        state if state == State::Exiting as c_int => "exiting",
        _ => "running",
    };

    format!(
        "slot:{} pid:{} {role}:{} generation:{} {state} \"{}\" respawns:{} \
         sent:{} queued:{} queued_max:{} dropped:{}",
        process.slot,
        process.pid,
        process.worker,
        process.generation,
        entry.work().name,
        process.respawns,
        process.sent,
        process.queued,
        process.queued_max,
        process.dropped,
    )
}

/// A signal has requested a list of the processes in the log.
#[cfg(feature = "standalone")]
static REQUESTED: AtomicBool = AtomicBool::new(false);

/// Requests a list of the processes in the log; for signal handlers.
#[cfg(feature = "standalone")]
pub fn request_list() {
    REQUESTED.store(true, Relaxed);
}

/// Logs a line for each process, if that was requested.
#[cfg(feature = "standalone")]
pub fn log_list_if_requested(log: Log) {
    if REQUESTED.swap(false, Relaxed) {
        print(|line| log.error(Level::Notice, None, format_args!("{line}")));
    }
}
