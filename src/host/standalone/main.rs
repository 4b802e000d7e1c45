//! `ngx_ipc_main()`: a whole program of a configuration.

use std::ffi::{CStr, c_char, c_int};
use std::ptr;
use std::sync::atomic::Ordering::Relaxed;

use super::conf::ngx_core_conf_t;
use super::connection::with_loop;
use super::cycle::{adopt_stderr, first_cycle, ngx_cycle, ngx_cycle_t};
use super::ipc::{ngx_ipc_debug_points, ngx_ipc_init};
use super::listening::ngx_listening_t;
use super::log::{ngx_use_stderr, path_of};
use super::master::ngx_master_process_cycle;
use super::old_cycle::abandon;
use super::setproctitle::ngx_init_setproctitle;
use super::single::ngx_single_process_cycle;
use super::upgrade::inherited_sockets;
use super::variables::{ngx_daemonized, ngx_inherited, ngx_parent, ngx_pid};
use super::{log, pidfile};
use crate::abi::shmem::ngx_ipc_huge_pages;
use crate::host::globals::{ngx_argc, ngx_argv, ngx_os_argv};
use crate::host::logs::{cycle_log, log_of};
use crate::host::signal_handler::signal_handler;
use crate::log::{Level, Log};
use crate::process::signals;
use crate::status::{Result, Status};
use crate::sys::daemon::{self, Starting};
use crate::sys::process;
use crate::sys::text::Text;

/// Runs a program: a master with its workers, or one process, as `conf` says.
///
/// `argc` and `argv` are those of main(); they are what SIGUSR2 starts the
/// new binary with. Returns 1 if the program could not be set up, with the
/// reason on stderr or in the log; else it does not return, and the process
/// exits with 0.
///
/// # Safety
///
/// `conf` is valid. Its texts are copied; the modules, helpers and functions
/// that it points to live as long as the program. Whatever else points to the
/// arguments of main() does not see them any more: process titles take their
/// place.
///
/// # References
///
/// `main()` of nginx's `src/core/nginx.c`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_ipc_main(
    conf: *const ngx_core_conf_t,
    argc: c_int,
    argv: *mut *mut c_char,
) -> c_int {
    // SAFETY: promised by the caller.
    let Some(conf) = (unsafe { conf.as_ref() }) else {
        // SAFETY: NULL is stderr.
        let log = unsafe { log_of(log::ngx_log_init(ptr::null_mut(), ptr::null_mut())) };

        log.refuse(format_args!("no configuration"));
        return 1;
    };

    // SAFETY: the same.
    unsafe {
        match set_up(&own(conf), argc, argv) {
            Ok(cycle) if conf.master != 0 => ngx_master_process_cycle(cycle),
            Ok(cycle) => ngx_single_process_cycle(cycle),
            Err(_) => {}
        }
    }

    1
}

/// # Safety
///
/// As for `ngx_ipc_main`.
unsafe fn set_up(
    conf: &ngx_core_conf_t,
    argc: c_int,
    argv: *mut *mut c_char,
) -> Result<*mut ngx_cycle_t> {
    // SAFETY: promised by the caller; a zeroed cycle is what it wants.
    unsafe {
        let boot: *mut ngx_cycle_t = Box::into_raw(Box::new(std::mem::zeroed()));

        if ngx_ipc_init(boot) != 0 {
            return Err(Status::Error);
        }

        let log = cycle_log(boot);

        ngx_ipc_debug_points.store(conf.debug_points.unsigned_abs(), Relaxed);
        ngx_ipc_huge_pages.store(conf.huge_pages.unsigned_abs(), Relaxed);
        save_arguments(argc, argv);

        let inherited = inherited_sockets(log);

        if inherited.is_some() {
            // The old binary; while it is the parent there is no third one.
            ngx_inherited.store(1, Relaxed);
            ngx_parent.store(process::getppid(), Relaxed);
        }

        let cycle = first_cycle(log, conf, inherited.unwrap_or_default())?;

        ngx_cycle.store(cycle, Relaxed);

        let starting = match finish(conf, cycle) {
            Ok(starting) => starting,
            Err(status) => {
                abandon(cycle);
                return Err(status);
            }
        };

        ngx_os_argv.store(argv, Relaxed);
        ngx_init_setproctitle(ptr::null_mut());

        if let Some(starting) = starting {
            starting.done();
        }

        Ok(cycle)
    }
}

/// What is done with the first cycle: signals, background, pid file, loop.
///
/// # Safety
///
/// `conf` and `cycle` are valid.
unsafe fn finish(conf: &ngx_core_conf_t, cycle: *mut ngx_cycle_t) -> Result<Option<Starting>> {
    // SAFETY: promised by the caller.
    unsafe {
        let log = cycle_log(cycle);

        if conf.status_signal != 0 {
            signals::on_status(log, conf.status_signal, signal_handler)?;
        }

        let starting = go_into_background(conf, log)?;

        with_loop(log, |_| Ok(()))?;
        pidfile::create(cycle, log)?;

        Ok(starting)
    }
}

/// A daemon that a daemon has started is one already.
///
/// # Safety
///
/// The program is being set up.
unsafe fn go_into_background(conf: &ngx_core_conf_t, log: Log) -> Result<Option<Starting>> {
    if conf.daemon == 0 {
        return Ok(None);
    }

    let mut starting = None;

    if ngx_inherited.load(Relaxed) == 0 {
        let daemon = daemon::daemonize()
            .map_err(|(call, err)| log.fail(Level::Emerg, err, format_args!("{call} failed")))?;

        starting = Some(daemon);
        ngx_pid.store(process::getpid(), Relaxed);
    }

    ngx_daemonized.store(1, Relaxed);

    // What goes to stderr is in the log then.
    ngx_use_stderr.store(0, Relaxed);
    // SAFETY: the cycle is there.
    unsafe { adopt_stderr(ngx_cycle.load(Relaxed)) };

    Ok(starting)
}

/// A configuration whose texts are copies: they may have been arguments of
/// main(), which titles overwrite.
///
/// # Safety
///
/// `conf` is valid.
unsafe fn own(conf: &ngx_core_conf_t) -> ngx_core_conf_t {
    let mut conf = *conf;

    // SAFETY: promised by the caller; there are `listening_n` places.
    unsafe {
        for text in [
            &mut conf.username,
            &mut conf.groupname,
            &mut conf.working_directory,
            &mut conf.pid,
            &mut conf.error_log,
            &mut conf.name,
        ] {
            copy_text(text);
        }

        let mut places: Vec<ngx_listening_t> = (0..conf.listening_n)
            .map(|i| conf.listening.add(i).read())
            .collect();

        for place in &mut places {
            copy_text(&mut place.address);
        }

        conf.listening = Box::leak(places.into_boxed_slice()).as_mut_ptr();
    }

    conf
}

/// # Safety
///
/// `text` is NULL or a string.
unsafe fn copy_text(text: &mut *const c_char) {
    if !text.is_null() {
        // SAFETY: promised by the caller.
        *text = unsafe { CStr::from_ptr(*text) }.to_owned().into_raw();
    }
}

/// Keeps a copy of the arguments: titles take the place of the original.
///
/// # Safety
///
/// `argv` is NULL or has `argc` strings.
unsafe fn save_arguments(argc: c_int, argv: *mut *mut c_char) {
    if argv.is_null() {
        return;
    }

    let n = usize::try_from(argc).unwrap_or_default();
    let mut copy: Vec<*mut c_char> = (0..n)
        .map(|i| {
            // SAFETY: promised by the caller.
            unsafe { CStr::from_ptr(*argv.add(i)) }
        })
        .map(|arg| arg.to_owned().into_raw())
        .collect();

    copy.push(ptr::null_mut());

    ngx_argc.store(argc, Relaxed);
    ngx_argv.store(Box::leak(copy.into_boxed_slice()).as_mut_ptr(), Relaxed);
}

/// Sends a running program the signal "reload", "reopen", "stop" or "quit".
///
/// Its pid is read from the file that `conf` names. Returns 0, or 1 with the
/// reason on stderr.
///
/// # Safety
///
/// `conf` is valid, `name` a string.
///
/// # References
///
/// `ngx_signal_process()` of nginx's `src/core/ngx_cycle.c`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_ipc_signal(conf: *const ngx_core_conf_t, name: *mut c_char) -> c_int {
    // SAFETY: promised by the caller; a zeroed cycle is what ngx_ipc_init()
    // wants.
    unsafe {
        let mut cycle: ngx_cycle_t = std::mem::zeroed();

        cycle.log = log::ngx_log_init(ptr::null_mut(), ptr::null_mut());

        let log = cycle_log(&raw const cycle);
        let name = Text::from_ptr(name);

        if !signals::is_name(name.bytes().unwrap_or_default()) {
            log.refuse(format_args!("invalid signal \"{name}\""));
            return 1;
        }

        let Some(path) = conf.as_ref().and_then(|conf| path_of(conf.pid.cast())) else {
            log.refuse(format_args!("no pid file is configured"));
            return 1;
        };

        let pid = match std::fs::read_to_string(path) {
            Ok(text) => text.trim().parse().unwrap_or_default(),
            Err(err) => {
                log.error(
                    Level::Err,
                    Some(pidfile::errno_of(&err)),
                    format_args!("open() \"{}\" failed", path.display()),
                );
                return 1;
            }
        };

        if pid <= 0 {
            log.refuse(format_args!("invalid PID number in \"{}\"", path.display()));
            return 1;
        }

        match signals::os_signal_process(log, name.bytes().unwrap_or_default(), pid) {
            Ok(()) => 0,
            Err(_) => 1,
        }
    }
}
