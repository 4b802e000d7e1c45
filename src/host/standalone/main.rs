//! Runs a whole program: sets it up, then runs its master or its single
//! process.

use std::ffi::{c_char, c_int};
use std::sync::atomic::Ordering::Relaxed;

use super::conf::Conf;
use super::cycle::Cycle;
use super::init::init;
use super::init_cycle::first_cycle;
use super::kept_zones;
use super::log::ErrorLog;
use super::old_cycle::abandon;
use super::open_sockets::OpenSockets;
use super::program_conf::ProgramConf;
use super::reopen::redirect_stderr;
use super::upgrade::inherited_sockets;
use super::variables::{
    ngx_cycle, ngx_daemonized, ngx_inherited, ngx_ipc_debug_points, ngx_parent, ngx_pid,
    ngx_use_stderr,
};
use super::{
    activation, arguments, channel, event_loop, log_file, master, message_conf, message_loop,
    pidfile, service_manager, setproctitle, single, zone_files,
};
use crate::host::globals::{ngx_ipc_huge_pages, ngx_os_argv};
use crate::host::messages::program::{self, Program};
use crate::host::messages::{first, settings};
use crate::host::signal_handler::signal_handler;
use crate::host::zone_file_variable;
use crate::log::{Level, Log};
use crate::process::{reap, signals};
use crate::status::Result;
use crate::sys::daemon::{self, Starting};
use crate::sys::{directory, process};

/// Runs a program as `conf` says. Does not return, unless the program could not
/// be set up: then it returns 1, with the reason on stderr or in the log.
///
/// # Safety
///
/// `argv` is NULL or the argument of main() with `argc` strings.
pub unsafe fn run(conf: Option<ProgramConf>, argc: c_int, argv: *mut *mut c_char) -> c_int {
    daemon::open_stdio();
    directory::remember();
    channel::set_main();

    let log = ErrorLog::log_of(log_file::init(None, None));

    let Some(conf) = conf else {
        log.refuse(format_args!("no configuration"));
        return 1;
    };
    let mut reporting = None;
    let Ok(mut draft) = conf.reported_draft(log, &mut reporting) else {
        return 1;
    };

    if draft.copy_texts(log).is_err() {
        return 1;
    }

    let conf = draft.conf();

    // SAFETY: the caller passes NULL or the argument of main().
    match unsafe { set_up(conf, argc, argv) } {
        // The program uses the texts of the draft until it exits, so the draft is not
        // dropped.
        Ok(cycle) => {
            if let Some(reporting) = reporting {
                reporting.started();
            }

            if conf.master() {
                master::run(cycle)
            } else {
                single::run(cycle)
            }
        }
        Err(_) => 1,
    }
}

/// Sets the program up: makes the first cycle, goes into the background if the
/// configuration says so, and makes the event loop and the pid file.
///
/// # Safety
///
/// `argv` is NULL or the argument of main() with `argc` strings.
unsafe fn set_up(conf: Conf<'_>, argc: c_int, argv: *mut *mut c_char) -> Result<Cycle> {
    // This cycle has the log that is used until the cycle with the
    // configuration's log exists.
    let boot = Cycle::boot();

    reap::leave_foreign();
    init(Some(boot))?;
    signals::unblock_handled();

    ngx_ipc_debug_points.store(conf.debug_points(), Relaxed);
    ngx_ipc_huge_pages.store(conf.huge_pages(), Relaxed);

    let messages = message_conf::settings(conf);

    message_conf::check(&messages, boot.log())?;
    message_loop::begin();
    settings::set(messages);
    program::set(Program {
        is_single: !conf.master(),
        prepare: message_loop::prepare_first,
    });

    // SAFETY: the caller passes NULL or an array of `argc` strings.
    unsafe { arguments::save(argc, argv, boot.log())? };

    kept_zones::inherit(boot.log());
    zone_file_variable::inherit();

    let cycle = first_cycle(boot.log(), conf, take_inherited(boot.log())?);

    kept_zones::close_rest();

    let cycle = cycle?;

    ngx_cycle.store(cycle.as_ptr(), Relaxed);

    // If `finish` fails, `starting` is dropped after `abandon`, because the
    // drop makes the parent of a daemon exit, and the parent must not exit
    // before the clean-up is done.
    let mut starting = None;

    finish(conf, cycle, &mut starting).inspect_err(|_| abandon(cycle))?;

    zone_files::publish(cycle.log());
    service_manager::take(cycle.log());
    ngx_os_argv.store(argv, Relaxed);

    // SAFETY: `ngx_os_argv` is NULL or the argument of main().
    unsafe { setproctitle::init() };

    if let Some(starting) = starting {
        starting.done();
    }

    Ok(cycle)
}

/// Takes the listening sockets of the old binary, if an old binary has started
/// this program, and those of the service manager. With an old binary, `ngx_parent`
/// becomes the pid of the old binary's master: while it runs, SIGUSR2 does not start a
/// third binary.
fn take_inherited(log: Log) -> Result<OpenSockets<'static>> {
    let inherited = inherited_sockets(log)?;

    if inherited.is_some() {
        ngx_inherited.store(1, Relaxed);
        ngx_parent.store(process::getppid(), Relaxed);
    }

    let mut sockets = inherited.unwrap_or(OpenSockets::none());

    activation::take(&mut sockets, log)?;

    Ok(sockets)
}

/// Does the steps of the set-up that need the first cycle: sets up the status
/// signal, goes into the background, makes the event loop and the pid file. In
/// a daemon `starting` is set: the parent waits until it is done or dropped.
fn finish(conf: Conf<'_>, cycle: Cycle, starting: &mut Option<Starting>) -> Result {
    let log = cycle.log();

    if let Some(signo) = conf.status_signal() {
        signals::set_status_signal(log, signo, signal_handler)?;
    }

    go_into_background(conf, cycle, starting)?;

    event_loop::create(log)?;
    pidfile::create(cycle, log)
}

/// Makes the program a daemon, if the configuration says so. A program that a
/// daemon has started at SIGUSR2 is in the background already, and is not
/// forked again.
fn go_into_background(conf: Conf<'_>, cycle: Cycle, starting: &mut Option<Starting>) -> Result {
    if !conf.daemon() {
        return Ok(());
    }

    if ngx_inherited.load(Relaxed) == 0 {
        let log = cycle.log();

        daemon::daemonize(starting, &|pid, signo| {
            log.error(
                Level::Emerg,
                None,
                format_args!("daemon {pid} exited on signal {signo} before it was set up"),
            );
        })
        .map_err(|(call, err)| log.fail(Level::Emerg, err, format_args!("{call} failed")))?;
        ngx_pid.store(process::getpid(), Relaxed);
        first::moved();
    }

    ngx_daemonized.store(1, Relaxed);

    // stderr becomes a copy of the log, so warnings must not be written to
    // stderr as well.
    ngx_use_stderr.store(0, Relaxed);
    redirect_stderr(cycle);

    Ok(())
}
