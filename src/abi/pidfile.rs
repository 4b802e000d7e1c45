//! The file with the master's pid, which moves while a new binary runs.

use std::ffi::{OsString, c_char};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering::Relaxed;

use nix::errno::Errno;

use super::conf::conf_of;
use super::cycle::ngx_cycle_t;
use super::log::path_of;
use super::process_cycle::{ngx_new_binary, ngx_pid};
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

/// Moves the file away for the new binary `program`; whether that succeeded.
///
/// # Safety
///
/// `cycle` is valid, `program` a string.
pub unsafe fn make_room(cycle: *mut ngx_cycle_t, log: Log, program: *const c_char) -> bool {
    // SAFETY: promised by the caller.
    unsafe {
        configured(cycle)
            .is_none_or(|pid| rename(log, &pid, &old_path(&pid), "before executing", program))
    }
}

/// Moves it back: the new binary could not be executed.
///
/// # Safety
///
/// `cycle` is valid, `program` a string.
pub unsafe fn take_back(cycle: *mut ngx_cycle_t, log: Log, when: &str, program: *const c_char) {
    // SAFETY: promised by the caller.
    unsafe {
        if let Some(pid) = configured(cycle) {
            rename(log, &old_path(&pid), &pid, when, program);
        }
    }
}

/// # Safety
///
/// `program` is a string.
unsafe fn rename(log: Log, from: &Path, to: &Path, when: &str, program: *const c_char) -> bool {
    let Err(err) = fs::rename(from, to) else {
        return true;
    };

    // SAFETY: promised by the caller.
    let program = unsafe { Text::from_ptr(program) };

    log.error(
        Level::Alert,
        Some(errno_of(&err)),
        format_args!(
            "rename() {} to {} failed {when} new binary process \"{program}\"",
            from.display(),
            to.display()
        ),
    );

    false
}
