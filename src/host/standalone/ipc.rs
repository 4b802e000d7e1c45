//! `ngx_ipc.h`: what nginx keeps to itself in `ngx_process_cycle.c`, and what
//! the library adds to nginx's functions.

use crate::table::role;
use std::ffi::{c_char, c_int, c_void};
use std::os::fd::{FromRawFd, OwnedFd};
use std::ptr;
use std::sync::atomic::Ordering::Relaxed;

use super::connection::{ngx_close_connection, ngx_connection_t};
use super::cycle::{ngx_cycle, ngx_cycle_t};
use super::event::{self, ngx_event_handler_pt, ngx_event_t};
use super::log::{ngx_log_init, ngx_log_t};
use super::times::ngx_time_init;
use super::variables;
use crate::abi::introspect;
use crate::abi::process::ngx_init_signals;
use crate::channel::command::NGX_CMD_OPEN_CHANNEL;
use crate::channel::message::ngx_channel_t;
use crate::channel::read::read;
use crate::config::{AtomicUint, NGX_DECLINED, NGX_ERROR, NGX_OK, ngx_int_t, ngx_uint_t};
use crate::host::call::{call, ngx_spawn_proc_pt};
use crate::host::globals::{GLOBALS, ngx_channel};
use crate::host::logs::{cycle_log, log_of};
use crate::log::{Debug, Level, Log};
use crate::process::mode::Respawn;
use crate::process::spawn::refuse;
use crate::process_cycle::announce;
use crate::process_cycle::handle_command::channel_command;
use crate::process_cycle::init_channel::{forget_channel, init_channel};
use crate::process_cycle::reap_children::reap_children;
use crate::process_cycle::signal_workers::signal_processes;
use crate::process_cycle::start_workers::spawn_processes;
use crate::status::{Status, code};
use crate::sys::process;
use crate::sys::text::Text;
use crate::table::info;
use crate::table::slots::{MAX_PROCESSES, Work};

/// What ngx_debug_point() does: nothing, or one of NGX_DEBUG_POINTS_STOP and
/// NGX_DEBUG_POINTS_ABORT.
#[unsafe(no_mangle)]
pub static ngx_ipc_debug_points: AtomicUint = AtomicUint::new(0);

/// Sets a program up: the time, `ngx_pid`, `ngx_cycle`, the signals, and the
/// log of `cycle`, unless it has one: notices and worse to stderr.
///
/// A program that goes into the background by itself does so before. Returns
/// NGX_OK, or NGX_ERROR with an emergency in the log.
///
/// # Safety
///
/// `cycle` is zeroed but for what the program has set, and lives as long as
/// the program.
///
/// # References
///
/// `main()` of nginx's `src/core/nginx.c`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_ipc_init(cycle: *mut ngx_cycle_t) -> ngx_int_t {
    ngx_time_init();
    info::share();
    variables::ngx_pid.store(process::getpid(), Relaxed);

    // SAFETY: promised by the caller; ngx_log_init() takes NULL for stderr.
    unsafe {
        let Some(this) = cycle.as_mut() else {
            return NGX_ERROR;
        };

        if this.log.is_null() {
            this.log = ngx_log_init(ptr::null_mut(), ptr::null_mut());
        }

        ngx_cycle.store(cycle, Relaxed);
        ngx_init_signals(this.log)
    }
}

/// Starts `n` workers that run ngx_worker_process_cycle(), and tells each of
/// those that run already.
///
/// `type` is one of NGX_PROCESS_RESPAWN and so on. A worker that cannot be
/// started is an alert in the log, and the others are started all the same.
///
/// # Safety
///
/// `cycle` is a valid cycle that outlives the workers' table entries.
///
/// # References
///
/// nginx's `src/os/unix/ngx_process_cycle.c`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_start_worker_processes(
    cycle: *mut ngx_cycle_t,
    n: ngx_int_t,
    r#type: ngx_int_t,
) {
    // SAFETY: promised by the caller.
    let log = unsafe { cycle_log(cycle) };

    log.error(Level::Notice, None, format_args!("start worker processes"));

    // SAFETY: the same; the name is never written to.
    unsafe {
        spawn_numbered(
            cycle,
            super::worker::ngx_worker_process_cycle,
            n,
            c"worker process".as_ptr().cast_mut(),
            r#type,
            role::NGX_PROCESS_WORKER,
        );
    }
}

/// Starts `n` processes at once, and tells all of each other.
///
/// Each runs `proc(cycle, data)` with its number, 0 to `n` - 1, as `data`.
/// `name` and `respawn` are as for ngx_spawn_process(), without slots and
/// NGX_PROCESS_DETACHED. That takes one message for each process instead of
/// one for each two: those that are started together are announced by
/// NGX_IPC_CMD_OPEN_CHANNELS, which ngx_ipc_channel_command() understands.
///
/// Returns how many run; for each of the others there is an alert in the log.
/// NGX_ERROR if an argument is refused. ngx_process_slot names the slot of the
/// one that was started last, or the empty slot if that has failed.
///
/// # Safety
///
/// As of ngx_spawn_process().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_ipc_spawn_processes(
    cycle: *mut ngx_cycle_t,
    proc: ngx_spawn_proc_pt,
    n: ngx_int_t,
    name: *mut c_char,
    respawn: ngx_int_t,
) -> ngx_int_t {
    // SAFETY: promised by the caller.
    let log = unsafe { cycle_log(cycle) };

    match proc {
        // SAFETY: the same.
        Some(proc) if n >= 0 => unsafe { spawn_numbered(cycle, proc, n, name, respawn, 0) },
        _ => log
            .refuse(format_args!("no {n} processes without a function"))
            .into(),
    }
}

/// # Safety
///
/// As of ngx_ipc_spawn_processes().
unsafe fn spawn_numbered(
    cycle: *mut ngx_cycle_t,
    proc: unsafe extern "C" fn(*mut ngx_cycle_t, *mut c_void),
    n: ngx_int_t,
    name: *mut c_char,
    respawn: ngx_int_t,
    role: ngx_uint_t,
) -> ngx_int_t {
    // SAFETY: promised by the caller.
    let (log, name) = unsafe { (cycle_log(cycle), Text::from_ptr(name)) };

    let mode = match Respawn::new(respawn) {
        Some(mode) if !matches!(mode, Respawn::Slot(_) | Respawn::Detached) => mode,
        _ => {
            let why = format_args!("invalid mode {respawn} while spawning \"{name}\"");
            return refuse(&GLOBALS, log, why).into();
        }
    };

    // More than that cannot run: the last one has the log say so.
    let works: Vec<Work> = (0..n.min(MAX_PROCESSES as ngx_int_t + 1))
        .map(|number| Work {
            proc: proc as *mut c_void,
            data: ptr::without_provenance_mut(number.unsigned_abs()),
            name,
        })
        .collect();

    // SAFETY: promised by the caller.
    let start = |work| unsafe { call(cycle, work) };
    let generation = introspect::ngx_ipc_generation();
    let mut prepare = |number: usize, slot: usize| {
        info::of_child(&GLOBALS, slot).reset(role, number.cast_signed(), generation);
    };

    let failed = spawn_processes(&GLOBALS, log, &works, mode, &start, &mut prepare);

    works.len().cast_signed() - failed.len().cast_signed()
}

/// Sends `ch`, which announces the process spawned last, to all the others.
///
/// A NULL `ch` is made up of what the table says of that process. Nothing is
/// sent if it has no channel.
///
/// # Safety
///
/// `cycle` is a valid cycle, `ch` NULL or a valid message.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_pass_open_channel(cycle: *mut ngx_cycle_t, ch: *mut ngx_channel_t) {
    // SAFETY: promised by the caller.
    let (log, ch) = unsafe { (cycle_log(cycle), ch.as_ref()) };

    match ch {
        Some(ch) => announce::pass_open_channel(&GLOBALS, log, ch),
        None => announce::announce(&GLOBALS, log),
    }
}

/// Tells all workers to shut down (SIGQUIT), exit (SIGTERM) or reopen their
/// logs (SIGUSR1) through their channels; any other signal, and a worker that
/// cannot be reached so, gets the signal itself.
///
/// # Safety
///
/// `cycle` is a valid cycle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_signal_worker_processes(cycle: *mut ngx_cycle_t, signo: c_int) {
    // SAFETY: promised by the caller.
    signal_processes(&GLOBALS, unsafe { cycle_log(cycle) }, signo, None);
}

/// The same for the processes of one role: NGX_PROCESS_WORKER, as those of
/// ngx_start_worker_processes(), or NGX_PROCESS_HELPER; 0: of none.
///
/// # Safety
///
/// `cycle` is a valid cycle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_ipc_signal_role(
    cycle: *mut ngx_cycle_t,
    signo: c_int,
    role: ngx_uint_t,
) {
    // SAFETY: promised by the caller.
    signal_processes(&GLOBALS, unsafe { cycle_log(cycle) }, signo, Some(role));
}

/// Clears the slots of the processes that have exited, has the others close
/// their channels, and starts again those that are to be respawned.
///
/// To be called whenever `ngx_reap` is set; a program with an event loop of its
/// own calls it at `ngx_sigio` as well, since it also sends what had to wait
/// for a full channel. Returns 1 while any process is
/// left, else 0.
///
/// # Safety
///
/// `cycle` is a valid cycle that outlives the respawned processes' entries.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_reap_children(cycle: *mut ngx_cycle_t) -> ngx_uint_t {
    // SAFETY: promised by the caller.
    let log = unsafe { cycle_log(cycle) };

    // SAFETY: the same.
    reap_children(&GLOBALS, log, &|work| unsafe { call(cycle, work) }).into()
}

/// What a new worker does first: closes the descriptors of the table that are
/// not for it, and has the event loop call `handler` for its own channel.
///
/// With a NULL handler the loop is left alone, for a program that has its
/// own: its descriptor is `ngx_channel`. Returns NGX_OK, or NGX_ERROR with an
/// alert in the log.
///
/// # Safety
///
/// `cycle` is a valid cycle; for `handler` see ngx_add_channel_event().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_ipc_init_channel(
    cycle: *mut ngx_cycle_t,
    handler: ngx_event_handler_pt,
) -> ngx_int_t {
    // SAFETY: promised by the caller.
    init_channel(&GLOBALS, unsafe { cycle_log(cycle) });

    if handler.is_none() {
        return NGX_OK;
    }

    // SAFETY: the same.
    code(unsafe {
        event::add_channel(cycle, ngx_channel.load(Relaxed), event::READ_EVENT, handler)
    })
}

/// Does what a message of nginx's asks for: enters or clears the slot of
/// another process, or sets `ngx_quit`, `ngx_terminate` or `ngx_reopen`.
///
/// Returns NGX_OK; NGX_ERROR if `ch` is NULL; or NGX_DECLINED if the command is none of nginx's, so that
/// the caller looks at it. The descriptor of a NGX_CMD_OPEN_CHANNEL is taken
/// over. A message about a slot that cannot be is an alert in the log.
///
/// # Safety
///
/// `ch` is NULL or a message as ngx_read_channel() returned it; `log` is NULL
/// or a valid log.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_ipc_channel_command(
    ch: *mut ngx_channel_t,
    log: *mut ngx_log_t,
) -> ngx_int_t {
    // SAFETY: promised by the caller.
    let (ch, log) = unsafe { (ch.as_ref(), log_of(log)) };

    let Some(ch) = ch else {
        return log
            .refuse(format_args!("no channel message to look at"))
            .into();
    };

    let opens = ch.command == NGX_CMD_OPEN_CHANNEL && ch.fd > 0;
    // SAFETY: with this command the descriptor is the caller's, and handed on.
    let fd = opens.then(|| unsafe { OwnedFd::from_raw_fd(ch.fd) });

    if channel_command(&GLOBALS, log, ch, fd) {
        NGX_OK
    } else {
        NGX_DECLINED
    }
}

/// Reads all messages that have arrived on a channel and does what they ask
/// for; closes the channel when its other end has gone.
///
/// # Safety
///
/// `ev` is the read event of a connection of ngx_add_channel_event().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_channel_handler(ev: *mut ngx_event_t) {
    // SAFETY: promised by the caller.
    let (c, log) = unsafe { ((*ev).connection(), log_of((*ev).log())) };

    // SAFETY: the same.
    if unsafe { (*ev).take_timedout() } {
        return;
    }

    log.debug(Debug::Core, format_args!("channel handler"));

    // SAFETY: the same.
    unsafe { read_commands(c, log) };
}

/// # Safety
///
/// `c` is a connection of the event loop's.
unsafe fn read_commands(c: *mut ngx_connection_t, log: Log) {
    loop {
        let mut ch = ngx_channel_t::command(0).bytes();

        // SAFETY: promised by the caller.
        let n = read(log, unsafe { (*c).fd }, &mut ch);
        let n = n.map_or_else(ngx_int_t::from, |read| read.len() as ngx_int_t);

        log.debug(Debug::Core, format_args!("channel: {n}"));

        if n == NGX_ERROR {
            // SAFETY: promised by the caller.
            unsafe {
                forget_channel(&GLOBALS, (*c).fd);
                ngx_close_connection(c);
            }
            return;
        }

        if n == ngx_int_t::from(Status::Again) {
            return;
        }

        // SAFETY: a whole message has been read, each of its bytes.
        unsafe {
            let mut ch = ch.as_ptr().cast::<ngx_channel_t>().read_unaligned();
            let _ = ngx_ipc_channel_command(&raw mut ch, (*c).log);
        }
    }
}
