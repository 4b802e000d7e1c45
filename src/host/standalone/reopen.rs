//! Opens the log file of a cycle again after the file has been renamed, and
//! makes stderr of a daemon a copy of the log.

use std::sync::atomic::Ordering::Relaxed;

use super::cycle::Cycle;
use super::log::ErrorLog;
use super::log_file::open;
use super::variables::{ngx_daemonized, ngx_reopen};
use crate::config::ngx_fd_t;
use crate::log::Level;
use crate::sys::trusted::Owner;
use crate::sys::{daemon, fd};

/// Opens the log file of a cycle again. `owner`, if there is one, becomes the
/// owner of the file, unless the path ends with a symbolic link (`D32`).
///
/// If the file cannot be opened, the function logs an emergency, and the log
/// still writes to the old file.
pub fn reopen_log(cycle: Cycle, owner: Option<libc::uid_t>) {
    let (Some(path), Some(log)) = (cycle.conf().error_log(), cycle.error_log()) else {
        return;
    };

    if log.file().is_none() {
        return;
    }

    match open(path, owner.map(Owner::Becomes)) {
        Ok(new) => {
            if let Some(old) = log.replace_file(new) {
                close_log(old);
            }

            redirect_stderr(cycle);
        }
        Err(err) => cycle.log().error(
            Level::Emerg,
            Some(err),
            format_args!("open() \"{}\" failed", path.display()),
        ),
    }
}

/// Opens the log file of a cycle again if `ngx_reopen` is set. For processes
/// other than the master: they do not change the owner of the file, because the
/// master has done so.
pub fn reopen_if_requested(cycle: Cycle) {
    // A load costs less than a swap, and each round of the event loop asks.
    if ngx_reopen.load(Relaxed) != 0 && ngx_reopen.swap(0, Relaxed) != 0 {
        cycle
            .log()
            .error(Level::Notice, None, format_args!("reopening logs"));
        reopen_log(cycle, None);
    }
}

/// Closes the descriptor of a log file. Does nothing if the descriptor is
/// stderr, because other parts of the program use stderr.
pub fn close_log(fd: ngx_fd_t) {
    if fd != libc::STDERR_FILENO {
        let _ = fd::close(fd);
    }
}

/// In a daemon: makes stderr a copy of the log's descriptor, so that text which
/// the program writes to stderr is in the log.
pub fn redirect_stderr(cycle: Cycle) {
    if ngx_daemonized.load(Relaxed) == 0 {
        return;
    }

    let file = cycle
        .error_log()
        .and_then(ErrorLog::first_with_file)
        .and_then(ErrorLog::file);

    if let Some(fd) = file
        && fd != libc::STDERR_FILENO
        && let Err(err) = daemon::redirect_stderr(fd)
    {
        cycle
            .log()
            .error(Level::Alert, Some(err), format_args!("dup2(STDERR) failed"));
    }
}
