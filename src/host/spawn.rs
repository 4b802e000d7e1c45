//! The part of `ngx_spawn_process()` that both hosts share.

use std::ffi::c_void;

use super::call::{call, ngx_spawn_proc_pt};
use super::globals::GLOBALS;
use super::logs::cycle_log;
#[cfg(not(feature = "standalone"))]
use super::nginx::{described::described, spawn::spawn, types::ngx_cycle_t};
#[cfg(feature = "standalone")]
use super::standalone::spawn::spawn;
#[cfg(feature = "standalone")]
use super::standalone::types::ngx_cycle_t;
use crate::config::{ngx_int_t, ngx_pid_t};
use crate::process::mode::Mode;
use crate::process::spawn::{Spawn, refuse};
#[cfg(feature = "standalone")]
use crate::process::wanted::Wanted;
use crate::status::Result;
use crate::sys::text::Text;
use crate::table::slots::Work;

/// Starts a process that runs `proc(cycle, data)`. Returns the pid of the
/// process, or an error, with an alert in the log.
///
/// # Safety
///
/// `cycle` is NULL or a valid cycle. `proc` is NULL or can be called with
/// `cycle` and `data` in a forked copy of this process. `name` lives as long as
/// the process's slot is in use.
pub unsafe fn spawn_process(
    cycle: *mut ngx_cycle_t,
    proc: ngx_spawn_proc_pt,
    data: *mut c_void,
    name: Text,
    respawn: ngx_int_t,
) -> Result<ngx_pid_t> {
    // SAFETY: the caller passes NULL or a valid cycle.
    let log = unsafe { cycle_log(cycle) };

    let Some(proc) = proc else {
        let why = format_args!("no function to spawn \"{name}\" with");

        return Err(refuse(&GLOBALS, log, why));
    };

    let Some(mode) = Mode::from_c(respawn) else {
        let why = format_args!("invalid slot {respawn} while spawning \"{name}\"");

        return Err(refuse(&GLOBALS, log, why));
    };

    let work = Work {
        proc: proc as *mut c_void,
        data,
        name,
    };
    let process = Spawn {
        wanted: described(work),
        // SAFETY: the caller passes a `proc` that can be called with `cycle`
        // and `data` in the child.
        start: &mut || unsafe { call(cycle, work) },
    };

    spawn(&GLOBALS, log, cycle, process, mode)
}

/// Describes a process that a program without nginx starts. The program does not
/// tell its role.
#[cfg(feature = "standalone")]
fn described(work: Work) -> Wanted {
    Wanted::new(work)
}
