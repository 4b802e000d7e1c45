//! `ngx_log.h`: the error log. The functions that take `...` are in
//! `csrc/ngx_log.c`.

use std::ffi::c_int;
use std::slice;

use crate::config::{ngx_err_t, u_char};
use crate::host::standalone::log::{ErrorLog, ngx_log_t};
use crate::host::standalone::{log_file, log_format};
use crate::log::MAX_ERROR_STR;
use crate::sys::text::Text;

/// A longer line is cut.
pub const NGX_MAX_ERROR_STR: c_int = 2048;

const _: () = assert!(MAX_ERROR_STR == NGX_MAX_ERROR_STR as usize);

/// Opens the program's log: the file `error_log`, in the directory `prefix`
/// unless its name begins with a slash, or stderr if it is NULL or empty.
///
/// Returns the log, its level NGX_LOG_NOTICE. If the file cannot be opened a
/// line on stderr says so, and stderr is the log.
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

/// The first log from `head` on that has a file, or NULL.
///
/// # Safety
///
/// `head` is NULL or a valid log, as are those it is chained to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_log_get_file_log(head: *mut ngx_log_t) -> *mut ngx_log_t {
    // SAFETY: C passes NULL or a valid chain of logs.
    let log = unsafe { ErrorLog::from_ptr(head) };

    ErrorLog::optional_ptr(log.and_then(ErrorLog::first_with_file))
}

/// Writes ` (ERR: description)` at `buf`, or closer to its end at `last` if
/// there is not enough room; returns the position behind it.
///
/// # Safety
///
/// `buf` to `last` is writable, and 50 bytes before `last` are as well.
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

    // SAFETY: C passes a line that is writable from `buf` to `last`, and from
    // 50 bytes before `last`, whichever comes first. `explain` returns a
    // position in the line.
    unsafe {
        let start = buf.sub(back);
        let line = slice::from_raw_parts_mut(start, room + back);

        start.add(log_format::explain(line, back, err))
    }
}
