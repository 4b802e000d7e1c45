//! The list of processes that each process of a program can print, with what
//! the master knows of them.

use std::ffi::{c_char, c_int};
use std::mem::offset_of;
use std::ptr::NonNull;
#[cfg(feature = "standalone")]
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;

use super::globals::GLOBALS;
#[cfg(not(feature = "standalone"))]
use super::nginx::variables::ngx_worker;
use super::sized;
#[cfg(feature = "standalone")]
use super::standalone::variables::ngx_worker;
use crate::config::{ngx_int_t, ngx_pid_t, ngx_uint_t};
#[cfg(feature = "standalone")]
use crate::log::{Level, Log};
use crate::status::{Result, Status};
use crate::table::role::{
    NGX_PROCESS_HELPER, NGX_PROCESS_SINGLE, NGX_PROCESS_WORKER, WorkerNumber,
};
use crate::table::slot::Slot;
use crate::table::slots::{Flag, ngx_process_t};
use crate::table::state::State;
use crate::table::stats;

/// A process of the table.
#[repr(C)]
#[derive(Clone, Copy)]
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

// Not public, since it would get into the header.
const FIRST_SIZE: usize = offset_of!(ngx_ipc_process_t, dropped) + size_of::<ngx_uint_t>();

// No padding behind the last field, see `sized`.
const _: () = assert!(FIRST_SIZE == size_of::<ngx_ipc_process_t>());

/// The size of an `ngx_ipc_process_t` in version 0.1.
pub fn first_size() -> usize {
    FIRST_SIZE
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

/// Fills `process`, which has `size` bytes, with the first process in a slot
/// behind its `slot`.
///
/// Returns whether there is such a process; if not, nothing is written. Returns
/// an error if the structure is smaller than in version 0.1.
///
/// # Safety
///
/// `process` has `size` bytes, and its `slot` is set.
pub unsafe fn fill_next(process: NonNull<ngx_ipc_process_t>, size: usize) -> Result<bool> {
    if size < FIRST_SIZE {
        return Err(Status::Error);
    }

    let process = process.as_ptr();

    // SAFETY: version 0.1 has this field, and the program has set it.
    let slot = unsafe { (&raw const (*process).slot).read() };
    let next = next_process(slot);

    if let Some(next) = &next {
        // SAFETY: the structure has `size` bytes, as this function demands.
        unsafe { sized::write(process, size, next) };
    }

    Ok(next.is_some())
}

/// The first process in a slot behind `slot`; `None` if there is none.
fn next_process(slot: ngx_int_t) -> Option<ngx_ipc_process_t> {
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

    let state = if entry.is(Flag::Reserved) {
        State::Waiting
    } else if !GLOBALS.table.is_used(slot) || !entry.occupied() {
        State::Empty
    } else if entry.is(Flag::Exiting) {
        State::Exiting
    } else {
        State::Running
    };

    (entry.pid(), state)
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
