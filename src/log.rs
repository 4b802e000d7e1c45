//! Log lines: nginx's levels and texts, written by the host's logger.
//!
//! The functions of this file allocate no memory and take no lock, because
//! signal handlers and children after fork() call them too.

use std::fmt::{self, Write};

use nix::errno::Errno;

use crate::config::numbers;
use crate::status::Status;
use crate::sys::buffer::copy;
use crate::sys::log::RawLog;

/// The level of a line, `NGX_LOG_EMERG` to `NGX_LOG_INFO`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(usize)]
pub enum Level {
    /// An emergency: the program cannot continue.
    Emerg = numbers::NGX_LOG_EMERG as usize,
    /// An alert: an operation failed that should never fail.
    Alert = numbers::NGX_LOG_ALERT as usize,
    /// A critical failure.
    Crit = numbers::NGX_LOG_CRIT as usize,
    /// An error.
    Err = numbers::NGX_LOG_ERR as usize,
    /// A warning.
    Warn = numbers::NGX_LOG_WARN as usize,
    /// A notice of a normal event.
    Notice = numbers::NGX_LOG_NOTICE as usize,
    /// Information of less importance.
    Info = numbers::NGX_LOG_INFO as usize,
}

/// `NGX_LOG_DEBUG`, the level of every debug line.
pub const DEBUG: usize = numbers::NGX_LOG_DEBUG as usize;

/// The kind of a debug line. Each kind is one bit of the log's `log_level`; a
/// log without the bit drops the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Debug {
    /// `NGX_LOG_DEBUG_CORE`.
    Core = numbers::NGX_LOG_DEBUG_CORE as usize,
    /// `NGX_LOG_DEBUG_EVENT`.
    Event = numbers::NGX_LOG_DEBUG_EVENT as usize,
}

/// The size of the longest line in bytes, `NGX_MAX_ERROR_STR`. A longer line is
/// cut.
pub const MAX_ERROR_STR: usize = 2048;

/// A handle for a C `ngx_log_t`. A handle of NULL drops all lines.
#[derive(Clone, Copy)]
pub struct Log(RawLog);

impl Log {
    /// Makes a handle from a C pointer.
    pub fn new(raw: RawLog) -> Self {
        Self(raw)
    }

    /// Whether a line at `level` is logged.
    pub fn has(self, level: Level) -> bool {
        self.0.level() >= level as usize
    }

    /// Logs the line `text` at `level`. If `err` is given, the line ends with
    /// the number and the text of `err`.
    pub fn error(self, level: Level, err: Option<Errno>, text: fmt::Arguments<'_>) {
        if self.has(level) {
            self.write(level as usize, err, text);
        }
    }

    /// Logs the debug line `text`, if the log's `log_level` has the bit `mask`.
    pub fn debug(self, mask: Debug, text: fmt::Arguments<'_>) {
        if self.0.debug_level() & mask as usize != 0 {
            self.write(DEBUG, None, text);
        }
    }

    /// Logs that a system call failed. Returns `Status::Error`, which tells the
    /// caller that the failure is in the log already.
    #[cold]
    #[inline(never)]
    pub fn fail(self, level: Level, err: Errno, text: fmt::Arguments<'_>) -> Status {
        self.error(level, Some(err), text);

        Status::Error
    }

    /// Logs that a system call on a non-blocking socket failed.
    ///
    /// For EAGAIN and ETOOMANYREFS the function logs nothing and returns
    /// `Status::Again`, because the call can succeed later. ETOOMANYREFS means
    /// that this user has sent too many descriptors that are not received yet,
    /// `unix(7)`. EPIPE is logged at the level `if_gone`, every other error as
    /// an alert.
    #[cold]
    #[inline(never)]
    pub fn again_or_fail(self, if_gone: Level, err: Errno, text: fmt::Arguments<'_>) -> Status {
        match err {
            Errno::EAGAIN | Errno::ETOOMANYREFS => Status::Again,
            Errno::EPIPE => self.fail(if_gone, err, text),
            _ => self.fail(Level::Alert, err, text),
        }
    }

    /// Logs an alert that has no errno, such as an alert about a wrong
    /// argument. Returns `Status::Error`.
    #[cold]
    #[inline(never)]
    pub fn refuse(self, text: fmt::Arguments<'_>) -> Status {
        self.error(Level::Alert, None, text);

        Status::Error
    }

    #[cold]
    fn write(self, level: usize, err: Option<Errno>, text: fmt::Arguments<'_>) {
        let mut line = Line::new();

        // write_fmt() returns an error if the line is too long. The line is cut
        // then, as nginx cuts it.
        let _ = line.write_fmt(text);

        self.0
            .write(level, err.map_or(0, |e| e as i32), line.bytes());
    }
}

/// A line of text on the stack. A text that is longer than `MAX_ERROR_STR` is
/// cut.
pub struct Line {
    bytes: [u8; MAX_ERROR_STR],
    len: usize,
}

impl Line {
    /// Makes an empty line.
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        Self {
            bytes: [0; MAX_ERROR_STR],
            len: 0,
        }
    }

    /// Ends the line with a line feed, in place of the last byte if the line is
    /// full. Returns the text.
    pub fn end(&mut self) -> &[u8] {
        self.len = self.len.min(MAX_ERROR_STR - 1);

        // The line has room for one more byte.
        let _ = self.write_char('\n');

        self.bytes()
    }

    /// The text.
    pub fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

impl Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let rest = self.bytes.get_mut(self.len..).unwrap_or_default();
        let n = copy(rest, text.as_bytes());

        self.len += n;

        if n == text.len() {
            Ok(())
        } else {
            Err(fmt::Error)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_cut_at_its_bound() {
        let mut line = Line::new();

        assert!(write!(line, "{:>width$}", "x", width = MAX_ERROR_STR).is_ok());
        assert!(write!(line, "y").is_err());
        assert_eq!(line.bytes().len(), MAX_ERROR_STR);
        assert_eq!(line.bytes().last(), Some(&b'x'));
    }

    #[test]
    fn eagain_is_not_an_error() {
        let log = Log::new(RawLog::none());

        assert_eq!(
            log.again_or_fail(Level::Alert, Errno::EAGAIN, format_args!("")),
            Status::Again
        );
        assert_eq!(
            log.again_or_fail(Level::Alert, Errno::EPIPE, format_args!("")),
            Status::Error
        );
        assert_eq!(
            log.fail(Level::Alert, Errno::EAGAIN, format_args!("")),
            Status::Error
        );
    }
}
