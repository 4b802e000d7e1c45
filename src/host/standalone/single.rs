//! The life of a process that is master and worker in one.

use crate::table::role;
use std::sync::atomic::Ordering::Relaxed;

use super::cycle::{listening, ngx_cycle_t, ngx_init_cycle};
use super::event::ngx_process_events_and_timers;
use super::listening::accept_on;
use super::master::exit_master;
use super::module::modules;
use super::variables::{ngx_process, ngx_reconfigure};
use super::worker::reopen_if_asked;
use crate::abi::introspect;
use crate::config::NGX_ERROR;
use crate::host::globals::GLOBALS;
use crate::host::logs::cycle_log;
use crate::log::{Debug, Level};
use crate::sys::process;

/// Runs a process that is master and worker in one: the modules' hooks and
/// the event loop. Does not return.
///
/// # Safety
///
/// `cycle` comes from ngx_init_cycle() or is the program's own.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_single_process_cycle(cycle: *mut ngx_cycle_t) {
    let mut cycle = cycle;

    ngx_process.store(role::NGX_PROCESS_SINGLE, Relaxed);

    // SAFETY: promised by the caller.
    unsafe {
        for module in modules(cycle) {
            if (*module)
                .init_process
                .is_some_and(|init| init(cycle) == NGX_ERROR)
            {
                process::exit(2);
            }
        }

        accept_all(cycle);

        loop {
            cycle_log(cycle).debug(Debug::Event, format_args!("worker cycle"));
            ngx_process_events_and_timers(cycle);

            if GLOBALS.leaving() {
                for module in modules(cycle) {
                    if let Some(exit) = (*module).exit_process {
                        exit(cycle);
                    }
                }

                exit_master(cycle, cycle_log(cycle));
            }

            if ngx_reconfigure.swap(0, Relaxed) != 0 {
                cycle_log(cycle).error(Level::Notice, None, format_args!("reconfiguring"));

                let new = ngx_init_cycle(cycle);

                if !new.is_null() {
                    cycle = new;
                    accept_all(cycle);
                }
            }

            reopen_if_asked(cycle, cycle_log(cycle));

            if introspect::asked() {
                introspect::dump(cycle_log(cycle));
            }
        }
    }
}

/// # Safety
///
/// `cycle` is valid.
unsafe fn accept_all(cycle: *mut ngx_cycle_t) {
    // SAFETY: promised by the caller.
    unsafe {
        for ls in listening(cycle) {
            if accept_on(cycle, ls).is_err() {
                process::exit(2);
            }
        }
    }
}
