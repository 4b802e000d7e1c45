//! Signals: what each means to a process of which role, `ngx_init_signals`.

use crate::table::role::{
    NGX_PROCESS_HELPER, NGX_PROCESS_MASTER, NGX_PROCESS_SINGLE, NGX_PROCESS_WORKER, acts_as_master,
};
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

/// `NGX_SHUTDOWN_SIGNAL`: finish what was begun, then exit.
pub const SHUTDOWN: c_int = libc::SIGQUIT;
/// `NGX_TERMINATE_SIGNAL`: exit.
pub const TERMINATE: c_int = libc::SIGTERM;
/// `NGX_NOACCEPT_SIGNAL`: stop the workers, not the master.
pub const NOACCEPT: c_int = libc::SIGWINCH;
/// `NGX_RECONFIGURE_SIGNAL`: start workers anew.
pub const RECONFIGURE: c_int = libc::SIGHUP;
/// `NGX_REOPEN_SIGNAL`: reopen the logs.
pub const REOPEN: c_int = libc::SIGUSR1;
/// `NGX_CHANGEBIN_SIGNAL`: start the new binary.
pub const CHANGEBIN: c_int = libc::SIGUSR2;

/// A signal that the library sets up.
pub struct Signal {
    /// Its number.
    pub signo: c_int,
    /// How log lines call it.
    pub signame: &'static str,
    /// How the user calls it, `nginx -s NAME`.
    name: &'static str,
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

/// All of them.
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

/// Sets all of them up.
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

/// A signal of the program's own choice, at which it is told of its processes.
static STATUS: AtomicI32 = AtomicI32::new(0);

/// Sets a signal up at which [`is_status`] holds.
pub fn on_status(log: Log, signo: c_int, handler: Handler) -> Result {
    STATUS.store(signo, Relaxed);

    signal::handle(signo, handler)
        .map_err(|err| log.fail(Level::Emerg, err, format_args!("sigaction({signo}) failed")))
}

/// Whether `signo` asks for a list of the processes.
pub fn is_status(signo: c_int) -> bool {
    signo == STATUS.load(Relaxed)
}

/// Whether the user calls a signal `name`.
pub fn is_name(name: &[u8]) -> bool {
    !name.is_empty() && SIGNALS.iter().any(|sig| sig.name.as_bytes() == name)
}

/// Sends the signal that the user calls `name` to `pid`.
pub fn os_signal_process(log: Log, name: &[u8], pid: ngx_pid_t) -> Result {
    let named = SIGNALS
        .iter()
        .find(|sig| !name.is_empty() && sig.name.as_bytes() == name);

    let Some(Signal { signo, .. }) = named else {
        return Err(Status::Error);
    };

    if pid <= 0 {
        // It would reach a whole group, or everybody.
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

/// What the handler does: sets a flag, says so, and reaps on SIGCHLD.
pub fn received(g: &Globals, log: Log, signo: c_int, sender: Option<ngx_pid_t>) {
    let action = match g.process.load(Relaxed) {
        NGX_PROCESS_MASTER | NGX_PROCESS_SINGLE => act_as_master(g, signo),
        NGX_PROCESS_WORKER | NGX_PROCESS_HELPER => act_as_worker(g, signo),
        _ => "",
    };
    let signame = SIGNALS
        .iter()
        .find(|sig| sig.signo == signo)
        .map_or("", |sig| sig.signame);

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

const IGNORING: &str = ", ignoring";

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

        // While both binaries run neither starts a third one: the new one's
        // parent is then still the old one.
        CHANGEBIN if both_binaries_run(g) => IGNORING,
        CHANGEBIN => raise(g.change_binary, ", changing binary"),

        libc::SIGALRM => raise(g.sigalrm, ""),
        libc::SIGIO => raise(g.sigio, ""),
        libc::SIGCHLD => raise(g.reap, ""),
        _ => "",
    }
}

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
