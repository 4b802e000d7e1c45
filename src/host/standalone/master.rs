//! The life of a master, and of a process that is master and worker in one.

use crate::table::role;
use std::ffi::c_int;
use std::sync::atomic::Ordering::Relaxed;

use super::conf::{conf_of, identity_of};
use super::cycle::{listening, ngx_cycle_t, ngx_init_cycle, ngx_reopen_files};
use super::event::{flag, ngx_event_s, ngx_process_events_and_timers};
use super::event_timer::{ngx_event_add_timer, ngx_event_del_timer};
use super::ipc::ngx_reap_children;
use super::module::modules;
use super::pidfile;
use super::pidfile::When;
use super::setproctitle::set_title;
use super::start::Starter;
use super::upgrade::exec_new_binary;
use super::variables::{
    ngx_change_binary, ngx_new_binary, ngx_noaccept, ngx_noaccepting, ngx_process, ngx_quit,
    ngx_reap, ngx_reconfigure, ngx_reopen, ngx_restart, ngx_sigalrm, ngx_terminate,
};
use crate::abi::introspect;
use crate::config::{ngx_msec_t, ngx_uint_t};
use crate::host::globals::{GLOBALS, ngx_argv};
use crate::host::logs::cycle_log;
use crate::log::{Debug, Level, Log};
use crate::process::signals;
use crate::process_cycle::signal_workers::signal_processes;
use crate::sys::text::Text;
use crate::sys::{process, user};

/// What a master knows beside nginx's variables.
struct Master {
    cycle: *mut ngx_cycle_t,
    log: Log,
    generation: ngx_uint_t,
    starter: Starter,
    /// The delay before the next signal of a termination; 0: there was none.
    delay: ngx_msec_t,
    alarm: *mut ngx_event_s,
}

/// Runs a master: starts the workers and helpers that the cycle's
/// configuration asks for, respawns those that die, and does what signals
/// ask for.
///
/// SIGHUP starts a new generation and has the old one shut down gracefully;
/// SIGQUIT shuts down, SIGTERM and SIGINT stop, with SIGKILL after 1.5 s;
/// SIGUSR1 reopens the logs; SIGUSR2 starts a new binary; SIGWINCH stops the
/// workers of a daemon. Does not return.
///
/// # Safety
///
/// `cycle` comes from ngx_init_cycle() or is the program's own.
///
/// # References
///
/// nginx's `src/os/unix/ngx_process_cycle.c`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_master_process_cycle(cycle: *mut ngx_cycle_t) {
    ngx_process.store(role::NGX_PROCESS_MASTER, Relaxed);
    ngx_new_binary.store(0, Relaxed);

    // SAFETY: promised by the caller; the events live as long as the process.
    unsafe {
        let mut master = Master {
            cycle,
            log: cycle_log(cycle),
            generation: 0,
            starter: Starter::new(cycle, cycle_log(cycle), event(nothing)),
            delay: 0,
            alarm: event(alarm_handler),
        };

        set_title(cycle, &title());
        master.starter.start();

        loop {
            ngx_process_events_and_timers(master.cycle);
            master.wake_up();
        }
    }
}

/// "master process" and the arguments of the program.
unsafe fn title() -> String {
    let mut title = String::from("master process");

    // SAFETY: `ngx_argv` is NULL or a NULL-terminated array of strings.
    for arg in unsafe { arguments() } {
        title.push(' ');
        title += &String::from_utf8_lossy(arg.bytes().unwrap_or_default());
    }

    title
}

/// # Safety
///
/// `ngx_argv` is NULL or a NULL-terminated array of strings.
unsafe fn arguments() -> Vec<Text> {
    let argv = ngx_argv.load(Relaxed);

    if argv.is_null() {
        return Vec::new();
    }

    // SAFETY: promised by the caller.
    unsafe {
        (0..)
            .map(|i| *argv.add(i))
            .take_while(|arg| !arg.is_null())
            .map(|arg| Text::from_ptr(arg))
            .collect()
    }
}

/// The program's name as it was started; NULL if that is not known.
fn program() -> Text {
    let argv = ngx_argv.load(Relaxed);

    // SAFETY: `ngx_argv` is NULL or a NULL-terminated array of strings.
    unsafe {
        let program = argv.as_ref().copied();

        Text::from_ptr(program.unwrap_or(std::ptr::null_mut()))
    }
}

fn event(handler: unsafe extern "C" fn(*mut ngx_event_s)) -> *mut ngx_event_s {
    let mut ev = ngx_event_s::new(std::ptr::null_mut(), 0, std::ptr::null_mut());

    ev.handler = Some(handler);
    ev.set(flag::CANCELABLE, true);

    Box::into_raw(Box::new(ev))
}

unsafe extern "C" fn alarm_handler(_ev: *mut ngx_event_s) {
    ngx_sigalrm.store(1, Relaxed);
}

unsafe extern "C" fn nothing(_ev: *mut ngx_event_s) {}

impl Master {
    /// What has happened, in nginx's order.
    ///
    /// # Safety
    ///
    /// The cycle is valid.
    unsafe fn wake_up(&mut self) {
        // SAFETY: promised by the caller, for all that follows.
        unsafe {
            let mut live = true;

            if ngx_reap.swap(0, Relaxed) != 0 {
                self.log.debug(Debug::Event, format_args!("reap children"));
                live = self.reap();
            }

            if GLOBALS.leaving() && (!live || !self.anybody()) {
                self.exit();
            }

            if ngx_terminate.load(Relaxed) != 0 {
                self.terminate();
                return;
            }

            if ngx_quit.load(Relaxed) != 0 {
                self.signal(signals::SHUTDOWN);
                self.close_listening();
                return;
            }

            if self.starter.start_missing() {
                self.signal(signals::SHUTDOWN);
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
                self.log
                    .error(Level::Notice, None, format_args!("changing binary"));
                ngx_new_binary.store(exec_new_binary(self.cycle).max(0), Relaxed);
            }

            if ngx_noaccept.swap(0, Relaxed) != 0 {
                ngx_noaccepting.store(1, Relaxed);
                self.starter.give_up();
                self.signal(signals::SHUTDOWN);
            }

            if introspect::asked() {
                introspect::dump(self.log);
            }
        }
    }

    fn anybody(&self) -> bool {
        use crate::table::slots::Flag;

        GLOBALS
            .table
            .iter()
            .any(|(_, slot)| slot.occupied() && !slot.is(Flag::Detached))
    }

    fn signal(&self, signo: c_int) {
        signal_processes(&GLOBALS, self.log, signo, None);
    }

    /// # Safety
    ///
    /// The cycle is valid.
    unsafe fn reap(&mut self) -> bool {
        let new_binary = ngx_new_binary.load(Relaxed);

        // SAFETY: promised by the caller.
        let live = unsafe { ngx_reap_children(self.cycle) } != 0;

        if new_binary != 0 && ngx_new_binary.load(Relaxed) == 0 {
            // SAFETY: the same.
            unsafe { pidfile::take_back(self.cycle, self.log, When::Exited, program()) };
        }

        live
    }

    /// # Safety
    ///
    /// The cycle is valid.
    unsafe fn reconfigure(&mut self) {
        // SAFETY: promised by the caller.
        unsafe {
            if ngx_new_binary.load(Relaxed) > 0 {
                // Taken back: the workers of this binary are wanted again, if
                // they were told to go.
                if ngx_noaccepting.swap(0, Relaxed) != 0 {
                    self.starter.start();
                }
                return;
            }

            self.log
                .error(Level::Notice, None, format_args!("reconfiguring"));

            let cycle = ngx_init_cycle(self.cycle);

            if cycle.is_null() {
                return;
            }

            // The workers that were told to stop accepting are succeeded.
            ngx_noaccepting.store(0, Relaxed);

            self.cycle = cycle;
            self.log = cycle_log(cycle);
            self.generation += 1;
            introspect::set_generation(self.generation);

            if self.starter.reload(cycle, self.log, self.generation) {
                self.signal(signals::SHUTDOWN);
            }
        }
    }

    /// # Safety
    ///
    /// The cycle is valid.
    unsafe fn reopen(&self) {
        self.log
            .error(Level::Notice, None, format_args!("reopening logs"));

        // SAFETY: promised by the caller.
        unsafe {
            let user = identity_of(conf_of(self.cycle))
                .ok()
                .flatten()
                .filter(|_| user::is_root())
                .map_or(libc::uid_t::MAX, |identity| identity.user.as_raw());

            ngx_reopen_files(self.cycle, user);
        }

        self.signal(signals::REOPEN);
    }

    /// Asks the processes to exit, and again after delays that double; past
    /// one second it does not ask any more.
    fn terminate(&mut self) {
        const ENOUGH: ngx_msec_t = 1000;

        if self.delay == 0 {
            self.delay = 50;
        } else if ngx_sigalrm.swap(0, Relaxed) != 0 {
            self.delay *= 2;
        } else {
            return;
        }

        self.log.debug(
            Debug::Event,
            format_args!("termination cycle: {}", self.delay),
        );

        // SAFETY: the event lives as long as the process.
        unsafe {
            ngx_event_del_timer(self.alarm);
            ngx_event_add_timer(self.alarm, self.delay);
        }

        self.signal(if self.delay > ENOUGH {
            libc::SIGKILL
        } else {
            signals::TERMINATE
        });
    }

    /// # Safety
    ///
    /// The cycle is valid.
    unsafe fn close_listening(&self) {
        // SAFETY: promised by the caller.
        unsafe {
            for ls in listening(self.cycle) {
                (*ls).remove_file(self.log);
                (*ls).close(self.log);
            }
        }
    }

    /// # Safety
    ///
    /// The cycle is valid.
    unsafe fn exit(&self) -> ! {
        // SAFETY: promised by the caller.
        unsafe { exit_master(self.cycle, self.log) }
    }
}

/// # Safety
///
/// `cycle` is valid.
pub unsafe fn exit_master(cycle: *mut ngx_cycle_t, log: Log) -> ! {
    // SAFETY: promised by the caller.
    unsafe {
        pidfile::delete(cycle, log);

        log.error(Level::Notice, None, format_args!("exit"));

        for module in modules(cycle) {
            if let Some(exit) = (*module).exit_master {
                exit(cycle);
            }
        }

        for ls in listening(cycle) {
            (*ls).remove_file(log);
            (*ls).close(log);
        }
    }

    process::exit(0)
}
