//! The lines that `csrc/ngx_log.c` puts together: it formats the text, since
//! stable Rust cannot define a function that takes `...`.

use std::sync::atomic::Ordering::Relaxed;

use nix::errno::Errno;

use super::log::{ngx_log_t, ngx_use_stderr};
use super::times;
use super::variables::ngx_pid;
use crate::config::{ngx_err_t, ngx_fd_t, ngx_uint_t, u_char};
use crate::host::standalone::log_format::{self, LineBuffer};
use crate::log::MAX_ERROR_STR;
use crate::sys::{fd, text};

/// `NGX_LOG_WARN`: what is less than that does not concern the console.
const WARN: ngx_uint_t = 5;
/// `NGX_LOG_DEBUG`.
const DEBUG: ngx_uint_t = 8;
/// `NGX_LOG_DEBUG_CONNECTION`: each line is written, whatever its level.
const DEBUG_CONNECTION: ngx_uint_t = 0x8000_0000;

/// The line that `csrc/ngx_log.c` puts together.
///
/// # Safety
///
/// `line` points to NGX_MAX_ERROR_STR writable bytes.
unsafe fn line_of<'a>(line: *mut u_char) -> &'a mut LineBuffer {
    // SAFETY: promised by the caller; bytes have no invalid values, and only
    // those below the returned positions are read.
    unsafe { &mut *line.cast::<LineBuffer>() }
}

/// Begins a line; returns where its text goes.
///
/// # Safety
///
/// `line` points to NGX_MAX_ERROR_STR writable bytes, `log` is valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_ipc_log_begin(
    line: *mut u_char,
    level: ngx_uint_t,
    log: *const ngx_log_t,
) -> *mut u_char {
    let time = times::err_log_time();

    // SAFETY: promised by the caller.
    let text = unsafe {
        log_format::begin(
            line_of(line),
            &time,
            level,
            ngx_pid.load(Relaxed),
            (*log).connection,
        )
    };

    // SAFETY: `text` lies within the line.
    unsafe { line.add(text) }
}

/// Ends the line whose text began at `text` and ends at `p`, and writes it to
/// `log` and the logs behind it.
///
/// # Safety
///
/// `line`, `text` and `p` belong to one line of `ngx_ipc_log_begin`; `log` is
/// valid, as are those it is chained to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_ipc_log_end(
    line: *mut u_char,
    text: *const u_char,
    p: *mut u_char,
    level: ngx_uint_t,
    log: *mut ngx_log_t,
    err: ngx_err_t,
) {
    let mut at = p.addr() - line.addr();
    let text = text.addr() - line.addr();

    if err != 0 {
        // SAFETY: promised by the caller.
        at = log_format::explain(unsafe { line_of(line) }, at, err);
    }

    // SAFETY: promised by the caller.
    if let Some(handler) = unsafe { (*log).handler }
        && level != DEBUG
    {
        // SAFETY: `at` lies within the line; the handler writes no further
        // than the length it is given and returns a position in the line.
        at = unsafe { handler(log, line.add(at), MAX_ERROR_STR - at) }.addr() - line.addr();
    }

    // SAFETY: promised by the caller.
    let buffer = unsafe { line_of(line) };
    let end = log_format::end(buffer, at);

    // SAFETY: the same.
    let on_stderr = unsafe { write_chain(log, level, buffer, end) };

    if ngx_use_stderr.load(Relaxed) == 0 || level > WARN || on_stderr {
        return;
    }

    let start = log_format::for_console(buffer, text, level, text::program_name());
    let _ = fd::write(
        libc::STDERR_FILENO,
        buffer.get(start..end).unwrap_or_default(),
    );
}

/// Writes the first `len` bytes of `line` to `log` and those behind it, up to
/// the first that is not interested. Returns whether stderr was among them.
///
/// # Safety
///
/// `log` is valid, as are those it is chained to.
unsafe fn write_chain(
    log: *mut ngx_log_t,
    level: ngx_uint_t,
    line: &mut LineBuffer,
    len: usize,
) -> bool {
    let mut log = log;
    let mut on_stderr = false;

    // SAFETY: promised by the caller.
    let all = unsafe { (*log).log_level } & DEBUG_CONNECTION != 0;

    while !log.is_null() {
        // SAFETY: promised by the caller; read anew each time, since a writer
        // may change the log.
        unsafe {
            if (*log).log_level < level && !all {
                break;
            }

            if let Some(writer) = (*log).writer {
                writer(log, level, line.as_mut_ptr(), len);
            } else if let Some(fd) = (*log).file.as_ref().map(|file| file.fd) {
                on_stderr |= fd == libc::STDERR_FILENO;
                write_file(log, fd, line.get(..len).unwrap_or_default());
            }

            log = (*log).next;
        }
    }

    on_stderr
}

/// Writes to a file, unless its disk was full within this second: a full disk
/// may block for long.
///
/// # Safety
///
/// `log` is valid.
unsafe fn write_file(log: *mut ngx_log_t, fd: ngx_fd_t, line: &[u8]) {
    let now = times::now();

    // SAFETY: promised by the caller.
    unsafe {
        if (*log).disk_full_time != now && fd::write(fd, line) == Err(Errno::ENOSPC) {
            (*log).disk_full_time = now;
        }
    }
}

/// Begins a line for stderr with the program's name.
///
/// # Safety
///
/// `line` points to NGX_MAX_ERROR_STR writable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_ipc_stderr_begin(line: *mut u_char) -> *mut u_char {
    // SAFETY: promised by the caller.
    let buffer = unsafe { line_of(line) };
    let mut n = 0;

    for (to, &from) in buffer
        .iter_mut()
        .zip(text::program_name().iter().chain(b": "))
    {
        *to = from;
        n += 1;
    }

    // SAFETY: `n` lies within the line.
    unsafe { line.add(n) }
}

/// Ends that line at `p` and writes it.
///
/// # Safety
///
/// `line` and `p` belong to a line of `ngx_ipc_stderr_begin`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_ipc_stderr_end(line: *mut u_char, p: *mut u_char, err: ngx_err_t) {
    let mut at = p.addr() - line.addr();
    // SAFETY: promised by the caller.
    let buffer = unsafe { line_of(line) };

    if err != 0 {
        at = log_format::explain(buffer, at, err);
    }

    let end = log_format::end(buffer, at);
    let _ = fd::write(libc::STDERR_FILENO, buffer.get(..end).unwrap_or_default());
}
