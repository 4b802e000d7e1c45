//! Writes, reads, renames and removes the file with the master's pid. The old
//! binary renames its file while a new binary runs, so that the new binary can
//! create its own file.

use std::fmt::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::atomic::Ordering::Relaxed;

use super::cycle::Cycle;
use super::variables::{ngx_new_binary, ngx_pid};
use crate::config::ngx_pid_t;
use crate::log::{Level, Line, Log};
use crate::status::Result;
use crate::sys::path::CPath;
use crate::sys::text::Text;
use crate::sys::{directory, file, trusted, user};

/// The user id of root.
const ROOT: libc::uid_t = 0;

/// The largest number of bytes that are read from a pid file. A pid has fewer
/// digits.
const MAX_PID_FILE: usize = 64;

/// The absolute path of the pid file, if the configuration has one. A module can have
/// changed the working directory of this process.
fn path_of(cycle: Cycle) -> Option<CPath> {
    let path = cycle.conf().pid()?;

    directory::absolute(path).or_else(|_| CPath::of(path)).ok()
}

/// The name of the old binary's pid file while both binaries run.
///
/// Returns an error, with an alert in `log`, if the name is too long.
fn old_path(pid: &Path, log: Log) -> Result<CPath> {
    CPath::new(&[pid.as_os_str().as_bytes(), b".oldbin"]).map_err(|err| {
        let text = format_args!("name of \"{}.oldbin\" failed", pid.display());

        log.fail(Level::Alert, err, text)
    })
}

/// Writes the pid of this process to the pid file of the configuration of
/// `cycle`. Does nothing if no pid file is configured.
///
/// The new file replaces an old one, see [`trusted::write`].
///
/// Returns an error, with an emergency in `log`, if the file cannot be written.
pub fn create(cycle: Cycle, log: Log) -> Result {
    let Some(path) = path_of(cycle) else {
        return Ok(());
    };
    let path = path.as_path();

    let mut line = Line::new();

    // The line has room for each pid.
    let _ = writeln!(line, "{}", ngx_pid.load(Relaxed));

    trusted::write(path, line.bytes()).map_err(|err| {
        log.fail(
            Level::Emerg,
            err,
            format_args!("open() \"{}\" failed", path.display()),
        )
    })
}

/// Reads the pid of the master from the pid file at `path`.
///
/// Returns an error, with the reason in `log`, if the file cannot be read or has
/// no pid. If this process runs as root and another user owns the file, the pid
/// must be that of a process of this user: the file may be the work of a worker
/// that an attacker controls.
pub fn read(path: &Path, log: Log) -> Result<ngx_pid_t> {
    let mut buffer = [0; MAX_PID_FILE];
    let (text, owner) = if user::is_root() {
        trusted::read(path, &mut buffer)
    } else {
        file::read(path, &mut buffer).map(|text| (text, ROOT))
    }
    .map_err(|err| {
        log.fail(
            Level::Err,
            err,
            format_args!("open() \"{}\" failed", path.display()),
        )
    })?;

    let path = path.display();
    let Some(pid) = parse(text) else {
        return Err(log.refuse(format_args!("invalid PID number in \"{path}\"")));
    };

    if owner != ROOT && user::of_process(pid).is_some_and(|user| user != owner) {
        return Err(log.refuse(format_args!(
            "the owner of \"{path}\" is not the user of process {pid}"
        )));
    }

    Ok(pid)
}

/// The pid in the file at `path`, if it is not the pid of this process.
fn other_pid_in(path: &Path) -> Option<ngx_pid_t> {
    let mut buffer = [0; MAX_PID_FILE];

    file::read(path, &mut buffer)
        .ok()
        .and_then(parse)
        .filter(|&pid| pid != ngx_pid.load(Relaxed))
}

/// The pid that the text of a pid file names, if it names one.
fn parse(text: &[u8]) -> Option<ngx_pid_t> {
    str::from_utf8(text)
        .ok()
        .and_then(|text| text.trim().parse().ok())
        .filter(|&pid| pid > 0)
}

/// At a reload: creates the pid file of the cycle `new` and removes the pid
/// file of the cycle `old`, unless both cycles have the same file.
///
/// If the new file cannot be created, the old file stays, and the function
/// returns an error.
pub fn change(old: Cycle, new: Cycle, log: Log) -> Result {
    if old.conf().pid() == new.conf().pid() {
        return Ok(());
    }

    create(new, log)?;
    remove(old, log);

    Ok(())
}

/// Removes the pid file of this process. While a new binary runs, it is the
/// renamed file. The file stays if another instance of the program has written
/// its own pid to it since (`D35`).
pub fn remove(cycle: Cycle, log: Log) {
    let Some(path) = path_of(cycle) else {
        return;
    };
    let path = path.as_path();

    let old;
    let path = if ngx_new_binary.load(Relaxed) > 0 {
        let Ok(path) = old_path(path, log) else {
            return;
        };

        old = path;
        old.as_path()
    } else {
        path
    };

    if let Some(pid) = other_pid_in(path) {
        log.error(
            Level::Warn,
            None,
            format_args!(
                "\"{}\" stays, because process {pid} has written it",
                path.display()
            ),
        );
        return;
    }

    if let Err(err) = file::remove(path) {
        log.error(
            Level::Alert,
            Some(err),
            format_args!("unlink() \"{}\" failed", path.display()),
        );
    }
}

/// The reason why the pid file gets its name back.
#[derive(Clone, Copy)]
pub enum Reason {
    /// The new binary could not be executed.
    NotExecuted,
    /// The new binary has exited.
    Exited,
}

/// Renames the pid file before the new binary `program` is executed. Returns
/// true, or false, with an alert in the log, if the file cannot be renamed.
pub fn rename_to_old(cycle: Cycle, log: Log, program: Text) -> bool {
    let Some(pid) = path_of(cycle) else {
        return true;
    };
    let pid = pid.as_path();
    let Ok(old) = old_path(pid, log) else {
        return false;
    };
    let old = old.as_path();

    let renamed = file::rename(pid, old);

    if let Err(err) = renamed {
        log.error(
            Level::Alert,
            Some(err),
            format_args!(
                "rename() {} to {} failed before executing new binary process \"{program}\"",
                pid.display(),
                old.display()
            ),
        );
    }

    renamed.is_ok()
}

/// Gives the pid file its name back. Logs an alert if the file cannot be
/// renamed.
pub fn rename_back(cycle: Cycle, log: Log, reason: Reason, program: Text) {
    let Some(pid) = path_of(cycle) else {
        return;
    };
    let pid = pid.as_path();
    let Ok(old) = old_path(pid, log) else {
        return;
    };
    let old = old.as_path();

    let Err(err) = file::rename(old, pid) else {
        return;
    };
    let (old, pid) = (old.display(), pid.display());

    match reason {
        Reason::NotExecuted => log.error(
            Level::Alert,
            Some(err),
            format_args!(
                "rename() {old} back to {pid} failed after an attempt to execute \
                 new binary process \"{program}\""
            ),
        ),
        Reason::Exited => log.error(
            Level::Alert,
            Some(err),
            format_args!(
                "rename() {old} back to {pid} failed after the new binary process \
                 \"{program}\" exited"
            ),
        ),
    }
}
