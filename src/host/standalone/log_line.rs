//! Writes the lines of the error log. `csrc/ngx_log.c` formats the text of a
//! line, because stable Rust cannot define a function that takes `...`. This
//! file adds the parts before and after the text, and writes the line.
//!
//! All functions of this file are async-signal-safe, because signal handlers
//! log.

use std::sync::atomic::Ordering::Relaxed;

use super::log::ErrorLog;
use super::log_format::{self, LineBuffer};
use super::log_output::{self, Finished};
use super::variables::{ngx_pid, ngx_use_stderr};
use super::{refusal, report, times};
use crate::config::{ngx_err_t, ngx_uint_t, numbers};
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

    let mut finished = Finished {
        line: &mut *line,
        len: end,
        text,
        err,
        level,
        connection: log.connection(),
    };
    let on_stderr = write_chain(log, &mut finished);

    if ngx_use_stderr.load(Relaxed) == 0 || level > Level::Warn as usize || on_stderr {
        return;
    }

    let start = log_format::for_console(line, text, level, text::program_name());

    write_stderr(line.get(start..end).unwrap_or_default());
}

/// Writes a line to `log` and to the logs that follow it in the list. Stops at the
/// first log whose level is too low. Returns whether one of the logs has written to
/// stderr.
fn write_chain(log: ErrorLog, finished: &mut Finished<'_>) -> bool {
    let all = log.level() & DEBUG_CONNECTION != 0;
    let mut on_stderr = false;
    let mut next = Some(log);

    while let Some(log) = next
        && (all || log.level() >= finished.level)
    {
        on_stderr |= log_output::write(log, finished);

        // `next` is read after the call, because a writer can change the log.
        next = log.next();
    }

    on_stderr
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
