//! Where a log writes its lines: a file, a syslog server, or a function of the program;
//! each of them as text or as JSON.
//!
//! All functions of this file are async-signal-safe, because signal handlers log.

use std::ffi::c_void;
use std::sync::atomic::Ordering::Relaxed;

use nix::errno::Errno;

use super::log::{ErrorLog, ngx_log_s, ngx_log_t, ngx_log_writer_pt};
use super::log_format::{self, LineBuffer};
use super::log_json::{self, Entry};
use super::syslog::Peer;
use super::times;
use super::variables::ngx_pid;
use crate::config::{ngx_err_t, ngx_fd_t, ngx_uint_t, u_char};
use crate::log::{Level, MAX_ERROR_STR};
use crate::sys::hook::Hook;
use crate::sys::{fd, process};

/// The output of a log that does not simply write its lines to a file or to a function.
/// The log has the writer of [`writer`], and the output as the writer's data.
pub struct Output {
    /// Whether the lines are JSON.
    pub json: bool,
    /// Where the lines go.
    pub target: Target,
}

/// Where the lines of an [`Output`] go.
#[allow(clippy::large_enum_variant)] // the value is in a pool, and is never moved
pub enum Target {
    /// The file of the log.
    File,
    /// A syslog server.
    Syslog(Peer),
    /// A function of the program, and its data.
    Writer(ngx_log_writer_pt, *mut c_void),
}

/// A finished line.
pub struct Finished<'a> {
    /// The buffer of the line.
    pub line: &'a mut LineBuffer,
    /// The length of the line, with the newline at its end.
    pub len: usize,
    /// The position of the text behind the time, the level and the pid.
    pub text: usize,
    /// The errno of the line, or 0.
    pub err: ngx_err_t,
    /// The level of the line.
    pub level: ngx_uint_t,
    /// The number of the connection that the line is about, or 0.
    pub connection: ngx_uint_t,
}

/// Writes a line to a log with an [`Output`], see [`write_output`]. The hook is set
/// before a log gets an output: many programs have no such log, and do without the code
/// for JSON and syslog.
static OUTPUTS: Hook<fn(ErrorLog, &mut Finished<'_>) -> Option<bool>> = Hook::new();

/// Writes a line to `log`. Returns whether the line is on stderr.
pub fn write(log: ErrorLog, finished: &mut Finished<'_>) -> bool {
    if let Some(on_stderr) = OUTPUTS.get().and_then(|write| write(log, finished)) {
        return on_stderr;
    }

    let Finished {
        line, len, level, ..
    } = finished;

    if log.call_writer(*level, &mut **line, *len) {
        return false;
    }

    write_file(log, line.get(..*len).unwrap_or_default())
}

/// Writes a line to the output of `log`. Returns whether the line is on stderr; `None`,
/// and writes nothing, if the log has no output.
fn write_output(log: ErrorLog, finished: &mut Finished<'_>) -> Option<bool> {
    Some(output_of(log)?.write(log, finished))
}

/// Prepares the library for logs with an [`Output`]. Returns the writer of such a log.
pub fn writer() -> ngx_log_writer_pt {
    OUTPUTS.set(&(write_output as fn(ErrorLog, &mut Finished<'_>) -> Option<bool>));
    Some(ngx_ipc_log_writer)
}

/// The output of `log`, if it has one.
pub fn output_of<'a>(log: ErrorLog) -> Option<&'a Output> {
    let (writer, data) = log.writer();

    if writer.map(|writer| writer as usize) != Some(ngx_ipc_log_writer as *const () as usize) {
        return None;
    }

    // SAFETY: a log with this writer was made in `log_conf.rs`, with an output in the pool
    // of the log's cycle, or is a copy of such a log. The pool lives as long as a log of
    // the cycle is used.
    unsafe { data.cast::<Output>().as_ref() }
}

/// Writes a line to the file of a log. If a write finds that the disk is full, the
/// function writes nothing more in that second, because each write to a full disk can
/// block for a long time. Returns whether the file is stderr.
fn write_file(log: ErrorLog, line: &[u8]) -> bool {
    let Some(fd) = log.file() else {
        return false;
    };
    let now = times::now();

    if log.disk_full_time() != now && fd::write(fd, line) == Err(Errno::ENOSPC) {
        log.set_disk_full_time(now);
    }

    fd == libc::STDERR_FILENO as ngx_fd_t
}

impl Output {
    fn write(&self, log: ErrorLog, finished: &mut Finished<'_>) -> bool {
        if self.json {
            return self.write_json(log, finished);
        }

        let Finished {
            line, len, level, ..
        } = finished;

        self.write_bytes(log, *level, line.get_mut(..*len).unwrap_or_default())
    }

    fn write_json(&self, log: ErrorLog, finished: &Finished<'_>) -> bool {
        let mut json = [0; log_json::LONGEST];
        let end = finished.len.saturating_sub(1);
        let entry = Entry {
            level: finished.level,
            pid: ngx_pid.load(Relaxed),
            tid: process::gettid(),
            connection: finished.connection,
            err: finished.err,
            text: finished.line.get(finished.text..end).unwrap_or_default(),
        };
        let n = log_json::compose(&mut json, &entry);

        self.write_bytes(log, finished.level, json.get_mut(..n).unwrap_or_default())
    }

    /// Writes `line`, which ends with a newline. Returns whether the line is on stderr.
    fn write_bytes(&self, log: ErrorLog, level: ngx_uint_t, line: &mut [u8]) -> bool {
        match &self.target {
            Target::File => write_file(log, line),
            Target::Syslog(peer) => {
                let lost = peer.send(level, line.strip_suffix(b"\n").unwrap_or(line));

                if lost != 0 {
                    self.report_lost(log, lost);
                }

                false
            }
            Target::Writer(writer, data) => {
                call_writer(log, *writer, *data, level, line);
                false
            }
        }
    }

    /// Sends a line that says how many lines the server did not get.
    fn report_lost(&self, log: ErrorLog, lost: usize) {
        let level = Level::Warn as ngx_uint_t;
        let mut line = [0; MAX_ERROR_STR];
        let time = times::err_log_time();
        let text = log_format::begin(&mut line, &time, level, ngx_pid.load(Relaxed), 0);
        let end = log_format::append(
            &mut line,
            text,
            format_args!("{lost} lines could not be sent to the syslog server"),
        );
        let len = log_format::end(&mut line, end);

        self.write(
            log,
            &mut Finished {
                line: &mut line,
                len,
                text,
                err: 0,
                level,
                connection: 0,
            },
        );
    }
}

/// Calls a function of the program with a log whose writer and data are those of the
/// program.
fn call_writer(
    log: ErrorLog,
    writer: ngx_log_writer_pt,
    data: *mut c_void,
    level: ngx_uint_t,
    line: &mut [u8],
) {
    let Some(writer) = writer else { return };

    // SAFETY: the pointer points to a live log (the invariant of `ErrorLog`). The program
    // has set the function to be called with a log and a line.
    unsafe {
        let mut own = ngx_log_s {
            writer: Some(writer),
            wdata: data,
            ..std::ptr::read(log.as_ptr())
        };

        writer(&raw mut own, level, line.as_mut_ptr(), line.len());
    }
}

/// The writer of a log with an [`Output`]. The library itself does not call it: it finds
/// the output with [`output_of`], because it knows more of a line than a writer.
///
/// # Safety
///
/// `log` is NULL or valid, and `len` bytes at `buf` are readable.
unsafe extern "C" fn ngx_ipc_log_writer(
    log: *mut ngx_log_t,
    level: ngx_uint_t,
    buf: *mut u_char,
    len: usize,
) {
    // SAFETY: C passes NULL or a valid log, and a line of `len` bytes.
    let (log, bytes) = unsafe {
        (
            ErrorLog::from_ptr(log),
            std::slice::from_raw_parts(buf, len),
        )
    };
    let mut line = [0; MAX_ERROR_STR];
    let len = crate::sys::buffer::copy(&mut line, bytes);

    if let Some(log) = log {
        let mut finished = Finished {
            line: &mut line,
            len,
            text: 0,
            err: 0,
            level,
            connection: 0,
        };

        write(log, &mut finished);
    }
}
