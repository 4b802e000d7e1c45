//! What a worker and a helper run: set up, work, shut down.

use crate::table::role;
use std::ffi::{CStr, c_void};
use std::sync::atomic::Ordering::Relaxed;

use super::conf::{conf_of, identity_of, ngx_core_conf_t};
use super::connection::{bit, ngx_connection_t, open_connections};
use super::cycle::{listening, ngx_cycle_t, ngx_reopen_files};
use super::event::{self, flag, ngx_event_s, ngx_process_events_and_timers};
use super::event_timer::{ngx_event_add_timer, ngx_event_no_timers_left};
use super::ipc::{ngx_channel_handler, ngx_ipc_init_channel};
use super::listening::{accept_on, stop_accepting};
use super::log::path_of;
use super::module::modules;
use super::setproctitle::set_title;
use super::variables::{
    ngx_cache_manager_ctx_t, ngx_exiting, ngx_parent, ngx_process, ngx_quit, ngx_reopen,
    ngx_terminate, ngx_worker,
};
use crate::config::{NGX_ERROR, NGX_OK, ngx_int_t};
use crate::host::logs::cycle_log;
use crate::log::{Debug, Level, Log};
use crate::process::signals::SHUTDOWN;
use crate::status::{Result, Status};
use crate::sys::user::{self, Resource};
use crate::sys::{daemon, process, signal};

/// Runs a worker: the modules' hooks, the channel, the event loop, until it
/// is told to quit or terminate.
///
/// `data` is the worker's number. When it quits it stops accepting, finishes
/// the connections that are open, and waits for the timers that are not
/// cancelable. Does not return; the exit code is 0, or 2 if the worker could
/// not be set up.
///
/// # Safety
///
/// `cycle` is a valid cycle; the process has been made by
/// ngx_spawn_process().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_worker_process_cycle(cycle: *mut ngx_cycle_t, data: *mut c_void) {
    // SAFETY: promised by the caller.
    let log = unsafe { cycle_log(cycle) };
    let worker = data.addr();

    ngx_process.store(role::NGX_PROCESS_WORKER, Relaxed);
    ngx_worker.store(worker, Relaxed);

    // SAFETY: promised by the caller.
    unsafe {
        or_fatal(init(cycle, log, worker.cast_signed()));

        for ls in listening(cycle) {
            or_fatal(accept_on(cycle, ls));
        }

        set_title(cycle, "worker process");
    }

    loop {
        // SAFETY: promised by the caller.
        unsafe {
            if ngx_exiting.load(Relaxed) != 0 && nothing_left() {
                exit_worker(cycle, log);
            }

            log.debug(Debug::Event, format_args!("worker cycle"));

            ngx_process_events_and_timers(cycle);

            if ngx_terminate.load(Relaxed) != 0 {
                exit_worker(cycle, log);
            }

            if ngx_quit.swap(0, Relaxed) != 0 && ngx_exiting.swap(1, Relaxed) == 0 {
                shut_down(cycle, log);
            }

            reopen_if_asked(cycle, log);
        }
    }
}

/// Runs a helper, a process beside the workers: `data` is its
/// ngx_cache_manager_ctx_t, whose handler is called once after its delay, and
/// again if it adds the timer of its event again. Does not return.
///
/// # Safety
///
/// `cycle` is a valid cycle, `data` a valid context; the process has been made
/// by ngx_spawn_process().
pub unsafe extern "C" fn helper_process_cycle(cycle: *mut ngx_cycle_t, data: *mut c_void) {
    // SAFETY: promised by the caller.
    let (log, ctx) = unsafe { (cycle_log(cycle), &*data.cast::<ngx_cache_manager_ctx_t>()) };

    ngx_process.store(role::NGX_PROCESS_HELPER, Relaxed);

    // SAFETY: promised by the caller; the event lives as long as the process.
    unsafe {
        for ls in listening(cycle) {
            (*ls).close(log);
        }

        or_fatal(init(cycle, log, -1));

        if !ctx.name.is_null() {
            set_title(cycle, &CStr::from_ptr(ctx.name).to_string_lossy());
        }

        let ev = Box::leak(Box::new(ngx_event_s::new(
            std::ptr::null_mut(),
            0,
            (*cycle).log,
        )));

        ev.handler = ctx.handler;
        ngx_event_add_timer(ev, ctx.delay);

        loop {
            if ngx_terminate.load(Relaxed) != 0 || ngx_quit.load(Relaxed) != 0 {
                log.error(Level::Notice, None, format_args!("exiting"));
                process::exit(0);
            }

            reopen_if_asked(cycle, log);
            ngx_process_events_and_timers(cycle);
        }
    }
}

/// A process that cannot be set up exits with 2, so that it is not respawned.
fn or_fatal<T>(result: Result<T>) {
    if result.is_err() {
        process::exit(2);
    }
}

/// # Safety
///
/// `cycle` is valid.
pub unsafe fn reopen_if_asked(cycle: *mut ngx_cycle_t, log: Log) {
    if ngx_reopen.swap(0, Relaxed) != 0 {
        log.error(Level::Notice, None, format_args!("reopening logs"));
        // SAFETY: promised by the caller.
        unsafe { ngx_reopen_files(cycle, libc::uid_t::MAX) };
    }
}

/// Sets this process up in nginx's order: limits, user, folder, signals,
/// modules, channel.
///
/// # Safety
///
/// `cycle` is valid.
unsafe fn init(cycle: *mut ngx_cycle_t, log: Log, worker: ngx_int_t) -> Result {
    // SAFETY: promised by the caller.
    let conf = unsafe { conf_of(cycle) };
    let alert = |err, call: &str| log.error(Level::Alert, Some(err), format_args!("{call} failed"));

    if worker >= 0
        && conf.priority != 0
        && let Err(err) = user::setpriority(conf.priority)
    {
        alert(err, &format!("setpriority({})", conf.priority));
    }

    set_limits(conf, log);

    // SAFETY: promised by the caller.
    unsafe { change_user(conf, log)? };

    if let (Ok(cpu), true) = (usize::try_from(worker), conf.cpu_affinity_auto != 0) {
        let cpu = cpu % user::processors();

        if let Err(err) = user::setaffinity(&user::only_cpu(cpu)) {
            alert(err, "sched_setaffinity()");
        }
    }

    if let Err(err) = daemon::allow_core() {
        alert(err, "prctl(PR_SET_DUMPABLE)");
    }

    // SAFETY: promised by the caller.
    if let Some(folder) = unsafe { path_of(conf.working_directory.cast()) } {
        user::chdir(folder).map_err(|err| {
            log.fail(
                Level::Alert,
                err,
                format_args!("chdir(\"{}\") failed", folder.display()),
            )
        })?;
    }

    if conf.orphans_stay == 0 {
        notice_parents_death(log);
    }

    if let Err(err) = signal::unblock_all() {
        alert(err, "sigprocmask()");
    }

    // SAFETY: promised by the caller; the hooks are there to be called.
    unsafe {
        for module in modules(cycle) {
            if (*module)
                .init_process
                .is_some_and(|init| init(cycle) == NGX_ERROR)
            {
                return Err(Status::Error);
            }
        }

        match ngx_ipc_init_channel(cycle, Some(ngx_channel_handler)) {
            NGX_OK => Ok(()),
            _ => Err(Status::Error),
        }
    }
}

fn set_limits(conf: &ngx_core_conf_t, log: Log) {
    let limits = [
        (Resource::Nofile, conf.rlimit_nofile as i64, "RLIMIT_NOFILE"),
        (Resource::Core, conf.rlimit_core, "RLIMIT_CORE"),
    ];

    for (resource, limit, name) in limits {
        let Ok(n) = u64::try_from(limit) else {
            continue;
        };

        if let Err(err) = user::setrlimit(resource, n) {
            log.error(
                Level::Alert,
                Some(err),
                format_args!("setrlimit({name}, {n}) failed"),
            );
        }
    }
}

/// # Safety
///
/// The names in `conf` are NULL or strings.
unsafe fn change_user(conf: &ngx_core_conf_t, log: Log) -> Result {
    if !user::is_root() {
        return Ok(());
    }

    // SAFETY: promised by the caller.
    let identity = unsafe { identity_of(conf) }
        .map_err(|err| log.fail(Level::Emerg, err, format_args!("getpwnam() failed")))?;

    let Some(of) = identity else { return Ok(()) };

    user::setgid(of.group).map_err(|err| {
        log.fail(
            Level::Emerg,
            err,
            format_args!("setgid({}) failed", of.group),
        )
    })?;

    if let Err(err) = user::initgroups(&of.name, of.group) {
        log.error(
            Level::Emerg,
            Some(err),
            format_args!(
                "initgroups({}, {}) failed",
                of.name.to_string_lossy(),
                of.group
            ),
        );
    }

    user::setuid(of.user).map_err(|err| {
        log.fail(
            Level::Emerg,
            err,
            format_args!("setuid({}) failed", of.user),
        )
    })
}

/// A worker whose master has been killed shuts down gracefully.
fn notice_parents_death(log: Log) {
    if let Err(err) = daemon::signal_at_parents_death(SHUTDOWN) {
        log.error(
            Level::Warn,
            Some(err),
            format_args!("prctl(PR_SET_PDEATHSIG) failed"),
        );
    }

    // It may have died before it could be asked for.
    if process::getppid() != ngx_parent.load(Relaxed) {
        ngx_quit.store(1, Relaxed);
        event::wake_up();
    }
}

/// Whether a worker that shuts down has finished.
fn nothing_left() -> bool {
    // SAFETY: open connections are valid. What a module has opened for itself
    // was not accepted, and is no reason to stay.
    let busy = |c: &*mut ngx_connection_t| unsafe { !(**c).listening.is_null() };

    ngx_event_no_timers_left() == NGX_OK && !open_connections().iter().any(busy)
}

/// Stops accepting, closes what is idle, and sets the deadline for the rest.
///
/// # Safety
///
/// `cycle` is valid.
unsafe fn shut_down(cycle: *mut ngx_cycle_t, log: Log) {
    log.error(
        Level::Notice,
        None,
        format_args!("gracefully shutting down"),
    );

    // SAFETY: promised by the caller.
    unsafe {
        set_title(cycle, "worker process is shutting down");

        let timeout = conf_of(cycle).shutdown_timeout;

        if timeout != 0 {
            let ev = Box::leak(Box::new(ngx_event_s::new(
                std::ptr::null_mut(),
                0,
                (*cycle).log,
            )));

            ev.handler = Some(shutdown_timeout_handler);
            ev.set(flag::CANCELABLE, true);
            ngx_event_add_timer(ev, timeout);
        }

        for ls in listening(cycle) {
            stop_accepting(ls, log);
        }

        close_connections(bit::CLOSE, |c| c.flags & bit::IDLE != 0);
    }
}

/// # Safety
///
/// Called by the event loop.
unsafe extern "C" fn shutdown_timeout_handler(_ev: *mut ngx_event_s) {
    // SAFETY: open connections are valid.
    unsafe { close_connections(bit::CLOSE | bit::ERROR, |_| true) };
}

/// Marks connections and has their read handlers close them.
///
/// # Safety
///
/// Not within a use of the loop.
unsafe fn close_connections(marks: u32, which: impl Fn(&ngx_connection_t) -> bool) {
    for c in open_connections() {
        // SAFETY: entries are never freed; a handler may have closed it.
        unsafe {
            let rev = (*c).read;

            if (*c).fd == -1 || (*rev).is(flag::CHANNEL) || (*rev).is(flag::ACCEPT) || !which(&*c) {
                continue;
            }

            (*c).flags |= marks;

            if let Some(handler) = (*rev).handler {
                handler(rev);
            }
        }
    }
}

/// # Safety
///
/// `cycle` is valid.
unsafe fn exit_worker(cycle: *mut ngx_cycle_t, log: Log) -> ! {
    log.error(Level::Notice, None, format_args!("exiting"));

    // SAFETY: promised by the caller.
    unsafe {
        for module in modules(cycle) {
            if let Some(exit) = (*module).exit_process {
                exit(cycle);
            }
        }
    }

    log.error(Level::Notice, None, format_args!("exit"));

    process::exit(0)
}
