//! Lists the processes of a program. Every process of the program can print the
//! list, with the numbers that the master keeps for each process.

use std::ffi::{c_char, c_int};
use std::fmt;
use std::mem::offset_of;
use std::ptr::NonNull;
#[cfg(feature = "standalone")]
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;

use super::globals::GLOBALS;
use super::messages::listing;
use super::messages::statistics::totals as traffic;
#[cfg(not(feature = "standalone"))]
use super::nginx::variables::ngx_worker;
use super::sized;
#[cfg(feature = "standalone")]
use super::standalone::variables::ngx_worker;
use crate::config::{NGX_INVALID_PID, ngx_int_t, ngx_pid_t, ngx_uint_t};
#[cfg(feature = "standalone")]
use crate::log::{Level, Log};
use crate::status::{Result, Status};
use crate::sys::process::is_gone;
use crate::sys::text::Text;
use crate::sys::usage::{self, Usage};
use crate::table::places::Place;
use crate::table::role::{
    NGX_PROCESS_HELPER, NGX_PROCESS_SINGLE, NGX_PROCESS_WORKER, WorkerNumber,
};
use crate::table::slot::Slot;
use crate::table::slots::{Flag, ngx_process_t};
use crate::table::state::State;
use crate::table::stats;

/// A process of the process table, as ngx_ipc_next_process() describes the
/// process.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct ngx_ipc_process_t {
    /// The slot of the process.
    pub slot: ngx_int_t,
    /// The pid; -1 while the process waits to be started again.
    pub pid: ngx_pid_t,
    /// The state: NGX_IPC_RUNNING, NGX_IPC_EXITING or NGX_IPC_WAITING.
    pub state: c_int,
    /// The number of the worker, from 0; -1 if the process is not a worker.
    pub worker: ngx_int_t,
    /// The number of the configuration for which the process was first started,
    /// counted from 1; 0 if the program has no configuration.
    pub generation: ngx_uint_t,
    /// The role: NGX_PROCESS_WORKER or NGX_PROCESS_HELPER; 0 if the role is not
    /// known.
    pub role: ngx_uint_t,
    /// The name of the process in log lines, cut to 63 bytes; NULL if the process
    /// has no name.
    pub name: *const c_char,
    /// The time at which the process was started, in seconds since 1970.
    pub started: libc::time_t,
    /// The number of times that the process was started again.
    pub respawns: ngx_uint_t,

    /// The number of control messages that the master has sent to the
    /// process.
    pub sent: ngx_uint_t,
    /// The number of control messages that the master has queued because the
    /// channel to the process was full.
    pub queued: ngx_uint_t,
    /// The largest number of control messages that were queued for the process
    /// at one time.
    pub queued_max: ngx_uint_t,
    /// The number of control messages that the master has dropped because the
    /// process had exited.
    pub dropped: ngx_uint_t,

    /// The number of messages of ngx_ipc_message.h that the process and its
    /// predecessors in the slot have sent. The number can be some seconds old.
    pub messages_sent: ngx_uint_t,
    /// The number of messages that they could not send, because a receiver was
    /// full. The number can be some seconds old.
    pub messages_refused: ngx_uint_t,
    /// The number of messages that they have received.
    pub messages_received: ngx_uint_t,
    /// The number of messages that wait for the process.
    pub messages_waiting: ngx_uint_t,
    /// The largest number of messages of one sender that waited for the
    /// process.
    pub messages_deepest: ngx_uint_t,
    /// The number of messages to the process that were lost.
    pub messages_lost: ngx_uint_t,
    /// The number of messages that the process has received and dropped, because it
    /// has no handler for their type.
    pub messages_unknown: ngx_uint_t,

    /// The time that the process has spent in user mode, in milliseconds, with that
    /// of children which it has waited for. -1 if the process does not run, or if
    /// the caller cannot read /proc.
    pub cpu_user: ngx_int_t,
    /// The time that the process has spent in the kernel, as cpu_user.
    pub cpu_system: ngx_int_t,
    /// The memory of the process that is resident, in bytes. Memory that processes
    /// share is counted in each of them. -1 as cpu_user.
    pub rss: ngx_int_t,
}

// This constant is not public, because cbindgen would write a public constant
// to the header.
const FIRST_SIZE: usize = offset_of!(ngx_ipc_process_t, dropped) + size_of::<ngx_uint_t>();

// The structure must end with a field, not with padding, as `sized` explains.
const _: () = assert!(
    offset_of!(ngx_ipc_process_t, rss) + size_of::<ngx_int_t>() == size_of::<ngx_ipc_process_t>()
);

/// A number that is not known.
const UNKNOWN: ngx_int_t = -1;

/// The size in bytes of an `ngx_ipc_process_t` in version 0.1.
pub fn first_size() -> usize {
    FIRST_SIZE
}

/// Whether this process is the leader of its generation. The leader is the
/// first worker, or the single process.
pub fn is_leader() -> bool {
    match GLOBALS.process.load(Relaxed) {
        NGX_PROCESS_SINGLE => true,
        NGX_PROCESS_WORKER => ngx_worker.load(Relaxed) == 0,
        _ => false,
    }
}

/// Fills `process`, which has `size` bytes, with data about the process in the
/// first used slot after `process->slot`.
///
/// Returns whether there is such a process. If there is none, nothing is
/// written. Returns an error if `size` is less than in version 0.1.
///
/// # Safety
///
/// `process` has `size` bytes, and the program has set the field `slot`.
pub unsafe fn fill_next(process: NonNull<ngx_ipc_process_t>, size: usize) -> Result<bool> {
    if size < FIRST_SIZE {
        return Err(Status::Error);
    }

    let process = process.as_ptr();

    // SAFETY: the structure has the field `slot`, because version 0.1 has it,
    // and the program has set the field.
    let slot = unsafe { (&raw const (*process).slot).read() };
    let mut next = next_process(slot);

    if let Some(next) = &mut next {
        // A program of an earlier version does not pay for what it does not see.
        if size > offset_of!(ngx_ipc_process_t, cpu_user) {
            measure(next);
        }

        // SAFETY: the caller passes a structure with `size` bytes.
        unsafe { sized::write(process, size, next) };
    }

    Ok(next.is_some())
}

/// Describes the next process of the table: the process in the first used slot
/// after `slot`. Returns `None` if no slot after `slot` is used.
fn next_process(slot: ngx_int_t) -> Option<ngx_ipc_process_t> {
    let first = usize::try_from(slot.saturating_add(1)).unwrap_or_default();

    processes(Slot::new(first)).next()
}

/// Describes the processes in the slots from `first` on, including the
/// processes that wait to be started again.
pub fn processes(first: Slot) -> impl Iterator<Item = ngx_ipc_process_t> {
    first
        .and_later()
        .filter_map(|slot| describe(slot, GLOBALS.table.get(slot)))
}

/// The pid and the state of the process in a slot, as the master has stored
/// them in shared memory. If there is no shared memory, the function reads the
/// table of the calling process, which has only the processes that the calling
/// process has started and those that the master has announced to it.
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

/// Describes the process in a slot; `None` if the slot is empty. The state is
/// read only once, because the master can empty the slot while this function
/// runs.
fn describe(slot: Slot, entry: &ngx_process_t) -> Option<ngx_ipc_process_t> {
    let stats = stats::of(slot);
    let (pid, state) = pid_and_state(slot, entry);

    if state == State::Empty {
        return None;
    }

    let messages = traffic(slot).unwrap_or_default();

    Some(ngx_ipc_process_t {
        slot: slot.to_c(),
        pid,
        state: state as c_int,
        worker: WorkerNumber::to_c(stats.worker()),
        generation: stats.generation.load(Relaxed),
        role: stats.role().to_c(),
        name: stats.name.as_ptr(),
        started: stats.started.load(Relaxed),
        respawns: stats.respawns.load(Relaxed),
        sent: stats.sent.load(Relaxed),
        queued: stats.queued.load(Relaxed),
        queued_max: stats.queued_max.load(Relaxed),
        dropped: stats.dropped.load(Relaxed),
        messages_sent: messages.sent,
        messages_refused: messages.refused,
        messages_received: messages.received,
        messages_waiting: messages.waiting,
        messages_deepest: messages.deepest,
        messages_lost: messages.lost,
        messages_unknown: messages.unknown,
        cpu_user: UNKNOWN,
        cpu_system: UNKNOWN,
        rss: UNKNOWN,
    })
}

/// Sets what the process uses, and returns it.
pub fn measure(process: &mut ngx_ipc_process_t) -> Option<Usage> {
    let used = usage::of(process.pid)?;
    let cpu = used.own + used.children;

    process.cpu_user = cpu.user.cast_signed();
    process.cpu_system = cpu.system.cast_signed();
    process.rss = used.resident.cast_signed();

    Some(used)
}

/// Whether the process runs no longer, and its parent has reaped it, so that [`measure`]
/// found nothing.
pub fn is_reaped(process: &ngx_ipc_process_t) -> bool {
    process.pid != NGX_INVALID_PID && process.cpu_user == UNKNOWN && is_gone(process.pid)
}

/// Calls `print` once for each process, with a line of text about the process, and
/// then with lines about the messages.
pub fn print(print: impl Fn(fmt::Arguments<'_>)) {
    for mut process in processes(Slot::new(0)) {
        measure(&mut process);
        print_line(&print, &process);
    }

    listing::print(print);
}

/// The name of a place.
pub fn name_of(place: &'static Place) -> Text {
    // SAFETY: the pointer is NULL or points to the name of the place, which ends with a
    // NUL and lives as long as this process.
    unsafe { Text::from_ptr(place.name.as_ptr()) }
}

/// The role of a process, as it is printed.
pub fn role(process: &ngx_ipc_process_t) -> &'static str {
    match process.role {
        NGX_PROCESS_WORKER => "worker",
        NGX_PROCESS_HELPER => "helper",
        _ => "other",
    }
}

/// The state of a process, as it is printed.
pub fn state(process: &ngx_ipc_process_t) -> &'static str {
    match process.state {
        state if state == State::Waiting as c_int => "waiting",
        state if state == State::Exiting as c_int => "exiting",
        _ => "running",
    }
}

/// Prints the line of a process.
pub fn print_line(print: impl Fn(fmt::Arguments<'_>), process: &ngx_ipc_process_t) {
    let (role, state) = (role(process), state(process));

    print(format_args!(
        "slot:{} pid:{} {role}:{} generation:{} {state} \"{}\" respawns:{} \
         cpu_user:{} cpu_system:{} rss:{} \
         sent:{} queued:{} queued_max:{} dropped:{}{}",
        process.slot,
        process.pid,
        process.worker,
        process.generation,
        name(process),
        process.respawns,
        process.cpu_user,
        process.cpu_system,
        process.rss,
        process.sent,
        process.queued,
        process.queued_max,
        process.dropped,
        Messages(process),
    ));
}

/// The name of a process that [`processes`] has described.
pub fn name(process: &ngx_ipc_process_t) -> Text {
    // SAFETY: `describe` has set the name, which is NULL or points to a name of
    // `Stats`. These end with a NUL and live as long as this process.
    unsafe { Text::from_ptr(process.name) }
}

/// The counters of messages of a process in a line; nothing if the program has no
/// messages.
struct Messages<'a>(&'a ngx_ipc_process_t);

impl fmt::Display for Messages<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(process) = self;

        if traffic(Slot::NONE).is_none() {
            return Ok(());
        }

        write!(
            f,
            " messages_sent:{} messages_refused:{} messages_received:{} messages_waiting:{} \
             messages_deepest:{} messages_lost:{} messages_unknown:{}",
            process.messages_sent,
            process.messages_refused,
            process.messages_received,
            process.messages_waiting,
            process.messages_deepest,
            process.messages_lost,
            process.messages_unknown,
        )
    }
}

/// Whether a signal has requested that this process logs the list of processes.
#[cfg(feature = "standalone")]
static REQUESTED: AtomicBool = AtomicBool::new(false);

/// Requests that this process logs the list of processes. A signal handler
/// calls this function, so it is async-signal-safe.
#[cfg(feature = "standalone")]
pub fn request_list() {
    REQUESTED.store(true, Relaxed);
}

/// Logs a line for each process, if a signal has requested the list since the
/// last call.
#[cfg(feature = "standalone")]
pub fn log_list_if_requested(log: Log) {
    if REQUESTED.swap(false, Relaxed) {
        print(|line| log.error(Level::Notice, None, line));
    }
}
