//! Who is who: the processes, as any of them sees them.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::fmt::Write;
#[cfg(feature = "standalone")]
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;

use crate::config::{NGX_DECLINED, NGX_OK, ngx_int_t, ngx_pid_t, ngx_uint_t};
use crate::host::globals::GLOBALS;
use crate::host::variables::{ngx_process, ngx_worker};
#[cfg(feature = "standalone")]
use crate::log::{Level, Log};
use crate::table::info::{self, State};
use crate::table::role::{self, NGX_PROCESS_HELPER, NGX_PROCESS_WORKER};
use crate::table::slots::{Flag, MAX_PROCESSES, ngx_process_t};

/// There is no process in the slot.
pub const NGX_IPC_EMPTY: c_int = 0;
/// It runs.
pub const NGX_IPC_RUNNING: c_int = 1;
/// It has been told to exit.
pub const NGX_IPC_EXITING: c_int = 2;
/// It has exited, and will be started again.
pub const NGX_IPC_WAITING: c_int = 3;

const _: () = {
    assert!(State::Empty as c_int == NGX_IPC_EMPTY);
    assert!(State::Running as c_int == NGX_IPC_RUNNING);
    assert!(State::Exiting as c_int == NGX_IPC_EXITING);
    assert!(State::Waiting as c_int == NGX_IPC_WAITING);
};

/// A process of the table.
#[repr(C)]
pub struct ngx_ipc_process_t {
    /// Its slot.
    pub slot: ngx_int_t,
    /// Its pid; -1 while it waits to be started again.
    pub pid: ngx_pid_t,
    /// NGX_IPC_RUNNING and so on.
    pub state: c_int,
    /// Its number among the workers; -1: it is none.
    pub worker: ngx_int_t,
    /// How many configurations there had been when it was first started.
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

const VERSION: &CStr =
    match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
        Ok(version) => version,
        Err(_) => c"",
    };

/// The version of the library that is in use, such as "0.1.0".
#[unsafe(no_mangle)]
pub extern "C" fn ngx_ipc_version() -> *const c_char {
    VERSION.as_ptr()
}

/// The generation of this process.
static GENERATION: AtomicUsize = AtomicUsize::new(0);
/// Somebody has asked for a list of the processes.
#[cfg(feature = "standalone")]
static ASKED: AtomicBool = AtomicBool::new(false);

/// Names the generation of the processes that are started from now on.
pub fn set_generation(generation: usize) {
    GENERATION.store(generation, Relaxed);
}

/// Asks for a list of the processes in the log; for signal handlers.
#[cfg(feature = "standalone")]
pub fn ask() {
    ASKED.store(true, Relaxed);
}

/// Whether somebody has asked.
#[cfg(feature = "standalone")]
pub fn asked() -> bool {
    ASKED.swap(false, Relaxed)
}

/// How many configurations there had been when this process was started.
#[unsafe(no_mangle)]
pub extern "C" fn ngx_ipc_generation() -> ngx_uint_t {
    GENERATION.load(Relaxed)
}

/// Whether this process is the one of its generation that does what one has
/// to do: its first worker, or the single process.
#[unsafe(no_mangle)]
pub extern "C" fn ngx_ipc_is_leader() -> ngx_uint_t {
    match ngx_process.load(Relaxed) {
        role::NGX_PROCESS_SINGLE => 1,
        NGX_PROCESS_WORKER => (ngx_worker.load(Relaxed) == 0).into(),
        _ => 0,
    }
}

/// Walks over the processes: fills `process` with the first one in a slot
/// after `process->slot`; begin with -1.
///
/// Returns NGX_OK, or NGX_DECLINED behind the last one. All processes see
/// what the master knows; where there is no memory for that, a worker sees
/// those that it has been told of.
///
/// # Safety
///
/// `process` is NULL or valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_ipc_next_process(process: *mut ngx_ipc_process_t) -> ngx_int_t {
    // SAFETY: promised by the caller.
    let Some(process) = (unsafe { process.as_mut() }) else {
        return NGX_DECLINED;
    };

    let after = usize::try_from(process.slot.saturating_add(1)).unwrap_or_default();

    match processes(after).next() {
        Some((next, _)) => {
            *process = next;
            NGX_OK
        }
        None => NGX_DECLINED,
    }
}

/// From a slot on, those with a process, or one that is to be started again.
fn processes(from: usize) -> impl Iterator<Item = (ngx_ipc_process_t, &'static ngx_process_t)> {
    (from..MAX_PROCESSES).filter_map(|i| {
        let slot = GLOBALS.table.get(i);

        Some((describe(i, slot)?, slot))
    })
}

/// Who is in a slot, and what for. Without shared memory a process goes by its
/// own table: what it has started, or been told of.
fn view(i: usize, slot: &ngx_process_t) -> (ngx_pid_t, State) {
    if info::is_shared() {
        return info::of(i).view();
    }

    let state = if slot.is(Flag::Lost) {
        State::Waiting
    } else if i >= GLOBALS.table.used() || !slot.occupied() {
        State::Empty
    } else if slot.is(Flag::Exiting) {
        State::Exiting
    } else {
        State::Running
    };

    (slot.pid(), state)
}

/// A slot that has a process: it may have none at the next look.
fn describe(i: usize, slot: &ngx_process_t) -> Option<ngx_ipc_process_t> {
    let info = info::of(i);
    let (pid, state) = view(i, slot);

    (state != State::Empty).then(|| ngx_ipc_process_t {
        slot: i.cast_signed(),
        pid,
        state: state as c_int,
        worker: info.worker.load(Relaxed),
        generation: info.generation.load(Relaxed),
        role: info.role.load(Relaxed),
        name: slot.work().name.as_ptr(),
        started: info.started.load(Relaxed),
        respawns: info.respawns.load(Relaxed),
        sent: info.sent.load(Relaxed),
        queued: info.queued.load(Relaxed),
        queued_max: info.queued_max.load(Relaxed),
        dropped: info.dropped.load(Relaxed),
    })
}

fn line(of: &ngx_ipc_process_t, slot: &ngx_process_t) -> String {
    let mut line = String::new();

    let role = match of.role {
        NGX_PROCESS_WORKER => "worker",
        NGX_PROCESS_HELPER => "helper",
        _ => "other",
    };
    let state = match of.state {
        NGX_IPC_WAITING => "waiting",
        NGX_IPC_EXITING => "exiting",
        _ => "running",
    };

    // Writing to a String does not fail.
    let _ = write!(
        line,
        "slot:{} pid:{} {role}:{} generation:{} {state} \"{}\" respawns:{} \
         sent:{} queued:{} queued_max:{} dropped:{}",
        of.slot,
        of.pid,
        of.worker,
        of.generation,
        slot.work().name,
        of.respawns,
        of.sent,
        of.queued,
        of.queued_max,
        of.dropped,
    );

    line
}

fn lines() -> impl Iterator<Item = String> {
    processes(0).map(|(of, slot)| line(&of, slot))
}

/// Logs a line for each process.
#[cfg(feature = "standalone")]
pub fn dump(log: Log) {
    for line in lines() {
        log.error(Level::Notice, None, format_args!("{line}"));
    }
}

/// Takes a piece of text.
pub type ngx_ipc_print_pt =
    Option<unsafe extern "C" fn(data: *mut c_void, text: *const c_char, len: usize)>;

/// Hands a line for each process to `print`, with its line feed.
///
/// # Safety
///
/// `print` may be called with `data`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_ipc_print_processes(print: ngx_ipc_print_pt, data: *mut c_void) {
    let Some(print) = print else { return };

    for mut line in lines() {
        line.push('\n');

        // SAFETY: promised by the caller.
        unsafe { print(data, line.as_ptr().cast(), line.len()) };
    }
}
