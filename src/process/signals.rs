//! Signals: sets their handlers, sends signals, and sets the global flag of a
//! signal that arrives; `ngx_init_signals`.

use std::ffi::c_int;
use std::fmt;
use std::sync::atomic::AtomicI32;
#[cfg(feature = "standalone")]
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::{Relaxed, Release};

use super::reap;
use crate::config::{AtomicSig, ngx_pid_t};
use crate::log::{Level, Log};
use crate::status::{Result, Status};
use crate::sys::process;
use crate::sys::signal::{self, Handler};
use crate::table::globals::Globals;
use crate::table::role::{acts_as_worker, exits_at_reconfigure, handles_signals_as_master};

/// `NGX_SHUTDOWN_SIGNAL`: the receiver finishes its requests, then exits.
pub const SHUTDOWN: c_int = libc::SIGQUIT;
/// `NGX_TERMINATE_SIGNAL`: the receiver exits at once.
pub const TERMINATE: c_int = libc::SIGTERM;
/// `NGX_NOACCEPT_SIGNAL`: the master shuts down its workers and continues to
/// run.
pub const NOACCEPT: c_int = libc::SIGWINCH;
/// `NGX_RECONFIGURE_SIGNAL`: the master starts workers with a new
/// configuration.
pub const RECONFIGURE: c_int = libc::SIGHUP;
/// `NGX_REOPEN_SIGNAL`: the receiver reopens its logs.
pub const REOPEN: c_int = libc::SIGUSR1;
/// `NGX_CHANGEBIN_SIGNAL`: the master starts the new binary.
pub const CHANGEBIN: c_int = libc::SIGUSR2;

/// A signal whose disposition the library sets.
pub struct Signal {
    /// The number of the signal.
    pub signo: c_int,
    /// The name of the signal in log lines.
    pub signame: &'static str,
    /// The name of the signal for the user, as in `nginx -s NAME`; empty if the
    /// signal has no such name.
    name: &'static str,
    /// Whether the library ignores the signal.
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

/// All signals whose dispositions the library sets.
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

/// The address of the handler that [`init`] has installed; 0 if there is none.
#[cfg(feature = "standalone")]
static HANDLER: AtomicUsize = AtomicUsize::new(0);

/// Whether SIGCHLD runs the library's handler. Another library can have replaced
/// the handler, or the program can have blocked the signal.
#[cfg(feature = "standalone")]
pub fn child_signal_reaches_us() -> bool {
    let handler = HANDLER.load(Relaxed);

    handler != 0 && signal::reaches(libc::SIGCHLD, handler)
}

/// Sets the disposition of all signals in `SIGNALS` to `handler`, or to
/// SIG_IGN. If `sigaction(2)` fails, an emergency is logged.
pub fn init(log: Log, handler: Handler) -> Result {
    #[cfg(feature = "standalone")]
    HANDLER.store(handler as usize, Relaxed);

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

/// Blocks the signals that the library handles. Async-signal-safe.
#[cfg(not(feature = "standalone"))]
pub fn block_handled() {
    signal::block(all_handled());
}

/// Unblocks the signals that the library handles, because the program that has
/// executed this one can have blocked them.
#[cfg(feature = "standalone")]
pub fn unblock_handled() {
    signal::unblock(all_handled());
}

fn all_handled() -> impl Iterator<Item = c_int> {
    let handled = SIGNALS.iter().filter(|signal| !signal.ignored);

    handled.map(|signal| signal.signo)
}

/// The number of the signal that asks the master to log its processes; 0 if
/// there is no such signal.
static STATUS: AtomicI32 = AtomicI32::new(0);

/// Makes `signo` the signal that asks the master to log its processes.
pub fn set_status_signal(log: Log, signo: c_int, handler: Handler) -> Result {
    STATUS.store(signo, Relaxed);

    signal::handle(signo, handler)
        .map_err(|err| log.fail(Level::Emerg, err, format_args!("sigaction({signo}) failed")))?;
    signal::unblock([signo].into_iter());

    Ok(())
}

/// Whether `signo` asks the master to log its processes.
pub fn is_status_signal(signo: c_int) -> bool {
    signo == STATUS.load(Relaxed)
}

/// Whether `name` is the user's name of a signal, such as "reload".
pub fn is_name(name: &[u8]) -> bool {
    by_name(name).is_some()
}

fn by_name(name: &[u8]) -> Option<&'static Signal> {
    SIGNALS
        .iter()
        .find(|signal| !name.is_empty() && signal.name.as_bytes() == name)
}

/// Sends the signal that has the user's name `name` to the process `pid`. If
/// `kill(2)` fails, an alert is logged. If no signal has this name, the result
/// is `Status::Error` and nothing is logged.
pub fn os_signal_process(log: Log, name: &[u8], pid: ngx_pid_t) -> Result {
    let Some(Signal { signo, .. }) = by_name(name) else {
        return Err(Status::Error);
    };

    if pid <= 0 {
        // With such a pid, kill(2) would send the signal to a process group, or
        // to all processes.
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

/// Does the work of the signal handler: sets the global flag of the signal,
/// logs the signal, and reaps children if the signal is SIGCHLD.
/// Async-signal-safe.
pub fn received(g: &Globals, log: Log, signo: c_int, sender: Option<ngx_pid_t>) {
    let action = if handles_signals_as_master(g) {
        act_as_master(g, signo)
    } else if acts_as_worker(g) {
        act_as_worker(g, signo)
    } else {
        ""
    };

    log_signal(log, signo, sender, action);

    if signo == CHANGEBIN && action == IGNORING && handles_signals_as_master(g) {
        log_third_binary(log);
    }

    if signo == libc::SIGCHLD {
        reap::get_status(g, log, sender);

        // If the handler runs in another thread, the program can clear `ngx_reap` meanwhile,
        // and look at the slots. So the slots have the flag `exited` before this store.
        if handles_signals_as_master(g) {
            g.reap.store(1, Release);
        }
    }
}

/// Logs that no third binary is started. Async-signal-safe.
pub fn log_third_binary(log: Log) {
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

fn log_signal(log: Log, signo: c_int, sender: Option<ngx_pid_t>, action: &str) {
    let known = SIGNALS.iter().find(|signal| signal.signo == signo);
    let write = |signame: fmt::Arguments<'_>| match sender {
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
    };

    match known {
        Some(signal) => write(format_args!("{}", signal.signame)),
        // The status signal. nginx has no such signal.
        #[cfg(feature = "standalone")]
        None => write(format_args!("{}", signal::Name(signo))),
        #[cfg(not(feature = "standalone"))]
        None => write(format_args!("")),
    }
}

/// The end of the log line of a signal that this process ignores.
const IGNORING: &str = ", ignoring";

/// Sets the global flag `flag` to 1. Returns `action`, the end of the signal's
/// log line.
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
        RECONFIGURE if exits_at_reconfigure(g) => raise(g.terminate, ", exiting"),
        RECONFIGURE => raise(g.reconfigure, ", reconfiguring"),
        REOPEN => raise(g.reopen, ", reopening logs"),

        // While the old and the new binary both run, neither of them starts
        // another binary.
        CHANGEBIN if both_binaries_run(g) => IGNORING,
        CHANGEBIN => raise(g.change_binary, ", changing binary"),

        libc::SIGALRM => raise(g.sigalrm, ""),
        libc::SIGIO => raise(g.sigio, ""),
        _ => "",
    }
}

/// Whether the old and the new binary both run. In the new binary, its parent
/// is then the old binary. In the old binary, `ngx_new_binary` is then the pid
/// of the new binary.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::log::RawLog;

    extern "C" fn handler(_: c_int, _: *mut libc::siginfo_t, _: *mut std::ffi::c_void) {}

    #[test]
    fn the_status_signal_has_its_handler() {
        let log = Log::new(RawLog::none());

        assert!(set_status_signal(log, libc::SIGKILL, handler).is_err());
        assert!(set_status_signal(log, libc::SIGTTIN, handler).is_ok());
        assert!(is_status_signal(libc::SIGTTIN) && !is_status_signal(libc::SIGTTOU));
        assert!(signal::reaches(
            libc::SIGTTIN,
            handler as *const () as libc::sighandler_t
        ));
    }
}
