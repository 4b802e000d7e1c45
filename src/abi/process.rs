//! `ngx_process.h`: spawning processes, signals, the process table.

use crate::host::{
    call::{call, ngx_spawn_proc_pt},
    globals::GLOBALS,
};
use std::ffi::{c_char, c_int, c_void};
use std::ptr;

use crate::config::{NGX_INVALID_PID, ngx_int_t, ngx_pid_t};
use crate::host::logs::cycle_log;
#[cfg(feature = "standalone")]
use crate::host::ngx_log_t;
#[cfg(feature = "standalone")]
use crate::host::signal_handler::init_signals;
use crate::host::{self, ngx_cycle_t};
use crate::process::execute::execute;
use crate::process::mode::Respawn;
use crate::process::signals;
use crate::process::spawn::{Spawn, refuse};
use crate::status::Result;
use crate::sys::process::Program;
use crate::sys::text::Text;
use crate::table::slots::{MAX_PROCESSES, Work};

/// The size of ngx_processes[].
pub const NGX_MAX_PROCESSES: c_int = 1024;

/// Is not started again when it exits.
pub const NGX_PROCESS_NORESPAWN: c_int = -1;
/// The same, and the next signal to all workers leaves it out.
pub const NGX_PROCESS_JUST_SPAWN: c_int = -2;
/// Is started again when it exits, in the same slot.
pub const NGX_PROCESS_RESPAWN: c_int = -3;
/// The same, and the next signal to all workers leaves it out.
pub const NGX_PROCESS_JUST_RESPAWN: c_int = -4;
/// Has no channel and gets no signals.
pub const NGX_PROCESS_DETACHED: c_int = -5;

const _: () = assert!(MAX_PROCESSES == NGX_MAX_PROCESSES as usize);

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

fn pid_or_invalid(pid: Result<ngx_pid_t>) -> ngx_pid_t {
    pid.unwrap_or(NGX_INVALID_PID)
}

/// Starts a process that runs `proc(cycle, data)`, in a slot of its own.
///
/// `name` is kept in the slot and must live as long. `respawn` is one of
/// NGX_PROCESS_NORESPAWN and so on, or the slot, 0 to 1023, of a process that
/// has exited and is to be started again with the same flags.
///
/// Returns the child's pid in the parent, and does not return in the child:
/// `proc` that returns ends it with code 0. On failure NGX_INVALID_PID, with
/// an alert in the log; ngx_process_slot names an empty slot then.
///
/// The parent gets SIGIO when the child writes to its channel, and SIGCHLD
/// when it exits: call ngx_init_signals() before, or handle both.
///
/// # Safety
///
/// `cycle` is a valid cycle, `name` a string, `proc` a function that may be
/// called with `data` in a forked copy of this process.
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
    // SAFETY: promised by the caller.
    let log = unsafe { cycle_log(cycle) };
    // SAFETY: the same.
    let name = unsafe { Text::from_ptr(name) };

    let Some(proc) = proc else {
        refuse(
            &GLOBALS,
            log,
            format_args!("no function to spawn \"{name}\" with"),
        );
        return NGX_INVALID_PID;
    };

    let Some(respawn) = Respawn::new(respawn) else {
        refuse(
            &GLOBALS,
            log,
            format_args!("invalid slot {respawn} while spawning \"{name}\""),
        );
        return NGX_INVALID_PID;
    };

    let work = Work {
        proc: proc as *mut c_void,
        data,
        name,
    };
    let spawn = Spawn {
        work,
        // SAFETY: promised by the caller.
        start: &mut || unsafe { call(cycle, work) },
    };

    pid_or_invalid(host::spawn(&GLOBALS, log, cycle, spawn, respawn))
}

/// Executes a program in a detached process.
///
/// Returns its pid once the program runs. The program finds no signal
/// blocked or ignored by this library. NGX_INVALID_PID, with an alert in the
/// log, if there is no process or the program cannot be executed.
///
/// # Safety
///
/// `cycle` is a valid cycle, `ctx` a valid context.
///
/// # References
///
/// `execve(2)`; nginx's `src/os/unix/ngx_process.c`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_execute(
    cycle: *mut ngx_cycle_t,
    ctx: *mut ngx_exec_ctx_t,
) -> ngx_pid_t {
    // SAFETY: promised by the caller.
    let log = unsafe { cycle_log(cycle) };

    // SAFETY: the same.
    let Some(exec) = (unsafe { ctx.as_ref() }) else {
        log.refuse(format_args!("no program to execute"));
        return NGX_INVALID_PID;
    };

    // SAFETY: the same.
    let (work, path, program) = unsafe {
        (
            Work {
                proc: ptr::null_mut(),
                data: ctx.cast(),
                name: Text::from_ptr(exec.name),
            },
            Text::from_ptr(exec.path),
            Program::new(exec.path, exec.argv.cast(), exec.envp.cast()),
        )
    };

    pid_or_invalid(execute(&GLOBALS, log, work, path, program, &mut || {}))
}

/// Sets up the signals that nginx handles or ignores.
///
/// Returns NGX_OK, or NGX_ERROR with an emergency in the log.
///
/// # Safety
///
/// `log` is NULL or a valid log. `ngx_cycle` is what the handler logs to.
///
/// # References
///
/// `sigaction(2)`; nginx's `src/os/unix/ngx_process.c`.
#[cfg(feature = "standalone")]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_init_signals(log: *mut ngx_log_t) -> ngx_int_t {
    // SAFETY: promised by the caller.
    unsafe { init_signals(log) }
}

/// Stops or aborts the process where nginx's `debug_points` ask for it:
/// `ngx_ipc_debug_points` is NGX_DEBUG_POINTS_STOP or _ABORT.
///
/// # References
///
/// nginx's `debug_points` directive.
#[cfg(feature = "standalone")]
#[unsafe(no_mangle)]
pub extern "C" fn ngx_debug_point() {
    use std::sync::atomic::Ordering::Relaxed;

    use crate::host::standalone::cycle;
    use crate::sys::signal;

    match crate::host::standalone::ipc::ngx_ipc_debug_points.load(Relaxed) {
        cycle::NGX_DEBUG_POINTS_STOP => signal::raise(libc::SIGSTOP),
        cycle::NGX_DEBUG_POINTS_ABORT => std::process::abort(),
        _ => {}
    }
}

/// Sends the signal that the user calls "reload", "reopen", "stop" or "quit".
///
/// Returns 0, or 1 if there is no such name or, with an alert in the log,
/// the signal could not be sent.
///
/// # Safety
///
/// `cycle` is a valid cycle, `name` a string.
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
    // SAFETY: promised by the caller.
    let (log, name) = unsafe { (cycle_log(cycle), Text::from_ptr(name)) };
    let name = name.bytes().unwrap_or_default();

    signals::os_signal_process(log, name, pid).map_or(1, |()| 0)
}
