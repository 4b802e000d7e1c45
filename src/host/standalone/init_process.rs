//! Sets up a new worker or helper: its limits, user, directory, signals,
//! modules and channel.

use std::ffi::c_int;
use std::sync::atomic::Ordering::Relaxed;

use nix::errno::Errno;

use super::channel;
use super::conf::Conf;
use super::cycle::Cycle;
use super::variables::{ngx_parent, ngx_quit};
use super::wake_up::wake_up;
use crate::log::{Level, Log};
use crate::process::signals::SHUTDOWN;
use crate::status::Result;
use crate::sys::processors::{self, Processors};
use crate::sys::user::{self, Resource};
use crate::sys::{daemon, directory, machine, process, signal};

/// The exit code of a worker or helper that could not be set up. The master
/// does not start the process again.
const NOT_SET_UP: c_int = 2;

/// Exits with code 2 if `result` is an error of the set-up.
pub fn exit_unless_set_up(result: Result) {
    if result.is_err() {
        process::exit(NOT_SET_UP);
    }
}

/// Sets this process up, in nginx's order: limits, user, directory, signals,
/// random numbers, modules, channel. `worker` is the number of the worker; `None` in a
/// helper.
///
/// Returns an error, with the reason in the log, if the process cannot run. If
/// a limit cannot be set, the function only logs an alert.
pub fn set_up(cycle: Cycle, worker: Option<usize>) -> Result {
    let (conf, log) = (cycle.conf(), cycle.log());

    if worker.is_some() {
        set_priority(conf, log);
    }

    set_limits(conf, log);
    change_user(conf, log)?;

    if let Some(number) = worker {
        set_affinity(conf, log, number);
    }

    if conf.rlimit_core().is_some() {
        allow_core(log);
    }

    change_directory(conf, log)?;

    if !conf.orphans_stay() {
        notice_parents_death(log);
    }

    if let Err(err) = signal::unblock_all() {
        alert(log, err, format_args!("sigprocmask()"));
    }

    machine::seed_random();
    cycle.modules().init_process()?;
    channel::init(Some(cycle), Some(channel::handler))
}

fn alert(log: Log, err: Errno, call: std::fmt::Arguments<'_>) {
    log.error(Level::Alert, Some(err), format_args!("{call} failed"));
}

fn set_priority(conf: Conf<'_>, log: Log) {
    if let Some(priority) = conf.priority()
        && let Err(err) = user::setpriority(priority)
    {
        alert(log, err, format_args!("setpriority({priority})"));
    }
}

fn set_limits(conf: Conf<'_>, log: Log) {
    let limits = [
        (Resource::Nofile, conf.rlimit_nofile(), "RLIMIT_NOFILE"),
        (Resource::Core, conf.rlimit_core(), "RLIMIT_CORE"),
    ];

    for (resource, limit, name) in limits {
        if let Some(limit) = limit
            && let Err(err) = user::setrlimit(resource, limit)
        {
            alert(log, err, format_args!("setrlimit({name}, {limit})"));
        }
    }
}

/// Lets the kernel write a core file of this process, although the process has
/// changed its user. Other processes of the new user can then read the memory
/// of this process, see `ptrace(2)`. So the caller calls this function only if
/// the configuration has a limit for core files (`D36`).
fn allow_core(log: Log) {
    if let Err(err) = daemon::allow_core() {
        alert(log, err, format_args!("prctl(PR_SET_DUMPABLE)"));
    }
}

/// Restricts a worker to one of the processors that the master is allowed to use
/// (`D37`).
fn set_affinity(conf: Conf<'_>, log: Log, number: usize) {
    if !conf.cpu_affinity_auto() {
        return;
    }

    if let Some(processor) = Processors::allowed().nth(number)
        && let Err(err) = processors::bind_to(processor)
    {
        alert(log, err, format_args!("sched_setaffinity()"));
    }
}

fn change_directory(conf: Conf<'_>, log: Log) -> Result {
    let Some(directory) = conf.working_directory() else {
        return Ok(());
    };

    let change = || user::chdir(directory::absolute(directory)?.as_path());

    change().map_err(|err| {
        log.fail(
            Level::Alert,
            err,
            format_args!("chdir(\"{}\") failed", directory.display()),
        )
    })
}

/// Changes the user and group of this process to those of the configuration.
/// Does nothing if the master, and so this process, is not root.
fn change_user(conf: Conf<'_>, log: Log) -> Result {
    if !user::is_root() {
        return Ok(());
    }

    let identity = conf
        .identity()
        .map_err(|err| log.fail(Level::Emerg, err, format_args!("getpwnam() failed")))?;

    let Some(user::Identity { name, user, group }) = identity else {
        return Ok(());
    };

    user::setgid(group)
        .map_err(|err| log.fail(Level::Emerg, err, format_args!("setgid({group}) failed")))?;

    if let Err(err) = user::initgroups(name, group) {
        log.error(
            Level::Emerg,
            Some(err),
            format_args!(
                "initgroups({}, {group}) failed",
                name.to_bytes().escape_ascii()
            ),
        );
    }

    user::setuid(user)
        .map_err(|err| log.fail(Level::Emerg, err, format_args!("setuid({user}) failed")))
}

/// Makes the kernel send this process the signal for a graceful shutdown when
/// the master dies.
fn notice_parents_death(log: Log) {
    if let Err(err) = daemon::signal_at_parents_death(SHUTDOWN) {
        log.error(
            Level::Warn,
            Some(err),
            format_args!("prctl(PR_SET_PDEATHSIG) failed"),
        );
    }

    // If the master has died before the call of prctl(2), the kernel sends no
    // signal.
    if process::getppid() != ngx_parent.load(Relaxed) {
        ngx_quit.store(1, Relaxed);
        wake_up();
    }
}
