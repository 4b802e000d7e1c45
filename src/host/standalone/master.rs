//! Runs a master: starts workers and helpers, starts processes that have died
//! again, and does what signals ask for.

use std::ffi::c_int;
use std::sync::atomic::Ordering::{Acquire, Relaxed};

use super::cycle::Cycle;
use super::event::{Event, StaticEvent, ngx_event_t};
use super::overdue::Overdue;
use super::pidfile::{self, Reason};
use super::process_events::process_events_and_timers;
use super::reopen::reopen_log;
use super::setproctitle::set_title_of;
use super::start::Starter;
use super::types::flag;
use super::upgrade::exec_new_binary;
use super::variables::{
    ngx_change_binary, ngx_new_binary, ngx_noaccept, ngx_noaccepting, ngx_process, ngx_quit,
    ngx_reap, ngx_reconfigure, ngx_reopen, ngx_restart, ngx_sigalrm, ngx_terminate,
};
use super::{arguments, init_cycle, service_manager, spawn};
use crate::config::ngx_msec_t;
use crate::host::globals::GLOBALS;
use crate::host::introspect;
use crate::host::messages::region;
use crate::log::{Debug, Level, Log};
use crate::process::signals;
use crate::process_cycle::signal_workers::signal_processes;
use crate::sys::{process, user};
use crate::table::slots::Flag;
use crate::table::{generation, restart, role};

/// The delay in milliseconds between the first and the second signal that stop
/// the processes. The delay doubles with each further signal.
const FIRST_DELAY: ngx_msec_t = 50;
/// If the delay is longer than this many milliseconds, the next signal is
/// SIGKILL.
const LAST_DELAY: ngx_msec_t = 1000;

/// The state of a master that is not in nginx's variables.
struct Master {
    cycle: Cycle,
    log: Log,
    starter: Starter,
    /// The delay in milliseconds after the last signal that stops the
    /// processes; 0 if no such signal has been sent.
    delay: ngx_msec_t,
    alarm: Event,
    overdue: Overdue,
    /// The `shutdown_timeout` of the processes of the previous configuration.
    old_timeout: Option<ngx_msec_t>,
}

/// Runs a master with the workers and helpers of `cycle`. After a signal to
/// exit, the master waits until all its children have exited, and exits.
pub fn run(cycle: Cycle) -> ! {
    ngx_process.store(role::NGX_PROCESS_MASTER, Relaxed);
    ngx_new_binary.store(0, Relaxed);

    let mut master = Master {
        cycle,
        log: cycle.log(),
        starter: Starter::new(cycle, cycle.log()),
        delay: 0,
        alarm: ALARM.init(Some(set_sigalrm), None),
        overdue: Overdue::new(),
        old_timeout: None,
    };

    // A process that shuts down does not wait for a timer with this flag.
    master.alarm.set(flag::CANCELABLE);

    restart::set_delays(true);
    generation::begin_first();
    set_masters_title(cycle);
    master.starter.start();

    loop {
        service_manager::follow(master.cycle, master.starter.is_running());
        process_events_and_timers(master.log);
        master.handle_signals();
    }
}

/// Sets the title of the master: "master process" and the arguments of the
/// program.
fn set_masters_title(cycle: Cycle) {
    let arguments = arguments::all().flat_map(|arg| [&b" "[..], arg.to_bytes()]);

    set_title_of(cycle, [&b"master process"[..]].into_iter().chain(arguments));
}

/// The event whose timer sets `ngx_sigalrm`.
static ALARM: StaticEvent = StaticEvent::new();

unsafe extern "C" fn set_sigalrm(_event: *mut ngx_event_t) {
    ngx_sigalrm.store(1, Relaxed);
}

impl Master {
    /// Does what the flags that signal handlers have set ask for, in the order
    /// of nginx.
    fn handle_signals(&mut self) {
        let mut live = true;

        self.overdue.kill(self.log);

        // The handler of SIGCHLD can run in another thread, and sets the flag last.
        if ngx_reap.swap(0, Acquire) != 0 {
            self.log.debug(Debug::Event, format_args!("reap children"));
            live = self.reap();
        }

        if GLOBALS.leaving() {
            service_manager::stopping();

            if !live || !has_children() {
                exit_master(self.cycle);
            }
        }

        if ngx_terminate.load(Relaxed) != 0 {
            self.terminate();
            return;
        }

        if ngx_quit.load(Relaxed) != 0 {
            self.shut_down(self.cycle.conf().shutdown_timeout());
            close_listening(self.cycle);
            return;
        }

        if self.starter.start_missing() {
            self.shut_down(self.old_timeout);
        }

        if ngx_reconfigure.swap(0, Relaxed) != 0 {
            self.reconfigure();
        }

        if ngx_restart.swap(0, Relaxed) != 0 {
            self.starter.start();
        }

        if ngx_reopen.swap(0, Relaxed) != 0 {
            self.reopen();
        }

        if ngx_change_binary.swap(0, Relaxed) != 0 {
            self.change_binary();
        }

        if ngx_noaccept.swap(0, Relaxed) != 0 {
            ngx_noaccepting.store(1, Relaxed);
            self.starter.give_up();
            self.shut_down(self.cycle.conf().shutdown_timeout());
        }

        introspect::log_list_if_requested(self.log);
    }

    /// Tells the processes to shut down gracefully. `timeout` is the
    /// `shutdown_timeout` of these processes.
    fn shut_down(&mut self, timeout: Option<ngx_msec_t>) {
        self.signal(signals::SHUTDOWN);
        self.overdue.add(timeout, self.log);
    }

    fn signal(&self, signo: c_int) {
        signal_processes(&GLOBALS, self.log, signo, None);
    }

    /// Clears the slots of children that have exited, and starts children again
    /// that are to be respawned. Returns whether any child is left.
    fn reap(&self) -> bool {
        let before = ngx_new_binary.load(Relaxed);
        let live = spawn::reap_children(Some(self.cycle));

        if before != 0 && ngx_new_binary.load(Relaxed) == 0 {
            pidfile::rename_back(self.cycle, self.log, Reason::Exited, arguments::program());
            service_manager::upgrade_failed();
        }

        live
    }

    /// Starts the processes of a new configuration, and shuts the old processes
    /// down gracefully. While a new binary runs, there is no new configuration:
    /// the master starts the workers of this binary again if SIGWINCH has
    /// stopped them.
    fn reconfigure(&mut self) {
        service_manager::reloading();

        if ngx_new_binary.load(Relaxed) > 0 {
            if ngx_noaccepting.swap(0, Relaxed) != 0 {
                self.starter.start();
            }
            return;
        }

        self.log
            .error(Level::Notice, None, format_args!("reconfiguring"));

        let timeout = self.cycle.conf().shutdown_timeout();

        // SAFETY: the master and its starter get the new cycle and its log
        // below, and do not use the old cycle before that.
        let Ok(cycle) = (unsafe { init_cycle::reload(self.cycle) }) else {
            service_manager::refused();
            return;
        };

        // The new processes replace the workers that SIGWINCH has stopped.
        ngx_noaccepting.store(0, Relaxed);

        self.old_timeout = timeout;
        self.cycle = cycle;
        self.log = cycle.log();

        generation::begin_next();

        if self.starter.reload(cycle, self.log) {
            self.shut_down(self.old_timeout);
        }
    }

    fn reopen(&self) {
        self.log
            .error(Level::Notice, None, format_args!("reopening logs"));

        // The user of the workers becomes the owner of the file, so that the
        // workers can open the file too.
        let owner = self
            .cycle
            .conf()
            .identity()
            .ok()
            .flatten()
            .filter(|_| user::is_root())
            .map(|identity| identity.user.as_raw());

        reopen_log(self.cycle, owner);
        self.signal(signals::REOPEN);
    }

    fn change_binary(&self) {
        self.log
            .error(Level::Notice, None, format_args!("changing binary"));

        let pid = exec_new_binary(self.cycle).unwrap_or(0);

        ngx_new_binary.store(pid, Relaxed);

        if pid != 0 {
            // A signal that has arrived before `ngx_new_binary` was set. nginx blocks signals
            // meanwhile.
            if ngx_change_binary.swap(0, Relaxed) != 0 {
                signals::log_third_binary(self.log);
            }

            service_manager::upgrading(pid);
        }
    }

    /// Stops the processes: sends a signal at once and again after delays that
    /// double, and sends SIGKILL after the last delay.
    fn terminate(&mut self) {
        if self.delay == 0 {
            self.delay = FIRST_DELAY;
        } else if ngx_sigalrm.swap(0, Relaxed) != 0 {
            self.delay *= 2;
        } else {
            return;
        }

        self.log.debug(
            Debug::Event,
            format_args!("termination cycle: {}", self.delay),
        );

        self.alarm.delete_timer();
        self.alarm.add_timer(self.delay);

        self.signal(if self.delay > LAST_DELAY {
            libc::SIGKILL
        } else {
            signals::TERMINATE
        });
    }
}

/// Whether a child is left for which the master must wait before it exits.
fn has_children() -> bool {
    GLOBALS
        .table
        .iter()
        .any(|(_, slot)| slot.occupied() && !slot.is(Flag::Detached))
}

fn close_listening(cycle: Cycle) {
    for ls in cycle.listening().filter(|ls| ls.fd() != -1) {
        ls.close(cycle.log());
        ls.remove_file(cycle.log());
    }
}

/// Ends a master or a single process: removes the pid file, calls the modules'
/// `exit_master`, closes the listening sockets and exits.
pub fn exit_master(cycle: Cycle) -> ! {
    let log = cycle.log();

    pidfile::remove(cycle, log);
    log.error(Level::Notice, None, format_args!("exit"));
    region::finish(log);
    cycle.modules().exit_master();
    region::leave();
    close_listening(cycle);

    // During an upgrade, this process is now the last one of its binary.
    for ls in cycle.listening() {
        ls.remove_dead_file(log);
    }

    service_manager::hand_over();

    process::exit(0)
}
