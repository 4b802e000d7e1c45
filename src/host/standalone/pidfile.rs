//! The file with the master's pid, which moves while a new binary runs.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering::Relaxed;

use nix::errno::Errno;

use super::conf::conf_of;
use super::cycle::ngx_cycle_t;
use super::log::path_of;
use super::variables::{ngx_new_binary, ngx_pid};
use crate::log::{Level, Log};
use crate::status::Result;
use crate::sys::text::Text;

/// The errno of a failed file operation.
pub fn errno_of(err: &io::Error) -> Errno {
    Errno::from_raw(err.raw_os_error().unwrap_or_default())
}

/// The file that is configured, if there is one.
///
/// # Safety
///
/// `cycle` is valid.
unsafe fn configured(cycle: *mut ngx_cycle_t) -> Option<PathBuf> {
    // SAFETY: promised by the caller.
    unsafe { path_of(conf_of(cycle).pid.cast()) }.map(Path::to_path_buf)
}

/// Where the pid of the old binary is while both run.
fn old_path(pid: &Path) -> PathBuf {
    let mut path = OsString::from(pid);

    path.push(".oldbin");

    path.into()
}

/// Writes this process's id to the file.
///
/// # Safety
///
/// `cycle` is valid.
pub unsafe fn create(cycle: *mut ngx_cycle_t, log: Log) -> Result {
    // SAFETY: promised by the caller.
    let Some(path) = (unsafe { configured(cycle) }) else {
        return Ok(());
    };

    fs::write(&path, format!("{}\n", ngx_pid.load(Relaxed))).map_err(|err| {
        log.fail(
            Level::Emerg,
            errno_of(&err),
            format_args!("open() \"{}\" failed", path.display()),
        )
    })
}

/// Moves to the file of another configuration, `new`, if that is another one.
///
/// # Safety
///
/// Both cycles are valid.
pub unsafe fn change(old: *mut ngx_cycle_t, new: *mut ngx_cycle_t, log: Log) -> Result {
    // SAFETY: promised by the caller.
    unsafe {
        if configured(old) == configured(new) {
            return Ok(());
        }

        create(new, log)?;
        delete(old, log);
    }

    Ok(())
}

/// Removes the file of this process, wherever it is.
///
/// # Safety
///
/// `cycle` is valid.
pub unsafe fn delete(cycle: *mut ngx_cycle_t, log: Log) {
    // SAFETY: promised by the caller.
    let Some(path) = (unsafe { configured(cycle) }) else {
        return;
    };

    let path = if ngx_new_binary.load(Relaxed) > 0 {
        old_path(&path)
    } else {
        path
    };

    if let Err(err) = fs::remove_file(&path) {
        log.error(
            Level::Alert,
            Some(errno_of(&err)),
            format_args!("unlink() \"{}\" failed", path.display()),
        );
    }
}

/// When a file is renamed for a new binary.
#[derive(Clone, Copy)]
pub enum When {
    /// The new binary could not be executed.
    NotExecuted,
    /// It has exited.
    Exited,
}

/// Moves the file away for the new binary `program`; whether that succeeded.
///
/// # Safety
///
/// `cycle` is valid, `program` a string.
pub unsafe fn make_room(cycle: *mut ngx_cycle_t, log: Log, program: Text) -> bool {
    // SAFETY: promised by the caller.
    let Some(pid) = (unsafe { configured(cycle) }) else {
        return true;
    };
    let old = old_path(&pid);

    let renamed = fs::rename(&pid, &old);

    if let Err(err) = &renamed {
        log.error(
            Level::Alert,
            Some(errno_of(err)),
            format_args!(
                "rename() {} to {} failed before executing new binary process \"{program}\"",
                pid.display(),
                old.display()
            ),
        );
    }

    renamed.is_ok()
}

/// Moves it back.
///
/// # Safety
///
/// `cycle` is valid, `program` a string.
pub unsafe fn take_back(cycle: *mut ngx_cycle_t, log: Log, when: When, program: Text) {
    // SAFETY: promised by the caller.
    let Some(pid) = (unsafe { configured(cycle) }) else {
        return;
    };
    let old = old_path(&pid);

    let Err(err) = fs::rename(&old, &pid) else {
        return;
    };
    let (old, pid) = (old.display(), pid.display());

    match when {
        When::NotExecuted => log.error(
            Level::Alert,
            Some(errno_of(&err)),
            format_args!(
                "rename() {old} back to {pid} failed after an attempt to execute \
                 new binary process \"{program}\""
            ),
        ),
        When::Exited => log.error(
            Level::Alert,
            Some(errno_of(&err)),
            format_args!(
                "rename() {old} back to {pid} failed after the new binary process \
                 \"{program}\" exited"
            ),
        ),
    }
}
