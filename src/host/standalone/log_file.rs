//! Opens the file of a program's log.

use std::cell::UnsafeCell;
use std::path::Path;
use std::ptr;

use nix::errno::Errno;

use super::log::{ErrorLog, ngx_log_s};
use super::types::ngx_open_file_s;
use super::{log_format, log_line};
use crate::config::{ngx_fd_t, ngx_str_t};
use crate::log::{Level, MAX_ERROR_STR};
use crate::sys::trusted::{self, Owner};
use crate::sys::{directory, fd, user};

/// The log that `ngx_log_init()` returns.
struct DefaultLog {
    log: UnsafeCell<ngx_log_s>,
    file: UnsafeCell<ngx_open_file_s>,
}

// SAFETY: only `init` changes the log, while the program has one thread. Other
// code uses the log through an `ErrorLog`, which only one thread uses (the
// invariant of `ErrorLog`).
unsafe impl Sync for DefaultLog {}

static DEFAULT: DefaultLog = DefaultLog {
    log: UnsafeCell::new(ngx_log_s::new(Level::Notice as usize, ptr::null_mut())),
    file: UnsafeCell::new(ngx_open_file_s {
        fd: libc::STDERR_FILENO,
        name: ngx_str_t {
            len: 0,
            data: ptr::null_mut(),
        },
    }),
};

/// Opens the program's log: the file `name` in the directory `prefix`, or
/// stderr if there is no name.
///
/// Returns the log, whose level is `NGX_LOG_NOTICE`. If the file cannot be
/// opened, the function writes a line to stderr, and the log is stderr.
pub fn init(prefix: Option<&Path>, name: Option<&Path>) -> Option<ErrorLog> {
    let fd = name.map_or(libc::STDERR_FILENO, |name| {
        match directory::join(prefix, name) {
            Ok(path) => fd::open_append(path.as_path())
                .unwrap_or_else(|err| stderr_instead(path.as_path(), err)),
            Err(err) => stderr_instead(name, err),
        }
    });

    // SAFETY: the log is static, and no reference to its fields exists, since
    // handles of the log have pointers. Only this function makes a handle of
    // the log.
    unsafe {
        (*DEFAULT.file.get()).fd = fd;
        (*DEFAULT.log.get()).file = DEFAULT.file.get();

        ErrorLog::from_ptr(DEFAULT.log.get())
    }
}

/// Opens a log file of the configuration and returns the descriptor. A relative path is
/// that of a file in the directory where the program was started.
///
/// `owner`, if there is one, is a user who may be able to change the directory
/// of the file. If this process runs as root, the function then refuses a file
/// that another user can have put into the directory (`D32`).
pub fn open(path: &Path, owner: Option<Owner>) -> Result<ngx_fd_t, Errno> {
    let path = directory::absolute(path)?;

    match owner {
        Some(owner) if user::is_root() => trusted::open_append(path.as_path(), owner),
        _ => fd::open_append(path.as_path()),
    }
}

/// Writes a line to stderr which says that the log file `path` could not be
/// opened. Returns the descriptor of stderr.
fn stderr_instead(path: &Path, err: Errno) -> ngx_fd_t {
    let mut line = [0; MAX_ERROR_STR];
    let at = log_line::begin_stderr(&mut line);
    let at = log_format::append(
        &mut line,
        at,
        format_args!(
            "[alert] could not open error log file: open() \"{}\" failed",
            path.display()
        ),
    );

    log_line::end_stderr(&mut line, at, err as i32);

    libc::STDERR_FILENO
}
