//! `ngx_process.h`: spawning processes, signals, the process table.

use std::ffi::{c_char, c_void};
use std::ptr;

use crate::config::{NGX_INVALID_PID, ngx_int_t, ngx_pid_t};
use crate::host::call::ngx_spawn_proc_pt;
use crate::host::globals::GLOBALS;
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
use crate::process::execute::execute;
use crate::process::signals;
#[cfg(feature = "standalone")]
use crate::status::code;
use crate::sys::process::Program;
use crate::sys::text::Text;
use crate::table::slots::Work;

/// A program for ngx_execute().
#[repr(C)]
pub struct ngx_exec_ctx_t {
    /// The file to execute.
    pub path: *mut c_char,
    /// How log lines call the process.
    pub name: *mut c_char,
    /// Its arguments, NULL-terminated.
    pub argv: *const *mut c_char,
    /// Its environment, NULL-terminated.
    pub envp: *const *mut c_char,
}

/// Starts a process that runs `proc(cycle, data)`, in a slot of its own.
///
/// `name` is stored in the slot and must live as long as the slot is in use.
/// `respawn` is NGX_PROCESS_NORESPAWN or another of these modes, or the slot, 0
/// to 1023, of a process that has exited and is started again in its mode.
///
/// Returns the child's pid in the parent, and does not return in the child: if
/// `proc` returns, the child exits with 0. Returns NGX_INVALID_PID if there is
/// no process, with an alert in the log; ngx_process_slot is an empty slot
/// then.
///
/// The parent gets SIGCHLD when the child exits: call ngx_init_signals()
/// before, or handle it. No signal comes when the child writes to its channel:
/// watch `channel[0]` of its slot. A channel is a SOCK_SEQPACKET socket, so one
/// call has to read a whole message.
///
/// # Safety
///
/// `cycle` is NULL or a valid cycle, `name` a string, `proc` a function that
/// may be called with `data` in a forked copy of this process.
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
    // SAFETY: the contract of this function is that of `spawn_process`.
    let pid = unsafe { spawn_process(cycle, proc, data, Text::from_ptr(name), respawn) };

    pid.unwrap_or(NGX_INVALID_PID)
}

/// Executes a program in a detached process.
///
/// Returns its pid once the program runs. The program starts without signals
/// that this library has blocked or ignored. Returns NGX_INVALID_PID, with an
/// alert in the log, if there is no process or the program cannot be executed.
///
/// # Safety
///
/// `cycle` is NULL or a valid cycle, `ctx` NULL or a valid context.
///
/// # References
///
/// `execve(2)`; nginx's `src/os/unix/ngx_process.c`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_execute(
    cycle: *mut ngx_cycle_t,
    ctx: *mut ngx_exec_ctx_t,
) -> ngx_pid_t {
    // SAFETY: the contract of this function: each is NULL or valid.
    let (log, exec) = unsafe { (cycle_log(cycle), ctx.as_ref()) };

    let Some(exec) = exec else {
        log.refuse(format_args!("no program to execute"));
        return NGX_INVALID_PID;
    };

    // SAFETY: the contract of this function: a valid context has a name, a
    // path, and arrays of strings that end with NULL.
    let (name, path, program) = unsafe {
        (
            Text::from_ptr(exec.name),
            Text::from_ptr(exec.path),
            Program::new(exec.path, exec.argv.cast(), exec.envp.cast()),
        )
    };

    let work = Work {
        proc: ptr::null_mut(),
        data: ctx.cast(),
        name,
    };

    execute(&GLOBALS, log, work, path, program, &mut || {}).unwrap_or(NGX_INVALID_PID)
}

/// Sets up the signals that nginx handles or ignores.
///
/// Their handler logs to `ngx_cycle`. Returns NGX_OK, or NGX_ERROR with an
/// emergency in the log.
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
    // SAFETY: the contract of this function: NULL or a valid log.
    code(init_signals(unsafe { log_of(log) }))
}

/// Stops or aborts the process, as `ngx_ipc_debug_points` says: if it is
/// NGX_DEBUG_POINTS_STOP or NGX_DEBUG_POINTS_ABORT.
///
/// # References
///
/// nginx's `debug_points` directive.
#[cfg(feature = "standalone")]
#[unsafe(no_mangle)]
pub extern "C" fn ngx_debug_point() {
    debug_point::debug_point();
}

/// Sends the signal that the user calls "reload", "reopen", "stop" or "quit".
///
/// Returns 0, or 1 if there is no such name, or if the signal could not be
/// sent, with an alert in the log.
///
/// # Safety
///
/// `cycle` is NULL or a valid cycle, `name` NULL or a string.
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
    // SAFETY: the contract of this function: each is NULL or valid.
    let (log, name) = unsafe { (cycle_log(cycle), Text::from_ptr(name)) };
    let name = name.bytes().unwrap_or_default();

    signals::os_signal_process(log, name, pid).map_or(1, |()| 0)
}
