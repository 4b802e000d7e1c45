//! The handle of C's `ngx_log_t`.

use std::ptr::{self, NonNull};

pub use super::types::ngx_open_file_s;
pub use super::types::{ngx_log_s, ngx_log_t};
use crate::config::{ngx_fd_t, ngx_uint_t};
use crate::log::Log;
use crate::sys::log::RawLog;

/// A log of the program: a file, or a function that takes the lines, with a
/// level, and perhaps more logs behind it that get the same lines.
///
/// [`Log`] is for writing lines; this handle is for what the log is made of.
///
/// Invariant: the pointer is to a live `ngx_log_t` of this program. The log
/// stays where it is as long as a handle is used, and one thread uses it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ErrorLog(NonNull<ngx_log_s>);

impl ErrorLog {
    /// The handle of a log; `None` if `log` is NULL.
    ///
    /// # Safety
    ///
    /// `log` is NULL or points to a log that stays alive as long as the result
    /// and its copies are used, in one thread. The same holds for its file and
    /// for the logs behind it.
    pub unsafe fn from_ptr(log: *mut ngx_log_t) -> Option<Self> {
        NonNull::new(log).map(Self)
    }

    /// C's pointer.
    pub fn as_ptr(self) -> *mut ngx_log_t {
        self.0.as_ptr()
    }

    /// C's pointer to a log, NULL for `None`.
    pub fn optional_ptr(log: Option<Self>) -> *mut ngx_log_t {
        log.map_or(ptr::null_mut(), Self::as_ptr)
    }

    /// For writing lines.
    pub fn log(self) -> Log {
        // SAFETY: the pointer is to a live log (the type's invariant).
        Log::new(unsafe { RawLog::from_ptr(self.0.as_ptr().cast()) })
    }

    /// For writing lines to `log`; without a log the lines are dropped.
    pub fn log_of(log: Option<Self>) -> Log {
        log.map_or(Log::new(RawLog::none()), Self::log)
    }

    fn fields(&self) -> &ngx_log_s {
        // SAFETY: the pointer is to a live log (the type's invariant). The
        // methods below drop the reference before they change the log or call
        // a function of the program, which may change it.
        unsafe { self.0.as_ref() }
    }

    /// `log_level`: a level, or the bits of debug lines.
    pub fn level(self) -> ngx_uint_t {
        self.fields().log_level
    }

    /// The number of the connection that lines begin with; 0: none.
    pub fn connection(self) -> ngx_uint_t {
        self.fields().connection
    }

    /// The log behind this one.
    pub fn next(self) -> Option<Self> {
        NonNull::new(self.fields().next).map(Self)
    }

    /// This log, or the first one behind it that has a file.
    pub fn first_with_file(self) -> Option<Self> {
        let mut log = Some(self);

        while let Some(this) = log
            && this.fields().file.is_null()
        {
            log = this.next();
        }

        log
    }

    /// The descriptor of its file, if it has one.
    pub fn file(self) -> Option<ngx_fd_t> {
        let file = self.fields().file;

        // SAFETY: a log's file is NULL or lives as long as the log (`from_ptr`).
        unsafe { file.as_ref() }.map(|file| file.fd)
    }

    /// Replaces the descriptor of its file. Returns the old descriptor; `None`
    /// if it has no file, and then nothing is changed.
    pub fn replace_file(self, fd: ngx_fd_t) -> Option<ngx_fd_t> {
        let file = self.fields().file;

        // SAFETY: a log's file is NULL or lives as long as the log (`from_ptr`).
        let file = unsafe { file.as_mut() }?;

        Some(std::mem::replace(&mut file.fd, fd))
    }

    /// The second in which its disk was found full.
    pub fn disk_full_time(self) -> libc::time_t {
        // SAFETY: the pointer is to a live log (the type's invariant). No
        // reference: a signal handler that logs may change this field.
        unsafe { (*self.0.as_ptr()).disk_full_time }
    }

    /// Keeps the second in which its disk was found full.
    pub fn set_disk_full_time(self, sec: libc::time_t) {
        // SAFETY: as in `disk_full_time`.
        unsafe { (*self.0.as_ptr()).disk_full_time = sec };
    }

    /// Lets the program's handler, if there is one, add to a line whose text
    /// ends at `end`. Returns the position at which the text ends then; the
    /// handler may also cut the text.
    pub fn call_handler(self, line: &mut [u8], end: usize) -> usize {
        let Some(handler) = self.fields().handler else {
            return end;
        };

        let end = end.min(line.len());
        let start = line.as_mut_ptr();

        // SAFETY: `end` is a position in the line, and the program has set the
        // handler to be called with this log and a place for so many bytes.
        let new_end = unsafe { handler(self.0.as_ptr(), start.add(end), line.len() - end) };

        // A handler that returns no position in the line has added nothing.
        new_end.addr().checked_sub(start.addr()).unwrap_or(end)
    }

    /// Hands the first `len` bytes of `line` to the program's writer. Returns
    /// false, and does nothing, if there is no writer.
    pub fn call_writer(self, level: ngx_uint_t, line: &mut [u8], len: usize) -> bool {
        let Some(writer) = self.fields().writer else {
            return false;
        };

        // SAFETY: the program has set the writer to be called with this log
        // and a line; `line` has at least `len` bytes.
        unsafe {
            writer(
                self.0.as_ptr(),
                level,
                line.as_mut_ptr(),
                len.min(line.len()),
            )
        };

        true
    }
}

impl ngx_log_s {
    /// A log of `level` that writes to `file`.
    pub const fn new(level: ngx_uint_t, file: *mut ngx_open_file_s) -> Self {
        Self {
            log_level: level,
            file,
            connection: 0,
            disk_full_time: 0,
            handler: None,
            data: ptr::null_mut(),
            writer: None,
            wdata: ptr::null_mut(),
            action: ptr::null_mut(),
            next: ptr::null_mut(),
        }
    }
}
