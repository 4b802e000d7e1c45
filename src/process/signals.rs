//! Signals: set them up, send them, and do what each asks a process of some
//! role to do; `ngx_init_signals`.

use std::ffi::c_int;
use std::sync::atomic::AtomicI32;
use std::sync::atomic::Ordering::Relaxed;

use super::reap;
use crate::config::{AtomicSig, ngx_pid_t};
use crate::log::{Level, Log};
use crate::status::{Result, Status};
use crate::sys::process;
use crate::sys::signal::{self, Handler};
use crate::table::globals::Globals;
use crate::table::role::{acts_as_master, acts_as_worker};

/// `NGX_SHUTDOWN_SIGNAL`: finish the requests, then exit.
pub const SHUTDOWN: c_int = libc::SIGQUIT;
/// `NGX_TERMINATE_SIGNAL`: exit.
pub const TERMINATE: c_int = libc::SIGTERM;
/// `NGX_NOACCEPT_SIGNAL`: shut the workers down and keep the master.
pub const NOACCEPT: c_int = libc::SIGWINCH;
/// `NGX_RECONFIGURE_SIGNAL`: start workers with a new configuration.
pub const RECONFIGURE: c_int = libc::SIGHUP;
/// `NGX_REOPEN_SIGNAL`: reopen the logs.
pub const REOPEN: c_int = libc::SIGUSR1;
/// `NGX_CHANGEBIN_SIGNAL`: start the new binary.
pub const CHANGEBIN: c_int = libc::SIGUSR2;

/// A signal that the library sets up.
pub struct Signal {
    /// Its number.
    pub signo: c_int,
    /// Its name in log lines.
    pub signame: &'static str,
    /// The user's name for it, as in `nginx -s NAME`; empty if it has none.
    name: &'static str,
    /// Whether the library ignores it.
    ignored: bool,
}

const fn handled(signo: c_int, signame: &'static str, name: &'static str) -> Signal {
    Signal {
        signo,
        signame,
        name,
        ignored: false,
    }
}

const fn ignored(signo: c_int, signame: &'static str) -> Signal {
    Signal {
        signo,
        signame,
        name: "",
        ignored: true,
    }
}

/// All signals that the library sets up.
pub const SIGNALS: &[Signal] = &[
    handled(RECONFIGURE, "SIGHUP", "reload"),
    handled(REOPEN, "SIGUSR1", "reopen"),
    handled(NOACCEPT, "SIGWINCH", ""),
    handled(TERMINATE, "SIGTERM", "stop"),
    handled(SHUTDOWN, "SIGQUIT", "quit"),
    handled(CHANGEBIN, "SIGUSR2", ""),
    handled(libc::SIGALRM, "SIGALRM", ""),
    handled(libc::SIGINT, "SIGINT", ""),
    handled(libc::SIGIO, "SIGIO", ""),
    handled(libc::SIGCHLD, "SIGCHLD", ""),
    ignored(libc::SIGSYS, "SIGSYS, SIG_IGN"),
    ignored(libc::SIGPIPE, "SIGPIPE, SIG_IGN"),
];

/// Sets up the signals: `handler` handles them, or they are ignored. A failure
/// is an emergency in the log.
pub fn init(log: Log, handler: Handler) -> Result {
    for sig in SIGNALS {
        let result = if sig.ignored {
            signal::ignore(sig.signo)
        } else {
            signal::handle(sig.signo, handler)
        };

        result.map_err(|err| {
            log.fail(
                Level::Emerg,
                err,
                format_args!("sigaction({}) failed", sig.signame),
            )
        })?;
    }

    Ok(())
}

/// The signal that asks the master to log its processes; 0: none does.
static STATUS: AtomicI32 = AtomicI32::new(0);

/// Makes `signo` the signal that asks the master to log its processes.
pub fn set_status_signal(log: Log, signo: c_int, handler: Handler) -> Result {
    STATUS.store(signo, Relaxed);

    signal::handle(signo, handler)
        .map_err(|err| log.fail(Level::Emerg, err, format_args!("sigaction({signo}) failed")))
}

/// Whether `signo` asks the master to log its processes.
pub fn is_status_signal(signo: c_int) -> bool {
    signo == STATUS.load(Relaxed)
}

/// Whether a signal has this name for the user.
pub fn is_name(name: &[u8]) -> bool {
    by_name(name).is_some()
}

fn by_name(name: &[u8]) -> Option<&'static Signal> {
    SIGNALS
        .iter()
        .find(|signal| !name.is_empty() && signal.name.as_bytes() == name)
}

/// Sends the signal with the user's name `name` to `pid`. A failure is an alert
/// in the log, unless there is no such name.
pub fn os_signal_process(log: Log, name: &[u8], pid: ngx_pid_t) -> Result {
    let Some(Signal { signo, .. }) = by_name(name) else {
        return Err(Status::Error);
    };

    if pid <= 0 {
        // kill(2) would send it to a whole process group, or to all processes.
        return Err(log.refuse(format_args!("kill({pid}, {signo}) refused")));
    }

    process::kill(pid, *signo).map_err(|err| {
        log.fail(
            Level::Alert,
            err,
            format_args!("kill({pid}, {signo}) failed"),
        )
    })
}

/// Does the work of the signal handler: sets the flag of the signal, logs the
/// signal, and reaps children at SIGCHLD. Async-signal-safe.
pub fn received(g: &Globals, log: Log, signo: c_int, sender: Option<ngx_pid_t>) {
    let action = if acts_as_master(g) {
        act_as_master(g, signo)
    } else if acts_as_worker(g) {
        act_as_worker(g, signo)
    } else {
        ""
    };

    log_signal(log, signo, sender, action);

    if signo == CHANGEBIN && action == IGNORING && acts_as_master(g) {
        log.error(
            Level::Crit,
            None,
            format_args!(
                "the changing binary signal is ignored: \
                 you should shutdown or terminate \
                 before either old or new binary's process"
            ),
        );
    }

    if signo == libc::SIGCHLD {
        reap::get_status(g, log);
    }
}

fn log_signal(log: Log, signo: c_int, sender: Option<ngx_pid_t>, action: &str) {
    let signame = SIGNALS
        .iter()
        .find(|signal| signal.signo == signo)
        .map_or("", |signal| signal.signame);

    match sender {
        Some(pid) => log.error(
            Level::Notice,
            None,
            format_args!("signal {signo} ({signame}) received from {pid}{action}"),
        ),
        None => log.error(
            Level::Notice,
            None,
            format_args!("signal {signo} ({signame}) received{action}"),
        ),
    }
}

/// The end of the log line of a signal that does nothing.
const IGNORING: &str = ", ignoring";

/// Sets a flag. Returns the end of the signal's log line.
fn raise(flag: &AtomicSig, action: &'static str) -> &'static str {
    flag.store(1, Relaxed);

    action
}

fn act_as_master(g: &Globals, signo: c_int) -> &'static str {
    match signo {
        SHUTDOWN => raise(g.quit, ", shutting down"),
        TERMINATE | libc::SIGINT => raise(g.terminate, ", exiting"),
        NOACCEPT if g.daemonized.load(Relaxed) != 0 => {
            raise(g.noaccept, ", stop accepting connections")
        }
        RECONFIGURE => raise(g.reconfigure, ", reconfiguring"),
        REOPEN => raise(g.reopen, ", reopening logs"),

        // While the old and the new binary run, neither starts a third one.
        CHANGEBIN if both_binaries_run(g) => IGNORING,
        CHANGEBIN => raise(g.change_binary, ", changing binary"),

        libc::SIGALRM => raise(g.sigalrm, ""),
        libc::SIGIO => raise(g.sigio, ""),
        libc::SIGCHLD => raise(g.reap, ""),
        _ => "",
    }
}

/// The new binary recognises it by its parent, the old one; the old one by
/// `ngx_new_binary`.
fn both_binaries_run(g: &Globals) -> bool {
    let parent = g.parent.load(Relaxed);

    (parent != 0 && parent == process::getppid()) || g.new_binary.load(Relaxed) > 0
}

fn act_as_worker(g: &Globals, signo: c_int) -> &'static str {
    match signo {
        NOACCEPT if g.daemonized.load(Relaxed) != 0 => {
            raise(g.debug_quit, "");
            raise(g.quit, ", shutting down")
        }
        SHUTDOWN => raise(g.quit, ", shutting down"),
        TERMINATE | libc::SIGINT => raise(g.terminate, ", exiting"),
        REOPEN => raise(g.reopen, ", reopening logs"),
        RECONFIGURE | CHANGEBIN | libc::SIGIO => IGNORING,
        _ => "",
    }
}
