//! The functions that `csrc/ngx_log.c` calls. That file formats the text of a
//! line, and these functions write the other parts of the line and the line
//! itself. No header declares these functions, and the shared library does not
//! export them.

use crate::config::{ngx_err_t, ngx_uint_t, u_char};
use crate::host::standalone::log::{ErrorLog, ngx_log_t};
use crate::host::standalone::log_format::LineBuffer;
use crate::host::standalone::log_line;

/// Writes the part of a line before the text. Returns the position at which the
/// text begins.
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
    // log of its caller. The text begins within the line.
    unsafe {
        let Some(log) = ErrorLog::from_ptr(log) else {
            return line;
        };

        line.add(log_line::begin(&mut *line.cast::<LineBuffer>(), level, log))
    }
}

/// Completes the line whose text is from `text` to `p`, and writes the line to
/// `log` and to the logs that follow it in the list.
///
/// # Safety
///
/// ngx_ipc_log_begin() has begun `line`, and `text` and `p` are positions in
/// the line. `log` and the logs that follow it in the list are valid.
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
    // valid log of the function that has called it.
    unsafe {
        if let Some(log) = ErrorLog::from_ptr(log) {
            log_line::end(&mut *line.cast::<LineBuffer>(), text, end, level, log, err);
        }
    }
}

/// Begins a line for stderr with the name of the program. Returns the position
/// at which the text of the line begins.
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

/// Completes a line for stderr whose text ends at `p`, and writes the line.
///
/// # Safety
///
/// ngx_ipc_stderr_begin() has begun `line`, and `p` is a position in the
/// line.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_ipc_stderr_end(line: *mut u_char, p: *mut u_char, err: ngx_err_t) {
    let end = p.addr() - line.addr();

    // SAFETY: `ngx_log.c` has set all bytes of the line to zero.
    log_line::end_stderr(unsafe { &mut *line.cast::<LineBuffer>() }, end, err);
}
