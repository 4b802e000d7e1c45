//! `ngx_ipc.h`: what this library adds to nginx's functions, and functions
//! that nginx keeps to itself in `ngx_process_cycle.c`. What both hosts export
//! is in `introspect.rs`.

use std::ffi::{c_char, c_int, c_void};

use crate::channel::message::ngx_channel_t;
use crate::config::{NGX_ERROR, ngx_int_t, ngx_uint_t};
use crate::host::call::ngx_spawn_proc_pt;
use crate::host::globals::GLOBALS;
use crate::host::logs::{cycle_log, log_of};
use crate::host::standalone::conf::Conf;
use crate::host::standalone::cycle::Cycle;
use crate::host::standalone::types::{
    ngx_core_conf_t, ngx_cycle_t, ngx_event_handler_pt, ngx_event_t, ngx_log_t,
};
use crate::host::standalone::{channel as host_channel, init, main, signaller, spawn, worker};
use crate::process_cycle::announce::{announce, pass_open_channel};
use crate::process_cycle::signal_workers::signal_processes;
use crate::status::code;
use crate::sys::text::Text;
use crate::table::role::Role;

/// Runs a program: a master with its workers, or one process, as `conf` says.
///
/// `argc` and `argv` are the arguments of main(). SIGUSR2 executes the new
/// binary with them. Returns 1 if the program could not be set up, with the
/// reason on stderr or in the log. Otherwise it does not return, and the
/// process exits with 0.
///
/// # Safety
///
/// `conf` is NULL or valid. Its texts are copied; the modules, helpers and
/// functions that it points to live as long as the program. Process titles
/// overwrite the arguments of main(), so the program must not use pointers to
/// them any more.
///
/// # References
///
/// `main()` of nginx's `src/core/nginx.c`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_ipc_main(
    conf: *const ngx_core_conf_t,
    argc: c_int,
    argv: *mut *mut c_char,
) -> c_int {
    // SAFETY: the contract of this function: `conf` is NULL or valid, `argv`
    // has `argc` strings and belongs to the library from now on.
    unsafe { main::run(Conf::from_ptr(conf), argc, argv) }
}

/// Sends a running program the signal "reload", "reopen", "stop" or "quit".
///
/// Its pid is read from the file that `conf` names. Returns 0, or 1 with the
/// reason on stderr.
///
/// # Safety
///
/// `conf` is NULL or valid, `name` NULL or a string.
///
/// # References
///
/// `ngx_signal_process()` of nginx's `src/core/ngx_cycle.c`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_ipc_signal(conf: *const ngx_core_conf_t, name: *mut c_char) -> c_int {
    // SAFETY: the contract of this function: each is NULL or valid.
    let (conf, name) = unsafe { (Conf::from_ptr(conf), Text::from_ptr(name)) };

    signaller::send_signal(conf, name).map_or(1, |()| 0)
}

/// Runs a worker: the modules' hooks, the channel and the event loop, until it
/// receives the command or the signal to quit or terminate.
///
/// `data` is the worker's number. To quit, it stops accepting, finishes the
/// open connections, and waits for the timers that are not cancelable. Does
/// not return; the exit code is 0, or 2 if the worker could not be set up.
///
/// # Safety
///
/// `cycle` is a valid cycle; the process was made by ngx_spawn_process().
///
/// # References
///
/// nginx's `src/os/unix/ngx_process_cycle.c`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_worker_process_cycle(cycle: *mut ngx_cycle_t, data: *mut c_void) {
    // SAFETY: the contract of this function: a valid cycle; NULL is tolerated.
    let cycle = unsafe { Cycle::from_ptr(cycle) };

    worker::run(cycle.unwrap_or_else(Cycle::empty), data.addr());
}

/// Sets a program up: the time, `ngx_pid`, `ngx_cycle`, the signals, and the
/// log of `cycle`, if it has none: stderr with the level NGX_LOG_NOTICE.
///
/// A program that goes into the background by itself must do so before.
/// Returns NGX_OK, or NGX_ERROR with an emergency in the log.
///
/// # Safety
///
/// `cycle` is NULL or lives as long as the program. What the program has not
/// set in it is zero.
///
/// # References
///
/// `main()` of nginx's `src/core/nginx.c`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_ipc_init(cycle: *mut ngx_cycle_t) -> ngx_int_t {
    // SAFETY: the contract of this function: NULL or a valid cycle.
    code(init::init(unsafe { Cycle::from_ptr(cycle) }))
}

/// Starts `n` workers that run ngx_worker_process_cycle(), and announces each
/// to the processes that run already.
///
/// `type` is NGX_PROCESS_RESPAWN or another of these modes. If a worker cannot
/// be started, an alert is logged, and the next one is started.
///
/// # Safety
///
/// `cycle` is NULL or a valid cycle that lives as long as the workers' slots
/// are in use.
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
    // SAFETY: the contract of this function is that of `start_workers`; NULL or
    // a valid cycle.
    unsafe { spawn::start_workers(Cycle::from_ptr(cycle), ngx_worker_process_cycle, n, r#type) };
}

/// Starts `n` processes together, and announces them to each other.
///
/// Each runs `proc(cycle, data)` with its number, 0 to `n` - 1, as `data`.
/// `name` and `respawn` are as for ngx_spawn_process(), but `respawn` is no
/// slot and not NGX_PROCESS_DETACHED. Processes that are started one after the
/// other take a message for each two of them; these take one for each process:
/// NGX_IPC_CMD_OPEN_CHANNELS, which ngx_ipc_channel_command() understands.
///
/// Returns how many were started; for each of the others there is an alert in
/// the log. Returns NGX_ERROR if an argument is refused. ngx_process_slot is
/// the slot of the process that was started last, or the empty slot if that
/// has failed.
///
/// # Safety
///
/// `cycle` is NULL or a valid cycle, `name` a string, `proc` a function that
/// may be called with these in a forked copy of this process.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_ipc_spawn_processes(
    cycle: *mut ngx_cycle_t,
    proc: ngx_spawn_proc_pt,
    n: ngx_int_t,
    name: *mut c_char,
    respawn: ngx_int_t,
) -> ngx_int_t {
    // SAFETY: the contract of this function is that of `spawn_processes`; NULL
    // or a valid cycle, and a string.
    let started = unsafe {
        let (cycle, name) = (Cycle::from_ptr(cycle), Text::from_ptr(name));

        spawn::spawn_processes(cycle, proc, n, name, respawn)
    };

    started.unwrap_or(NGX_ERROR)
}

/// Sends `ch`, which announces the process spawned last, to all others.
///
/// If `ch` is NULL, the message is made from the table. Nothing is sent if the
/// process has no channel.
///
/// # Safety
///
/// `cycle` is NULL or a valid cycle, `ch` NULL or a valid message.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_pass_open_channel(cycle: *mut ngx_cycle_t, ch: *mut ngx_channel_t) {
    // SAFETY: the contract of this function: each is NULL or valid.
    let (log, ch) = unsafe { (cycle_log(cycle), ch.as_ref()) };

    match ch {
        Some(ch) => pass_open_channel(&GLOBALS, log, ch),
        None => announce(&GLOBALS, log),
    }
}

/// Makes all workers shut down (SIGQUIT), exit (SIGTERM) or open their logs
/// again (SIGUSR1) with a command on their channels. Any other signal is sent
/// as a signal, as is one whose command a worker cannot be sent.
///
/// # Safety
///
/// `cycle` is NULL or a valid cycle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_signal_worker_processes(cycle: *mut ngx_cycle_t, signo: c_int) {
    // SAFETY: the contract of this function: NULL or a valid cycle.
    let log = unsafe { cycle_log(cycle) };

    signal_processes(&GLOBALS, log, signo, None);
}

/// Does the same for the processes of one role: NGX_PROCESS_WORKER, which
/// those of ngx_start_worker_processes() have, NGX_PROCESS_HELPER, or 0 for the
/// processes that have neither role.
///
/// # Safety
///
/// `cycle` is NULL or a valid cycle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_ipc_signal_role(
    cycle: *mut ngx_cycle_t,
    signo: c_int,
    role: ngx_uint_t,
) {
    // SAFETY: the contract of this function: NULL or a valid cycle.
    let log = unsafe { cycle_log(cycle) };

    if let Some(role) = Role::from_c(role) {
        signal_processes(&GLOBALS, log, signo, Some(role));
    }
}

/// Clears the slots of the processes that have exited, makes the others close
/// their channels, and starts those again that are to be respawned.
///
/// To be called whenever `ngx_reap` is set. A program with an event loop of its
/// own also calls it from time to time, since it sends messages that were
/// queued because a channel was full. Returns 1 while any process is left,
/// else 0.
///
/// # Safety
///
/// `cycle` is NULL or a valid cycle that lives as long as the slots of
/// respawned processes are in use.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_reap_children(cycle: *mut ngx_cycle_t) -> ngx_uint_t {
    // SAFETY: the contract of this function: NULL or a valid cycle.
    let cycle = unsafe { Cycle::from_ptr(cycle) };

    spawn::reap_children(cycle).into()
}

/// Does what a new worker must do first: closes the descriptors of the table
/// that it does not need, and makes the event loop call `handler` for its own
/// channel.
///
/// If `handler` is NULL, the event loop is not used: for a program that has
/// its own. Its descriptor is `ngx_channel`. Returns NGX_OK, or NGX_ERROR with
/// an alert in the log.
///
/// # Safety
///
/// `cycle` is NULL or a valid cycle. `handler` as for ngx_add_channel_event().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_ipc_init_channel(
    cycle: *mut ngx_cycle_t,
    handler: ngx_event_handler_pt,
) -> ngx_int_t {
    // SAFETY: the contract of this function: NULL or a valid cycle.
    let cycle = unsafe { Cycle::from_ptr(cycle) };

    code(host_channel::init(cycle, handler))
}

/// Does what a message of nginx's asks for: enters another process into the
/// table or removes it, or sets `ngx_quit`, `ngx_terminate` or `ngx_reopen`.
///
/// Returns NGX_OK; NGX_DECLINED if the command is not one of nginx's, so that
/// the caller handles it; NGX_ERROR if `ch` is NULL. The function takes over
/// the descriptor of a NGX_CMD_OPEN_CHANNEL. A message about an impossible slot
/// is an alert in the log.
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
    // SAFETY: the contract of this function: each is NULL or valid, and the
    // descriptor of the message is not used by the caller any more.
    unsafe { host_channel::obey(ch.as_ref(), log_of(log)) }
}

/// Reads all messages that have arrived on a channel and does what they ask
/// for. Closes the channel when its other end is closed.
///
/// # Safety
///
/// `ev` is the read event of a connection of ngx_add_channel_event().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_channel_handler(ev: *mut ngx_event_t) {
    // SAFETY: the contract of this function is that of `handler`.
    unsafe { host_channel::handler(ev) };
}
