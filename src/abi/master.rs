//! The life of a master, and of a process that is master and worker in one.

use std::ffi::{c_char, c_int};
use std::sync::atomic::Ordering::Relaxed;

use super::conf::{conf_of, identity_of};
use super::cycle::{listening, ngx_cycle_t, ngx_init_cycle, ngx_reopen_files};
use super::event::{flag, ngx_event_s, ngx_process_events_and_timers};
use super::event_timer::{ngx_event_add_timer, ngx_event_del_timer};
use super::introspect;
use super::ipc::ngx_reap_children;
use super::module::modules;
use super::pidfile::errno_of;
use super::process::{GLOBALS, ngx_argv, ngx_spawn_process};
use super::process_cycle::{
    ngx_change_binary, ngx_new_binary, ngx_noaccept, ngx_noaccepting, ngx_process, ngx_quit,
    ngx_reap, ngx_reconfigure, ngx_reopen, ngx_restart, ngx_sigalrm, ngx_terminate,
};
use super::setproctitle::set_title;
use super::upgrade::exec_new_binary;
use super::worker::{helper_process_cycle, ngx_worker_process_cycle};
use super::{cycle_log, pidfile};
use crate::config::{NGX_INVALID_PID, ngx_int_t, ngx_msec_t, ngx_uint_t};
use crate::log::{Debug, Level, Log};
use crate::process::supervise::{self, Restart};
use crate::process::{info, signals};
use crate::process_cycle as core;
use crate::sys::text::Text;
use crate::sys::{process, user};

/// `NGX_PROCESS_RESPAWN`.
const RESPAWN: ngx_int_t = -3;
/// `NGX_PROCESS_JUST_RESPAWN`: the signal to the old processes leaves the new
/// ones out.
const JUST_RESPAWN: ngx_int_t = -4;

/// What a master knows beside nginx's variables.
struct Master {
    cycle: *mut ngx_cycle_t,
    log: Log,
    generation: ngx_uint_t,
    /// Numbers of workers that could not be started, and when to try again.
    missing: Vec<usize>,
    retry: Restart,
    /// The delay before the next signal of a termination; 0: there was none.
    delay: ngx_msec_t,
    alarm: *mut ngx_event_s,
    retry_timer: *mut ngx_event_s,
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
    ngx_process.store(signals::PROCESS_MASTER, Relaxed);
    ngx_new_binary.store(0, Relaxed);

    // SAFETY: promised by the caller; the events live as long as the process.
    unsafe {
        let mut master = Master {
            cycle,
            log: cycle_log(cycle),
            generation: 0,
            missing: Vec::new(),
            retry: Restart::unused(),
            delay: 0,
            alarm: event(alarm_handler),
            retry_timer: event(nothing),
        };

        set_title(cycle, &title());
        master.start(RESPAWN);

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
fn program() -> *const c_char {
    let argv = ngx_argv.load(Relaxed);

    // SAFETY: `ngx_argv` is NULL or a NULL-terminated array.
    unsafe { argv.as_ref() }.map_or(std::ptr::null(), |&program| program.cast_const())
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

            self.start_missing();

            if ngx_reconfigure.swap(0, Relaxed) != 0 {
                self.reconfigure();
            }

            if ngx_restart.swap(0, Relaxed) != 0 {
                self.start(RESPAWN);
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
                self.signal(signals::SHUTDOWN);
            }

            if introspect::asked() {
                introspect::dump(self.log);
            }
        }
    }

    fn anybody(&self) -> bool {
        use crate::process::table::Flag;

        GLOBALS
            .table
            .iter()
            .any(|(_, slot)| slot.occupied() && !slot.is(Flag::Detached))
    }

    fn signal(&self, signo: c_int) {
        core::signal_processes(&GLOBALS, self.log, signo, None);
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
            unsafe { pidfile::take_back(self.cycle, self.log, "after the exit of the", program()) };
        }

        live
    }

    /// Starts a set of processes; how many were started.
    ///
    /// # Safety
    ///
    /// The cycle is valid.
    unsafe fn start(&mut self, mode: ngx_int_t) -> usize {
        self.log
            .error(Level::Notice, None, format_args!("start worker processes"));

        self.missing.clear();

        // SAFETY: promised by the caller.
        unsafe {
            let workers = worker_processes(self.cycle);
            let started = (0..workers)
                .filter(|&worker| self.start_worker(worker, mode))
                .count();

            self.start_helpers(mode);

            started
        }
    }

    /// # Safety
    ///
    /// The cycle is valid.
    unsafe fn start_worker(&mut self, worker: usize, mode: ngx_int_t) -> bool {
        // SAFETY: promised by the caller; the name is never written to.
        let pid = unsafe {
            ngx_spawn_process(
                self.cycle,
                Some(ngx_worker_process_cycle),
                std::ptr::without_provenance_mut(worker),
                c"worker process".as_ptr().cast_mut(),
                mode,
            )
        };

        if pid == NGX_INVALID_PID {
            self.missing.push(worker);
            self.try_again_later();
            return false;
        }

        info::of(GLOBALS.own_slot()).reset(
            signals::PROCESS_WORKER,
            worker.cast_signed(),
            self.generation,
        );
        core::announce(&GLOBALS, self.log);

        true
    }

    /// # Safety
    ///
    /// The cycle is valid.
    unsafe fn start_helpers(&mut self, mode: ngx_int_t) {
        // SAFETY: promised by the caller; there are `helpers_n` of them.
        unsafe {
            let conf = conf_of(self.cycle);

            for i in 0..conf.helpers_n {
                let ctx = conf.helpers.add(i);
                let pid = ngx_spawn_process(
                    self.cycle,
                    Some(helper_process_cycle),
                    ctx.cast(),
                    (*ctx).name,
                    mode,
                );

                if pid != NGX_INVALID_PID {
                    info::of(GLOBALS.own_slot()).reset(
                        signals::PROCESS_HELPER,
                        -1,
                        self.generation,
                    );
                    core::announce(&GLOBALS, self.log);
                }
            }
        }
    }

    /// Workers that could not be started are tried again on a timer, and
    /// whenever a slot may have become free (`D2`).
    ///
    /// # Safety
    ///
    /// The cycle is valid.
    unsafe fn start_missing(&mut self) {
        if self.missing.is_empty() || self.retry.due_in(supervise::now()) != 0 {
            return;
        }

        for worker in std::mem::take(&mut self.missing) {
            // SAFETY: promised by the caller.
            unsafe { self.start_worker(worker, RESPAWN) };
        }

        if self.missing.is_empty() {
            self.retry = Restart::unused();
        }
    }

    fn try_again_later(&mut self) {
        let now = supervise::now();

        if self.retry.due_in(now) == 0 {
            let delay = self.retry.after_failure(now);

            // SAFETY: the event lives as long as the process.
            unsafe {
                ngx_event_del_timer(self.retry_timer);
                ngx_event_add_timer(self.retry_timer, delay);
            }
        }
    }

    /// # Safety
    ///
    /// The cycle is valid.
    unsafe fn reconfigure(&mut self) {
        // SAFETY: promised by the caller.
        unsafe {
            if ngx_new_binary.load(Relaxed) > 0 {
                // Taken back: the workers of this binary are wanted again.
                self.start(RESPAWN);
                ngx_noaccepting.store(0, Relaxed);
                return;
            }

            self.log
                .error(Level::Notice, None, format_args!("reconfiguring"));

            let cycle = ngx_init_cycle(self.cycle);

            if cycle.is_null() {
                return;
            }

            self.cycle = cycle;
            self.log = cycle_log(cycle);
            self.generation += 1;
            super::introspect::set_generation(self.generation);

            if self.start(JUST_RESPAWN) == 0 && worker_processes(cycle) != 0 {
                self.log.error(
                    Level::Alert,
                    None,
                    format_args!("no new worker could be started, the old ones go on"),
                );
                return;
            }

            self.signal(signals::SHUTDOWN);
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
                remove_unix_socket(&*ls, self.log);
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

/// A Unix socket's file goes with the last binary that listens on it.
///
/// # Safety
///
/// The address is NULL or a string.
unsafe fn remove_unix_socket(ls: &super::listening::ngx_listening_t, log: Log) {
    if ls.fd == -1 || ngx_new_binary.load(Relaxed) > 0 {
        return;
    }

    // SAFETY: promised by the caller.
    if let Ok(address) = unsafe { ls.parse(log) }
        && let Some(path) = address.path()
        && let Err(err) = std::fs::remove_file(path)
    {
        log.error(
            Level::Emerg,
            Some(errno_of(&err)),
            format_args!("unlink() {} failed", path.display()),
        );
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
            remove_unix_socket(&*ls, log);
            (*ls).close(log);
        }
    }

    process::exit(0)
}

/// How many workers the configuration asks for.
///
/// # Safety
///
/// `cycle` is valid.
unsafe fn worker_processes(cycle: *mut ngx_cycle_t) -> usize {
    // SAFETY: promised by the caller.
    match usize::try_from(unsafe { conf_of(cycle) }.worker_processes) {
        Ok(n) if n != 0 => n,
        _ => user::processors(),
    }
}
