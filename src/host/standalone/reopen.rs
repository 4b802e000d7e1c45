//! Opening the log of a cycle again, after its file has been renamed, and
//! making it the stderr of a daemon.

use std::sync::atomic::Ordering::Relaxed;

use super::cycle::Cycle;
use super::log::ErrorLog;
use super::log_file::open;
use super::variables::{ngx_daemonized, ngx_reopen};
use crate::config::ngx_fd_t;
use crate::log::Level;
use crate::sys::trusted::Owner;
use crate::sys::{daemon, fd};

/// Opens the log of a cycle again. `owner`, if there is one, becomes the owner
/// of the file, unless a symbolic link leads to it (`D32`).
///
/// If that fails, an emergency is logged, and the log goes to the old file.
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

/// Opens the log of a cycle again if `ngx_reopen` is set, in a process other
/// than the master, which has changed the owner of the file.
pub fn reopen_if_requested(cycle: Cycle) {
    if ngx_reopen.swap(0, Relaxed) != 0 {
        cycle
            .log()
            .error(Level::Notice, None, format_args!("reopening logs"));
        reopen_log(cycle, None);
    }
}

/// Closes the descriptor of a log. stderr stays open: other parts of the
/// program use it.
pub fn close_log(fd: ngx_fd_t) {
    if fd != libc::STDERR_FILENO {
        let _ = fd::close(fd);
    }
}

/// Makes stderr of a daemon a copy of its log, so that no line is lost.
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
