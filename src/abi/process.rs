//! `ngx_process.h`: spawning processes, signals, the process table.

use std::ffi::{c_char, c_void};
use std::ptr;

use crate::config::{NGX_INVALID_PID, ngx_int_t, ngx_pid_t};
use crate::host::call::ngx_spawn_proc_pt;
use crate::host::execute::{Executable, execute};
use crate::host::logs::cycle_log;
#[cfg(feature = "standalone")]
use crate::host::logs::log_of;
use crate::host::ngx_cycle_t;
#[cfg(feature = "standalone")]
use crate::host::ngx_log_t;
#[cfg(feature = "standalone")]
use crate::host::signal_handler::init_signals;
use crate::host::spawn::spawn_process;
#[cfg(feature = "standalone")]
use crate::host::standalone::debug_point;
use crate::process::signals;
#[cfg(feature = "standalone")]
use crate::status::code;
use crate::sys::text::Text;
use crate::table::slots::Work;

/// A program that ngx_execute() executes.
#[repr(C)]
pub struct ngx_exec_ctx_t {
    /// The file to execute.
    pub path: *mut c_char,
    /// The name of the process in log lines.
    pub name: *mut c_char,
    /// The arguments of the program, an array that ends with NULL.
    pub argv: *const *mut c_char,
    /// The environment of the program, an array that ends with NULL.
    pub envp: *const *mut c_char,
}

/// Starts a process that runs `proc(cycle, data)`, and enters the process in
/// the process table.
///
/// The table keeps the pointer `name`, which must be valid as long as the
/// process's slot is in use. `respawn` is a mode, such as
/// NGX_PROCESS_NORESPAWN, or a slot, 0 to 1023. If it is a slot, the process in
/// that slot has exited, and is started again in the same slot and mode.
///
/// In the parent the function returns the pid of the child. In the child it
/// does not return: if `proc` returns, the child exits with code 0. If the
/// process could not be started, the function returns NGX_INVALID_PID, with an
/// alert in the log, and ngx_process_slot is an empty slot.
///
/// The parent gets SIGCHLD when the child exits. So the parent must call
/// ngx_init_signals() before, or handle SIGCHLD itself. The parent gets no signal
/// when the child writes to its channel: the event loop of the parent must watch
/// `channel[0]` of the child's slot. A channel is a SOCK_SEQPACKET socket, so one
/// call must read a complete message.
///
/// # Safety
///
/// `cycle` is NULL or a valid cycle, `name` is a string, and `proc` is a
/// function that can be called with `cycle` and `data` in a forked copy of this
/// process.
///
/// # References
///
/// `fork(2)`, `socketpair(2)`; nginx's `src/os/unix/ngx_process.c`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_spawn_process(
    cycle: *mut ngx_cycle_t,
    proc: ngx_spawn_proc_pt,
    data: *mut c_void,
    name: *mut c_char,
    respawn: ngx_int_t,
) -> ngx_pid_t {
    // SAFETY: C passes NULL or a valid cycle, a string that is valid as long as
    // the slot is in use, and NULL or a function that can be called with
    // `cycle` and `data` in a child.
    let pid = unsafe { spawn_process(cycle, proc, data, Text::from_ptr(name), respawn) };

    pid.unwrap_or(NGX_INVALID_PID)
}

/// Executes a program in a detached process: one that has no channel and gets
/// no signals from the library.
///
/// A program with the name "new binary process" is the new binary of an upgrade: it
/// inherits the memory of the messages of ngx_ipc_message.h, and the environment
/// variable NGX_IPC_MESSAGES says how.
///
/// Returns the pid of the process after the program has been executed. The
/// program starts with none of the signals blocked or ignored that this library
/// has blocked or ignored. Returns NGX_INVALID_PID, with an alert in the log,
/// if the process cannot be started or the program cannot be executed.
///
/// # Safety
///
/// `cycle` is NULL or a valid cycle. `ctx` is NULL or a valid context.
///
/// # References
///
/// `execve(2)`; nginx's `src/os/unix/ngx_process.c`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_execute(
    cycle: *mut ngx_cycle_t,
    ctx: *mut ngx_exec_ctx_t,
) -> ngx_pid_t {
    // SAFETY: C passes NULL or a valid cycle, and NULL or a valid context.
    let (log, exec) = unsafe { (cycle_log(cycle), ctx.as_ref()) };

    let Some(exec) = exec else {
        log.refuse(format_args!("no program to execute"));
        return NGX_INVALID_PID;
    };

    // SAFETY: a valid context, which C passes, has a name and a path.
    let (name, path) = unsafe { (Text::from_ptr(exec.name), Text::from_ptr(exec.path)) };

    let work = Work {
        proc: ptr::null_mut(),
        data: ctx.cast(),
        name,
    };

    let executable = Executable {
        path,
        argv: exec.argv.cast(),
        envp: exec.envp.cast(),
    };

    // SAFETY: the path and the arrays of a valid context are valid until this
    // function returns.
    unsafe { execute(log, work, executable, &mut || {}) }.unwrap_or(NGX_INVALID_PID)
}

/// Sets the action of each signal that nginx handles or ignores.
///
/// The signal handler writes to the log of `ngx_cycle`. Returns NGX_OK, or
/// NGX_ERROR with an emergency in the log.
///
/// # Safety
///
/// `log` is NULL or a valid log.
///
/// # References
///
/// `sigaction(2)`; nginx's `src/os/unix/ngx_process.c`.
#[cfg(feature = "standalone")]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_init_signals(log: *mut ngx_log_t) -> ngx_int_t {
    // SAFETY: C passes NULL or a valid log.
    code(init_signals(unsafe { log_of(log) }))
}

/// Stops the process if `ngx_ipc_debug_points` is NGX_DEBUG_POINTS_STOP, or
/// aborts it if `ngx_ipc_debug_points` is NGX_DEBUG_POINTS_ABORT.
///
/// # References
///
/// nginx's `debug_points` directive.
#[cfg(feature = "standalone")]
#[unsafe(no_mangle)]
pub extern "C" fn ngx_debug_point() {
    debug_point::debug_point();
}

/// Sends the process `pid` the signal with the name "reload", "reopen", "stop"
/// or "quit".
///
/// Returns 0; or 1 if there is no signal with the name, or, with an alert in
/// the log, if the signal could not be sent.
///
/// # Safety
///
/// `cycle` is NULL or a valid cycle. `name` is NULL or a string.
///
/// # References
///
/// `kill(2)`; nginx's `src/os/unix/ngx_process.c`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_os_signal_process(
    cycle: *mut ngx_cycle_t,
    name: *mut c_char,
    pid: ngx_pid_t,
) -> ngx_int_t {
    // SAFETY: C passes NULL or a valid cycle, and NULL or a string.
    let (log, name) = unsafe { (cycle_log(cycle), Text::from_ptr(name)) };
    let name = name.bytes().unwrap_or_default();

    signals::os_signal_process(log, name, pid).map_or(1, |()| 0)
}
