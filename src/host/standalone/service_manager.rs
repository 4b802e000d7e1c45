//! Tells the service manager that has started the program, such as systemd, what the
//! program does.
//!
//! The manager sets environment variables, `sd_notify(3)` and `sd_watchdog_enabled(3)`.
//! The master, or a single process, sends the messages. Without the variables the
//! functions of this file do nothing.
//!
//! During an upgrade the old master stays the main process of the service until it
//! exits: a manager stops a service whose main process exits, and usually accepts
//! messages from the main process only. The last message of the old master names the new
//! one. Until then the new master sends nothing.

use std::ffi::CStr;
use std::fmt::{Arguments, Write};
use std::sync::atomic::Ordering::Relaxed;

use nix::errno::Errno;

use super::cycle::Cycle;
use super::event::{Event, StaticEvent, ngx_event_t};
use super::refusal;
use super::types::flag;
use super::variables::{ngx_inherited, ngx_new_binary, ngx_parent, ngx_sigalrm};
use crate::config::{ngx_msec_t, ngx_pid_t};
use crate::log::{Level, Line, Log};
use crate::sys::lock::Lock;
use crate::sys::notify::Manager;
use crate::sys::{daemon, environment, heap, process, time};
use crate::table::generation;

const SOCKET: &CStr = c"NOTIFY_SOCKET";
const WATCHDOG_USEC: &CStr = c"WATCHDOG_USEC";
const WATCHDOG_PID: &CStr = c"WATCHDOG_PID";

/// What the manager knows of the program.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// The master of the old binary is the main process of the service.
    Inherited,
    /// No process of the configuration has been started yet.
    Starting,
    /// A reload goes on.
    Reloading,
    Running,
    Stopping,
}

#[derive(Clone, Copy)]
struct Service {
    manager: Manager,
    /// The number of microseconds after which the manager takes a program that sends
    /// nothing for dead; `None` if it does not do so.
    watchdog: Option<u64>,
    phase: Phase,
}

static SERVICE: Lock<Option<Service>> = Lock::new(None);

/// The event whose timer sends the messages for the watchdog.
static WATCHDOG: StaticEvent = StaticEvent::new();

impl Service {
    fn set_phase(mut self, phase: Phase) {
        self.phase = phase;
        *SERVICE.lock() = Some(self);
    }

    fn send(&self, text: Arguments<'_>) {
        let mut message = Line::new();

        // A text that is too long loses its end, which is a part of the status.
        let _ = message.write_fmt(text);

        if let Err(err) = self.manager.send(message.bytes()) {
            Cycle::log_of(Cycle::current()).error(
                Level::Warn,
                Some(err),
                format_args!("sendto() to service manager \"{}\" failed", self.manager),
            );
        }
    }

    /// Tells the manager that the program runs.
    fn run(self, status: Arguments<'_>) {
        self.send(format_args!(
            "READY=1\nMAINPID={}\nSTATUS={status}",
            process::getpid()
        ));
        self.set_phase(Phase::Running);
        self.set_watchdog(WATCHDOG.init(Some(watchdog_handler), None));
    }

    /// Adds the timer of the next message for the watchdog, unless there is one.
    fn set_watchdog(&self, event: Event) {
        if let Some(usec) = self.watchdog
            && !event.has_timer()
        {
            // Half of the time, as `sd_watchdog_enabled(3)` recommends.
            let msec = ngx_msec_t::try_from(usec / 2000).unwrap_or(ngx_msec_t::MAX);

            event.set(flag::CANCELABLE);
            event.add_timer(msec.max(1));
        }
    }
}

/// Tells the manager that the event loop turns.
unsafe extern "C" fn watchdog_handler(event: *mut ngx_event_t) {
    // SAFETY: the event loop calls the handler with `WATCHDOG`, which is a static.
    let event = unsafe { Event::from_ptr(event) };

    if let (Some(service), Some(event)) = (get(), event) {
        service.send(format_args!("WATCHDOG=1"));
        service.set_watchdog(event);
    }
}

fn get() -> Option<Service> {
    *SERVICE.lock()
}

/// Takes the variables of the service manager from the environment, so that the programs
/// which the workers execute do not inherit them.
pub fn take(log: Log) {
    let name = environment::get(SOCKET);
    let manager = name.and_then(Manager::new);

    if let (Some(name), None) = (name, manager) {
        log.error(
            Level::Warn,
            None,
            format_args!("invalid name \"{name}\" in NOTIFY_SOCKET, ignored"),
        );
    }

    let number = |name| environment::get(name).map(str::parse::<u64>);
    let is_for_us = match number(WATCHDOG_PID) {
        None => true,
        Some(pid) => pid == Ok(u64::from(process::getpid().unsigned_abs())),
    };
    let watchdog = number(WATCHDOG_USEC)
        .and_then(std::result::Result::ok)
        .filter(|&usec| usec > 0 && is_for_us);

    *SERVICE.lock() = manager.map(|manager| Service {
        manager,
        watchdog,
        phase: Phase::Starting,
    });

    for name in [SOCKET, WATCHDOG_USEC, WATCHDOG_PID] {
        environment::remove(name);
    }

    if manager.is_some() && ngx_inherited.load(Relaxed) != 0 {
        wait_for_old_master(log);
    }
}

/// Makes SIGALRM wake this master up when the master of the old binary exits.
fn wait_for_old_master(log: Log) {
    if let Some(service) = get() {
        service.set_phase(Phase::Inherited);
    }

    if let Err(err) = daemon::signal_at_parents_death(libc::SIGALRM) {
        log.error(
            Level::Warn,
            Some(err),
            format_args!("prctl(PR_SET_PDEATHSIG) failed"),
        );
    }
}

/// The variables for a new binary, each as "NAME=VALUE" with a NUL at its end.
///
/// Returns `ENOMEM` if there is no memory.
pub fn variables() -> Result<[Option<Vec<u8>>; 2], Errno> {
    let Some(service) = get() else {
        return Ok([None, None]);
    };
    let variable = |text: Arguments<'_>| {
        let mut variable = heap::Writer::new();

        variable.write_fmt(text).or(Err(Errno::ENOMEM))?;
        Ok(variable.into_bytes())
    };

    Ok([
        Some(variable(format_args!(
            "NOTIFY_SOCKET={}\0",
            service.manager
        ))?),
        service
            .watchdog
            .map(|usec| variable(format_args!("WATCHDOG_USEC={usec}\0")))
            .transpose()?,
    ])
}

/// Tells the manager that the program runs, when this is new to the manager: the program
/// has started or loaded its configuration again, or the old master has exited.
/// `is_running` is whether a process of the configuration has been started. The master
/// calls this function after each round of its event loop.
pub fn follow(cycle: Cycle, is_running: bool) {
    let Some(service) = get() else {
        return;
    };

    match service.phase {
        Phase::Starting | Phase::Reloading if is_running => {}
        Phase::Inherited if is_running && process::getppid() != ngx_parent.load(Relaxed) => {
            ngx_sigalrm.store(0, Relaxed);
        }
        _ => return,
    }

    let generation = generation::current();

    match (cycle.conf().master(), cycle.conf().worker_processes()) {
        (false, _) => service.run(format_args!("1 process, generation {generation}")),
        (true, 1) => service.run(format_args!("1 worker, generation {generation}")),
        (true, n) => service.run(format_args!("{n} workers, generation {generation}")),
    }
}

/// Tells the manager that a reload begins.
pub fn reloading() {
    if let Some(service) = get()
        && matches!(service.phase, Phase::Running | Phase::Reloading)
    {
        service.send(format_args!(
            "RELOADING=1\nMONOTONIC_USEC={}\nSTATUS=reloading",
            time::nanoseconds() / 1000
        ));
        service.set_phase(Phase::Reloading);
        refusal::watch();
    }
}

/// Tells the manager that the program runs as before the reload, and why.
pub fn refused() {
    if let Some(service) = get().filter(|service| service.phase == Phase::Reloading) {
        refusal::with(|why| service.run(format_args!("reload refused: {why}")));
    }
}

/// Tells the manager that the program shuts down. Does nothing while a new binary runs,
/// because the service goes on with it.
pub fn stopping() {
    if let Some(service) = get()
        && !matches!(service.phase, Phase::Stopping | Phase::Inherited)
        && ngx_new_binary.load(Relaxed) == 0
    {
        service.send(format_args!("STOPPING=1\nSTATUS=shutting down"));
        service.set_phase(Phase::Stopping);
    }
}

/// Tells the manager that the new binary `pid` has been executed.
pub fn upgrading(pid: ngx_pid_t) {
    if let Some(service) = get() {
        service.send(format_args!("STATUS=new binary {pid} runs too"));
    }
}

/// Tells the manager that the new binary has exited, and that this master goes on.
pub fn upgrade_failed() {
    if let Some(service) = get().filter(|service| service.phase == Phase::Running) {
        service.run(format_args!("new binary has exited"));
    }
}

/// When a master exits: if a new binary runs, tells the manager that the service goes on
/// with it.
pub fn hand_over() {
    let pid = ngx_new_binary.load(Relaxed);

    if let Some(service) = get().filter(|service| service.phase != Phase::Inherited)
        && pid > 0
    {
        service.send(format_args!("MAINPID={pid}"));
    }
}
