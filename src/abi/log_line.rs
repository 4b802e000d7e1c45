//! What `csrc/ngx_log.c` calls: it formats the text of a line, and these do the
//! rest. Not in a header, and not exported by the shared library.

use crate::config::{ngx_err_t, ngx_uint_t, u_char};
use crate::host::standalone::log::{ErrorLog, ngx_log_t};
use crate::host::standalone::log_format::LineBuffer;
use crate::host::standalone::log_line;

/// Begins a line. Returns the position at which its text begins.
///
/// # Safety
///
/// `line` points to NGX_MAX_ERROR_STR bytes, `log` to a valid log.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_ipc_log_begin(
    line: *mut u_char,
    level: ngx_uint_t,
    log: *mut ngx_log_t,
) -> *mut u_char {
    // SAFETY: `ngx_log.c` has set all bytes of the line to zero, and passes the
    // log of its caller; the text begins within the line.
    unsafe {
        let Some(log) = ErrorLog::from_ptr(log) else {
            return line;
        };

        line.add(log_line::begin(&mut *line.cast::<LineBuffer>(), level, log))
    }
}

/// Ends the line whose text is from `text` to `p`, and writes it to `log` and
/// the logs behind it.
///
/// # Safety
///
/// `line`, `text` and `p` belong to one line of ngx_ipc_log_begin(); `log` is
/// valid, as are the logs behind it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_ipc_log_end(
    line: *mut u_char,
    text: *const u_char,
    p: *mut u_char,
    level: ngx_uint_t,
    log: *mut ngx_log_t,
    err: ngx_err_t,
) {
    let (text, end) = (text.addr() - line.addr(), p.addr() - line.addr());

    // SAFETY: `ngx_log.c` has set all bytes of the line to zero, and passes the
    // log of its caller.
    unsafe {
        if let Some(log) = ErrorLog::from_ptr(log) {
            log_line::end(&mut *line.cast::<LineBuffer>(), text, end, level, log, err);
        }
    }
}

/// Begins a line for stderr with the program's name. Returns the position at
/// which its text begins.
///
/// # Safety
///
/// `line` points to NGX_MAX_ERROR_STR bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_ipc_stderr_begin(line: *mut u_char) -> *mut u_char {
    // SAFETY: `ngx_log.c` has set all bytes of the line to zero; the text
    // begins within the line.
    unsafe { line.add(log_line::begin_stderr(&mut *line.cast::<LineBuffer>())) }
}

/// Ends that line at `p` and writes it.
///
/// # Safety
///
/// `line` and `p` belong to a line of ngx_ipc_stderr_begin().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_ipc_stderr_end(line: *mut u_char, p: *mut u_char, err: ngx_err_t) {
    let end = p.addr() - line.addr();

    // SAFETY: `ngx_log.c` has set all bytes of the line to zero.
    log_line::end_stderr(unsafe { &mut *line.cast::<LineBuffer>() }, end, err);
}
