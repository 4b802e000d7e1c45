//! Runs a single process: a process that is master and worker in one.

use std::sync::atomic::Ordering::Relaxed;

use super::cycle::Cycle;
use super::init_cycle;
use super::init_process;
use super::master::exit_master;
use super::old_cycle::retire_listening;
use super::pidfile;
use super::process_events::process_events_and_timers;
use super::reopen::reopen_if_requested;
use super::service_manager;
use super::variables::{ngx_process, ngx_reconfigure};
use crate::host::globals::GLOBALS;
use crate::host::introspect;
use crate::host::messages::region;
use crate::log::{Debug, Level};
use crate::status::Result;
use crate::table::{generation, role};

/// Runs the modules' hooks and the event loop, until a signal ends the process.
pub fn run(mut cycle: Cycle) -> ! {
    ngx_process.store(role::NGX_PROCESS_SINGLE, Relaxed);

    generation::begin_first();
    region::prepare(cycle.log(), Some(0));
    exit_unless_set_up(cycle, cycle.modules().init_process());
    start_accepting(cycle);

    loop {
        service_manager::follow(cycle, true);
        cycle
            .log()
            .debug(Debug::Event, format_args!("worker cycle"));
        process_events_and_timers(cycle.log());

        if GLOBALS.leaving() {
            service_manager::stopping();
            cycle.modules().exit_process();
            exit_master(cycle);
        }

        if ngx_reconfigure.swap(0, Relaxed) != 0 {
            cycle
                .log()
                .error(Level::Notice, None, format_args!("reconfiguring"));

            service_manager::reloading();

            // SAFETY: `cycle` is set to the new cycle at once, so only open
            // connections use the old cycle.
            if let Ok(new) = unsafe { init_cycle::reload(cycle) } {
                cycle = new;
                start_accepting(cycle);
            } else {
                service_manager::refused();
            }
        }

        reopen_if_requested(cycle);
        introspect::log_list_if_requested(cycle.log());
    }
}

fn start_accepting(cycle: Cycle) {
    for ls in cycle.listening() {
        exit_unless_set_up(cycle, ls.start_accepting(cycle.error_log()));
    }
}

/// Exits with code 2 if `result` is an error of the set-up. Removes the pid file
/// and the files of Unix sockets, so that the program can be started again.
fn exit_unless_set_up(cycle: Cycle, result: Result) {
    if result.is_err() {
        pidfile::remove(cycle, cycle.log());
        retire_listening(cycle, None);
    }

    init_process::exit_unless_set_up(result);
}
