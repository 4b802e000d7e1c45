//! `ngx_ipc.h`: functions that nginx does not have, and functions that are
//! static in nginx's `ngx_process_cycle.c`. The functions of `ngx_ipc.h` that
//! both hosts export are in `introspect.rs`.

use std::ffi::{c_char, c_int};

use crate::channel::message::ngx_channel_t;
use crate::config::{
    NGX_DECLINED, NGX_ERROR, NGX_OK, ngx_int_t, ngx_pid_t, ngx_socket_t, ngx_uint_t,
};
use crate::host::call::ngx_spawn_proc_pt;
use crate::host::globals::GLOBALS;
use crate::host::logs::{cycle_log, log_of};
use crate::host::standalone::cycle::Cycle;
use crate::host::standalone::program_conf::ProgramConf;
use crate::host::standalone::types::{
    ngx_core_conf_t, ngx_cycle_t, ngx_event_handler_pt, ngx_event_t, ngx_log_t,
};
use crate::host::standalone::worker::ngx_worker_process_cycle;
use crate::host::standalone::{channel as host_channel, init, main, signaller, spawn};
use crate::process::{exit_fd, reap};
use crate::process_cycle::announce::{announce, pass_open_channel};
use crate::process_cycle::signal_workers::signal_processes;
use crate::status::code;
use crate::sys::text::Text;
use crate::table::role::Role;

/// Runs a program: a master with workers, or a single process, as `conf` says.
///
/// `argc` and `argv` are the arguments of main(), or others of which the first is
/// the path of the program. At SIGUSR2 the new binary is executed with these
/// arguments. With 0 and NULL, SIGUSR2 starts no new binary. Returns 1 if the
/// program could not be set up, with the reason on stderr or in the log.
/// Otherwise the function does not return, and the process exits with code 0.
///
/// # Safety
///
/// `conf` is NULL or was initialised with ngx_ipc_conf_init(): a
/// configuration with an invalid size is refused. The function copies the texts
/// of `conf`; the modules, helpers and functions that `conf` points to must live
/// as long as the program.
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
    // SAFETY: C passes NULL or a valid configuration, and NULL or an `argv` with
    // `argc` strings.
    unsafe { main::run(ProgramConf::from_ptr(conf), argc, argv) }
}

/// Sends a running program the signal "reload", "reopen", "stop" or "quit".
///
/// The function reads the pid of the program's master from the pid file of
/// `conf`. Returns 0, or 1 with the reason on stderr.
///
/// # Safety
///
/// `conf` is NULL or was initialised with ngx_ipc_conf_init(), `name` is NULL or a string.
///
/// # References
///
/// `ngx_signal_process()` of nginx's `src/core/ngx_cycle.c`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_ipc_signal(conf: *const ngx_core_conf_t, name: *mut c_char) -> c_int {
    // SAFETY: C passes NULL or a configuration, and NULL or a string.
    let (conf, name) = unsafe { (ProgramConf::from_ptr(conf), Text::from_ptr(name)) };

    signaller::send_signal(conf, name).map_or(1, |()| 0)
}

/// Sets a program up: sets the time, `ngx_pid`, `ngx_cycle` and the signal
/// handlers. If `cycle` has no log, its log becomes stderr with the level NGX_LOG_NOTICE.
///
/// A program that goes into the background itself must do so before it calls
/// this function. Returns NGX_OK, or NGX_ERROR with an emergency in the log.
///
/// In C, ngx_ipc_init() is a macro that calls ngx_ipc_init_size() with the size
/// of a cycle in the program's headers. The function ngx_ipc_init() uses the
/// size of version 0.1.
///
/// # Safety
///
/// `cycle` is NULL or lives as long as the program. The fields that the
/// program has not set are zero.
///
/// # References
///
/// `main()` of nginx's `src/core/nginx.c`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_ipc_init(cycle: *mut ngx_cycle_t) -> ngx_int_t {
    // SAFETY: C passes NULL or a valid cycle.
    unsafe { ngx_ipc_init_size(cycle, init::FIRST_SIZE) }
}

/// Sets a program up, as ngx_ipc_init() does, with a cycle of `size` bytes.
/// Programs call the macro ngx_ipc_init().
///
/// Returns NGX_OK. Returns NGX_ERROR, with an alert on stderr, if `size` is
/// less than in version 0.1 or the program cannot be set up.
///
/// # Safety
///
/// `cycle` is NULL or lives as long as the program. The fields that the
/// program has not set are zero.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_ipc_init_size(cycle: *mut ngx_cycle_t, size: usize) -> ngx_int_t {
    // SAFETY: C passes NULL or a cycle, which is used only if it has the fields
    // of version 0.1.
    code(init::init_size(unsafe { Cycle::from_ptr(cycle) }, size))
}

/// Starts `n` workers that run ngx_worker_process_cycle(), and announces each
/// worker to the processes that run already.
///
/// `type` is NGX_PROCESS_RESPAWN or another mode of ngx_spawn_process(). If a
/// worker cannot be started, an alert is logged, and the next worker is
/// started.
///
/// # Safety
///
/// `cycle` is NULL or a valid cycle that lives as long as the workers'
/// slots are in use.
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
    // SAFETY: C passes NULL or a valid cycle that lives as long as the workers'
    // slots are in use, and ngx_worker_process_cycle() can be called with the
    // cycle and a number in a child.
    unsafe { spawn::start_workers(Cycle::from_ptr(cycle), ngx_worker_process_cycle, n, r#type) };
}

/// Starts `n` processes together, and announces the processes to each other.
///
/// Each process runs `proc(cycle, data)` with its number, 0 to `n` - 1, as
/// `data`. `name` and `respawn` are as for ngx_spawn_process(), except that
/// `respawn` must be a mode, not a slot, and not NGX_PROCESS_DETACHED. The
/// function sends one message to each process, NGX_IPC_CMD_OPEN_CHANNELS, which
/// ngx_ipc_channel_command() understands. If a program starts the processes one
/// by one with ngx_spawn_process(), each two processes need a message.
///
/// Returns the number of processes that were started; for each process that
/// could not be started there is an alert in the log. Returns NGX_ERROR if an
/// argument is refused. ngx_process_slot is the slot of the process that was
/// started last, or an empty slot if the last process could not be started.
///
/// # Safety
///
/// `cycle` is NULL or a valid cycle, `name` is a string, and `proc` is a
/// function that can be called with `cycle` and a number in a forked copy of
/// this process.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_ipc_spawn_processes(
    cycle: *mut ngx_cycle_t,
    proc: ngx_spawn_proc_pt,
    n: ngx_int_t,
    name: *mut c_char,
    respawn: ngx_int_t,
) -> ngx_int_t {
    // SAFETY: C passes NULL or a valid cycle, a string, and NULL or a function
    // that can be called with the cycle and a number in a child. The cycle and
    // the string live as long as the slots are in use.
    let started = unsafe {
        let (cycle, name) = (Cycle::from_ptr(cycle), Text::from_ptr(name));

        spawn::spawn_processes(cycle, proc, n, name, respawn)
    };

    started.unwrap_or(NGX_ERROR)
}

/// Sends `ch`, which announces the process that was spawned last, to all other
/// processes.
///
/// If `ch` is NULL, the function makes the message from the process table.
/// Sends nothing if the process that was spawned last has no channel.
///
/// # Safety
///
/// `cycle` is NULL or a valid cycle, `ch` NULL or a valid message.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_pass_open_channel(cycle: *mut ngx_cycle_t, ch: *mut ngx_channel_t) {
    // SAFETY: C passes NULL or a valid cycle, and NULL or a valid message.
    let (log, ch) = unsafe { (cycle_log(cycle), ch.as_ref()) };

    match ch {
        Some(ch) => pass_open_channel(&GLOBALS, log, ch),
        None => announce(&GLOBALS, log),
    }
}

/// Makes all workers shut down gracefully (SIGQUIT), exit (SIGTERM) or open
/// their logs again (SIGUSR1), with a command on their channels. Any other
/// `signo` is sent with kill(2). If a command cannot be sent to a worker, the
/// signal is sent instead.
///
/// # Safety
///
/// `cycle` is NULL or a valid cycle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_signal_worker_processes(cycle: *mut ngx_cycle_t, signo: c_int) {
    // SAFETY: C passes NULL or a valid cycle.
    let log = unsafe { cycle_log(cycle) };

    signal_processes(&GLOBALS, log, signo, None);
}

/// Does the work of ngx_signal_worker_processes() for the processes of one role
/// only. `role` is NGX_PROCESS_WORKER, the role of processes that
/// ngx_start_worker_processes() has started; NGX_PROCESS_HELPER; or 0 for the
/// processes without a role.
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
    // SAFETY: C passes NULL or a valid cycle.
    let log = unsafe { cycle_log(cycle) };

    if let Some(role) = Role::from_c(role) {
        signal_processes(&GLOBALS, log, signo, Some(role));
    }
}

/// Clears the slots of processes that have exited, makes the other processes
/// close the channels to them, and starts processes again that are to be
/// respawned.
///
/// A program calls this function whenever `ngx_reap` is set, or the descriptor
/// of ngx_ipc_exit_fd() is readable. A program with an event loop of its own
/// also calls it from time to time, because the function also sends messages
/// that were queued while a channel was full. Returns 1 while any process is
/// left, else 0.
///
/// The function itself looks for processes that have exited if SIGCHLD does not
/// reach the library's handler: other libraries replace the handler. It reaps
/// processes of the table only. If other code has reaped a process, a warning is
/// logged, and the `status` of its slot is -1; a process that is to be respawned
/// is started again, whatever its status was.
///
/// # Safety
///
/// `cycle` is NULL or a valid cycle that lives as long as the slots of
/// respawned processes are in use.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_reap_children(cycle: *mut ngx_cycle_t) -> ngx_uint_t {
    // SAFETY: C passes NULL or a valid cycle.
    let cycle = unsafe { Cycle::from_ptr(cycle) };

    spawn::reap_children(cycle).into()
}

/// Tells the library that the program has reaped a process: `status` is the
/// status that waitpid(2) has returned for `pid`.
///
/// A program calls this function if it reaps all its children itself, or if its
/// event loop reaps them, as the default loop of libev does. The function does
/// what the handler of SIGCHLD does: it logs how the process has ended, stores
/// the status in the slot of the process, and sets `ngx_reap`. Without this
/// call, ngx_reap_children() finds out that the process is gone, but not how it
/// has ended. Returns NGX_OK, or NGX_DECLINED if the process is not in the
/// table, is known to have exited, or has only stopped.
///
/// # Safety
///
/// `log` is NULL or a valid log.
///
/// # References
///
/// waitpid(2).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_ipc_child_exited(
    pid: ngx_pid_t,
    status: c_int,
    log: *mut ngx_log_t,
) -> ngx_int_t {
    // SAFETY: C passes NULL or a valid log.
    let log = unsafe { log_of(log) };

    if reap::take_status(&GLOBALS, log, pid, status) {
        NGX_OK
    } else {
        NGX_DECLINED
    }
}

/// Returns a descriptor that becomes readable when a process of the table that
/// this process has started exits.
///
/// The descriptor is for an event loop of the program. When it is readable,
/// the program calls ngx_reap_children(). After this call the descriptor is not
/// readable until another process exits. The descriptor also becomes readable
/// if another library has replaced the handler of SIGCHLD, or has reaped the
/// process. The program watches the descriptor with poll(2) or epoll(7). It
/// must not read from the descriptor, and must not close it. Each call in a
/// process returns the same descriptor. A process that ngx_spawn_process()
/// starts does not inherit it.
///
/// The library needs one more descriptor for each process that runs, see
/// pidfd_open(2). If no descriptor is free for a new process, an alert is
/// logged, and ngx_reap_children() tries again. Returns NGX_ERROR, with an
/// alert in the log, if the kernel is older than Linux 5.3, if a filter of
/// system calls refuses pidfd_open(), or if no descriptor is free. The program
/// then calls ngx_reap_children() from time to time.
///
/// # Safety
///
/// `log` is NULL or a valid log.
///
/// # References
///
/// pidfd_open(2), epoll(7).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_ipc_exit_fd(log: *mut ngx_log_t) -> ngx_socket_t {
    // SAFETY: C passes NULL or a valid log.
    let log = unsafe { log_of(log) };

    exit_fd::descriptor(&GLOBALS, log).unwrap_or(-1)
}

/// Sets up the channel of a new worker: closes the inherited descriptors of the
/// process table that the worker does not need, and makes the event loop call
/// `handler` when the worker's own channel is readable.
///
/// If `handler` is NULL, the function does not use the event loop. A program
/// with an event loop of its own then adds the descriptor `ngx_channel` to that
/// loop. Returns NGX_OK, or NGX_ERROR with an alert in the log.
///
/// # Safety
///
/// `cycle` is NULL or a valid cycle. ngx_process_events_and_timers() can
/// call `handler` until the connection is closed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_ipc_init_channel(
    cycle: *mut ngx_cycle_t,
    handler: ngx_event_handler_pt,
) -> ngx_int_t {
    // SAFETY: C passes NULL or a valid cycle.
    let cycle = unsafe { Cycle::from_ptr(cycle) };

    code(host_channel::init(cycle, handler))
}

/// Does what a message with one of nginx's commands asks for: adds another
/// process to the process table, removes it from the table, or sets `ngx_quit`,
/// `ngx_terminate` or `ngx_reopen`.
///
/// Returns NGX_OK; NGX_DECLINED if the command is not one of nginx's, so that
/// the caller handles the command; or NGX_ERROR if `ch` is NULL. The descriptor
/// of a NGX_CMD_OPEN_CHANNEL belongs to the library afterwards. If the message
/// names an impossible slot, an alert is logged.
///
/// # Safety
///
/// `ch` is NULL or a message that ngx_read_channel() has received; `log` is
/// NULL or a valid log.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_ipc_channel_command(
    ch: *mut ngx_channel_t,
    log: *mut ngx_log_t,
) -> ngx_int_t {
    // SAFETY: C passes NULL or a received message, and NULL or a valid log. The
    // caller does not use the descriptor of the message any more.
    unsafe { host_channel::obey(ch.as_ref(), log_of(log)) }
}

/// Reads all messages that have arrived on a channel, and does what the
/// messages ask for. Closes the channel if the other end is closed.
///
/// # Safety
///
/// `ev` is the read event of a connection that ngx_add_channel_event() has
/// made.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_channel_handler(ev: *mut ngx_event_t) {
    // SAFETY: C passes the read event of a connection that
    // ngx_add_channel_event() has made.
    unsafe { host_channel::handler(ev) };
}
