//! Writes the lines of the error log. `csrc/ngx_log.c` formats the text of a
//! line, because stable Rust cannot define a function that takes `...`. This
//! file adds the parts before and after the text, and writes the line.
//!
//! All functions of this file are async-signal-safe, because signal handlers
//! log.

use std::sync::atomic::Ordering::Relaxed;

use nix::errno::Errno;

use super::log::ErrorLog;
use super::log_format::{self, LineBuffer};
use super::variables::{ngx_pid, ngx_use_stderr};
use super::{refusal, report, times};
use crate::config::{ngx_err_t, ngx_fd_t, ngx_uint_t, numbers};
use crate::log::{DEBUG, Level};
use crate::sys::buffer::copy;
use crate::sys::{fd, text};

/// `NGX_LOG_DEBUG_CONNECTION`: if `log_level` has this bit, the log writes
/// every line, whatever the level of the line is.
const DEBUG_CONNECTION: ngx_uint_t = numbers::NGX_LOG_DEBUG_CONNECTION as ngx_uint_t;

/// Writes the part of a line before the text. Returns the position at which the
/// text begins.
pub fn begin(line: &mut LineBuffer, level: ngx_uint_t, log: ErrorLog) -> usize {
    log_format::begin(
        line,
        &times::err_log_time(),
        level,
        ngx_pid.load(Relaxed),
        log.connection(),
    )
}

/// Completes a line whose text is from `text` to `end`, and writes the line to
/// `log` and to the logs that follow it in the list. A line of the level "warn"
/// or a more severe level is also written to stderr.
///
/// `err` is the errno whose description is added after the text; 0: no
/// description.
pub fn end(
    line: &mut LineBuffer,
    text: usize,
    end: usize,
    level: ngx_uint_t,
    log: ErrorLog,
    err: ngx_err_t,
) {
    let mut end = end;

    if err != 0 {
        end = log_format::explain(line, end, err);
    }

    if level != DEBUG {
        end = log.call_handler(line, end);
    }

    let end = log_format::end(line, end);

    report::line(line, text, end, level);
    refusal::line(line, text, end, level);

    let on_stderr = write_chain(log, level, line, end);

    if ngx_use_stderr.load(Relaxed) == 0 || level > Level::Warn as usize || on_stderr {
        return;
    }

    let start = log_format::for_console(line, text, level, text::program_name());

    write_stderr(line.get(start..end).unwrap_or_default());
}

/// Writes the first `len` bytes of `line` to `log` and to the logs that follow
/// it in the list. Stops at the first log whose level is too low. Returns
/// whether one of the logs has written to stderr.
fn write_chain(log: ErrorLog, level: ngx_uint_t, line: &mut LineBuffer, len: usize) -> bool {
    let all = log.level() & DEBUG_CONNECTION != 0;
    let mut on_stderr = false;
    let mut next = Some(log);

    while let Some(log) = next
        && (all || log.level() >= level)
    {
        if !log.call_writer(level, line, len)
            && let Some(fd) = log.file()
        {
            on_stderr |= fd == libc::STDERR_FILENO;
            write_file(log, fd, line.get(..len).unwrap_or_default());
        }

        // `next` is read after the call, because a writer can change the log.
        next = log.next();
    }

    on_stderr
}

/// Writes `line` to the file of a log. If a write finds that the disk is full,
/// the function writes nothing more in that second, because each write to a
/// full disk can block for a long time.
fn write_file(log: ErrorLog, fd: ngx_fd_t, line: &[u8]) {
    let now = times::now();

    if log.disk_full_time() != now && fd::write(fd, line) == Err(Errno::ENOSPC) {
        log.set_disk_full_time(now);
    }
}

/// Begins a line for stderr with the name of the program. Returns the position
/// at which the text of the line begins.
pub fn begin_stderr(line: &mut LineBuffer) -> usize {
    let n = copy(line, text::program_name());

    n + copy(line.get_mut(n..).unwrap_or_default(), b": ")
}

/// Completes a line that [`begin_stderr`] has begun and whose text ends at
/// `end`, and writes the line.
///
/// `err` is the errno whose description is added after the text; 0: no
/// description.
pub fn end_stderr(line: &mut LineBuffer, end: usize, err: ngx_err_t) {
    let mut end = end;

    if err != 0 {
        end = log_format::explain(line, end, err);
    }

    let end = log_format::end(line, end);

    write_stderr(line.get(..end).unwrap_or_default());
}

fn write_stderr(line: &[u8]) {
    // An error is ignored, because there is no other place to report that
    // stderr is closed.
    let _ = fd::write(libc::STDERR_FILENO, line);
}
