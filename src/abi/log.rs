//! `ngx_log.h`: the error log. The functions that take `...` are in
//! `csrc/ngx_log.c`.

use std::ffi::c_int;
use std::slice;

use crate::config::{ngx_err_t, u_char};
use crate::host::standalone::log::{ErrorLog, ngx_log_t};
use crate::host::standalone::{log_file, log_format};
use crate::log::MAX_ERROR_STR;
use crate::sys::text::Text;

/// The maximum length of a log line; a longer line is cut.
pub const NGX_MAX_ERROR_STR: c_int = 2048;

const _: () = assert!(MAX_ERROR_STR == NGX_MAX_ERROR_STR as usize);

/// Opens the log of the program: the file `error_log`, or stderr if `error_log`
/// is NULL or empty. A name that does not begin with a slash is relative to the
/// directory `prefix`.
///
/// Returns the log, whose level is NGX_LOG_NOTICE. If the file cannot be
/// opened, the function writes a line to stderr, and the log is stderr.
///
/// # Safety
///
/// `prefix` and `error_log` are NULL or strings.
///
/// # References
///
/// `open(2)`; nginx's `src/core/ngx_log.c`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_log_init(
    prefix: *mut u_char,
    error_log: *mut u_char,
) -> *mut ngx_log_t {
    // SAFETY: C passes NULL or strings.
    let (prefix, name) = unsafe {
        (
            Text::from_ptr(prefix.cast()),
            Text::from_ptr(error_log.cast()),
        )
    };

    ErrorLog::optional_ptr(log_file::init(prefix.path(), name.path()))
}

/// Finds the first log that has a file, in the list of logs that begins with
/// `head`.
///
/// Returns NULL if no log of the list has a file.
///
/// # Safety
///
/// `head` is NULL or a valid log, and the logs that follow it in the
/// list are valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_log_get_file_log(head: *mut ngx_log_t) -> *mut ngx_log_t {
    // SAFETY: C passes NULL or a valid chain of logs.
    let log = unsafe { ErrorLog::from_ptr(head) };

    ErrorLog::optional_ptr(log.and_then(ErrorLog::first_with_file))
}

/// Writes ` (ERR: DESCRIPTION)` for the errno `err` at `buf`, in a line that
/// ends at `last`. If fewer than 50 bytes are left before `last`, the function
/// overwrites the end of the text before `buf`.
///
/// Returns the position after the last byte.
///
/// # Safety
///
/// The bytes from `buf` to `last` are writable, and so are the 50 bytes
/// before `last`.
///
/// # References
///
/// nginx's `src/core/ngx_log.c`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_log_errno(
    buf: *mut u_char,
    last: *mut u_char,
    err: ngx_err_t,
) -> *mut u_char {
    let room = last.addr().saturating_sub(buf.addr());
    let back = log_format::ERRNO_ROOM.saturating_sub(room);

    // SAFETY: C passes a line of which the bytes from `buf` to `last` and the
    // 50 bytes before `last` are writable, and `explain` returns a position in
    // the line.
    unsafe {
        let start = buf.sub(back);
        let line = slice::from_raw_parts_mut(start, room + back);

        start.add(log_format::explain(line, back, err))
    }
}
