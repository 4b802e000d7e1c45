//! Log lines of the core: nginx's levels, nginx's texts, the host's logger.
//!
//! Nothing here allocates or takes a lock, so that a signal handler and a
//! freshly forked child may log.

use std::fmt::{self, Write};

use nix::errno::Errno;

use crate::config::numbers;
use crate::status::Status;
use crate::sys::buffer::copy;
use crate::sys::log::RawLog;

/// The severity of a line, `NGX_LOG_EMERG` to `NGX_LOG_INFO`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(usize)]
pub enum Level {
    /// The program cannot go on.
    Emerg = numbers::NGX_LOG_EMERG as usize,
    /// Something that must never happen did.
    Alert = numbers::NGX_LOG_ALERT as usize,
    /// Critical.
    Crit = numbers::NGX_LOG_CRIT as usize,
    /// An error.
    Err = numbers::NGX_LOG_ERR as usize,
    /// A warning.
    Warn = numbers::NGX_LOG_WARN as usize,
    /// A normal event worth a line.
    Notice = numbers::NGX_LOG_NOTICE as usize,
    /// Detail.
    Info = numbers::NGX_LOG_INFO as usize,
}

/// `NGX_LOG_DEBUG`, the level of every debug line.
pub const DEBUG: usize = numbers::NGX_LOG_DEBUG as usize;

/// Which debug lines are wanted: the bits of `log_level` above the level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Debug {
    /// `NGX_LOG_DEBUG_CORE`.
    Core = numbers::NGX_LOG_DEBUG_CORE as usize,
    /// `NGX_LOG_DEBUG_EVENT`.
    Event = numbers::NGX_LOG_DEBUG_EVENT as usize,
}

/// `NGX_MAX_ERROR_STR`: a longer line is cut.
pub const MAX_ERROR_STR: usize = 2048;

/// The log that a C caller handed in; a NULL one swallows every line.
#[derive(Clone, Copy)]
pub struct Log(RawLog);

impl Log {
    /// The log behind a C `ngx_log_t *`.
    pub fn new(raw: RawLog) -> Self {
        Self(raw)
    }

    /// A line of `level`, with `err` explained behind it.
    pub fn error(self, level: Level, err: Option<Errno>, text: fmt::Arguments<'_>) {
        if self.0.level() >= level as usize {
            self.write(level as usize, err, text);
        }
    }

    /// A debug line, written if `mask` is among the log's debug bits.
    pub fn debug(self, mask: Debug, text: fmt::Arguments<'_>) {
        if self.0.debug_level() & mask as usize != 0 {
            self.write(DEBUG, None, text);
        }
    }

    /// A failed call, logged here and nowhere else.
    pub fn fail(self, level: Level, err: Errno, text: fmt::Arguments<'_>) -> Status {
        self.error(level, Some(err), text);

        Status::Error
    }

    /// A failed call on a non-blocking socket: `EAGAIN` is no error, nor is the
    /// `ETOOMANYREFS` of one who has too many descriptors on their way.
    /// An `EPIPE` has the level `if_gone`.
    pub fn again_or_fail(self, if_gone: Level, err: Errno, text: fmt::Arguments<'_>) -> Status {
        match err {
            Errno::EAGAIN | Errno::ETOOMANYREFS => Status::Again,
            Errno::EPIPE => self.fail(if_gone, err, text),
            _ => self.fail(Level::Alert, err, text),
        }
    }

    /// A misuse by the caller: there is no errno that would explain it.
    pub fn refuse(self, text: fmt::Arguments<'_>) -> Status {
        self.error(Level::Alert, None, text);

        Status::Error
    }

    #[cold]
    fn write(self, level: usize, err: Option<Errno>, text: fmt::Arguments<'_>) {
        let mut line = Line::new();

        // A line that does not fit is cut, as nginx cuts it.
        let _ = line.write_fmt(text);

        self.0
            .write(level, err.map_or(0, |e| e as i32), line.bytes());
    }
}

/// A text of bounded length on the stack.
struct Line {
    bytes: [u8; MAX_ERROR_STR],
    len: usize,
}

impl Line {
    fn new() -> Self {
        Self {
            bytes: [0; MAX_ERROR_STR],
            len: 0,
        }
    }

    fn bytes(&self) -> &[u8] {
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
