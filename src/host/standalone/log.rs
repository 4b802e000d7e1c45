//! [`ErrorLog`], a safe handle for C's `ngx_log_t`.

use std::ffi::c_void;
use std::ptr::{self, NonNull};

pub use super::types::ngx_open_file_s;
pub use super::types::{ngx_log_s, ngx_log_t, ngx_log_writer_pt};
use crate::config::{ngx_fd_t, ngx_uint_t};
use crate::log::Log;
use crate::sys::log::RawLog;

/// A log of the program. Lines of the log go to a file or to a function of the
/// program. More logs can follow in a list; these logs get the same lines.
///
/// [`Log`] writes lines to a log; this handle reads and changes the fields of a
/// log.
///
/// Invariant: the pointer points to a live `ngx_log_t` of this program. The log
/// stays at its address as long as a handle is used, and only one thread uses
/// the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ErrorLog(NonNull<ngx_log_s>);

impl ErrorLog {
    /// Makes a handle of C's pointer `log`; `None` if `log` is NULL.
    ///
    /// # Safety
    ///
    /// `log` is NULL or points to a log. The log, its file and the logs that
    /// follow it in the list stay alive as long as the result and its copies
    /// are used, in one thread.
    pub unsafe fn from_ptr(log: *mut ngx_log_t) -> Option<Self> {
        NonNull::new(log).map(Self)
    }

    /// The pointer to the log, for C.
    pub fn as_ptr(self) -> *mut ngx_log_t {
        self.0.as_ptr()
    }

    /// The pointer to `log`, for C; NULL if there is no log.
    pub fn optional_ptr(log: Option<Self>) -> *mut ngx_log_t {
        log.map_or(ptr::null_mut(), Self::as_ptr)
    }

    /// Returns the [`Log`] that writes lines to this log.
    pub fn log(self) -> Log {
        // SAFETY: the pointer points to a live log (the type's invariant).
        Log::new(unsafe { RawLog::from_ptr(self.0.as_ptr().cast()) })
    }

    /// Returns the [`Log`] that writes lines to `log`, or that drops lines if
    /// there is no log.
    pub fn log_of(log: Option<Self>) -> Log {
        log.map_or(Log::new(RawLog::none()), Self::log)
    }

    fn fields(&self) -> &ngx_log_s {
        // SAFETY: the pointer points to a live log (the type's invariant), and
        // the methods below drop this reference before they change the log or
        // call a function of the program, which can change the log.
        unsafe { self.0.as_ref() }
    }

    /// The level of the log, or the masks of the debug lines that it writes:
    /// `log_level`.
    pub fn level(self) -> ngx_uint_t {
        self.fields().log_level
    }

    /// The number of a connection, with which lines of the log begin; 0 if they
    /// begin with no number.
    pub fn connection(self) -> ngx_uint_t {
        self.fields().connection
    }

    /// The log that follows this log in the list.
    pub fn next(self) -> Option<Self> {
        NonNull::new(self.fields().next).map(Self)
    }

    /// Finds the first log of the list, from this log on, that has a file.
    pub fn first_with_file(self) -> Option<Self> {
        let mut log = Some(self);

        while let Some(this) = log
            && this.fields().file.is_null()
        {
            log = this.next();
        }

        log
    }

    /// The descriptor of the log's file, if the log has a file.
    pub fn file(self) -> Option<ngx_fd_t> {
        let file = self.fields().file;

        // SAFETY: the file is NULL or lives as long as the log, as `from_ptr`
        // requires.
        unsafe { file.as_ref() }.map(|file| file.fd)
    }

    /// Replaces the descriptor of the log's file. Returns the old descriptor;
    /// `None`, and changes nothing, if the log has no file.
    pub fn replace_file(self, fd: ngx_fd_t) -> Option<ngx_fd_t> {
        let file = self.fields().file;

        // SAFETY: the file is NULL or lives as long as the log, as `from_ptr`
        // requires.
        let file = unsafe { file.as_mut() }?;

        Some(std::mem::replace(&mut file.fd, fd))
    }

    /// The second in which a write to the log's file last failed because the
    /// disk was full.
    pub fn disk_full_time(self) -> libc::time_t {
        // SAFETY: the pointer points to a live log (the type's invariant). No
        // reference to the log is made, because a signal handler that logs can
        // change this field.
        unsafe { (*self.0.as_ptr()).disk_full_time }
    }

    /// Stores the second in which a write to the log's file failed because the
    /// disk was full.
    pub fn set_disk_full_time(self, sec: libc::time_t) {
        // SAFETY: the pointer points to a live log (the type's invariant). No
        // reference to the log is made, because a signal handler that logs can
        // read this field.
        unsafe { (*self.0.as_ptr()).disk_full_time = sec };
    }

    /// Calls the program's handler, if there is one, to add text to a line
    /// whose text ends at the position `end`. Returns the position at which the
    /// text ends afterwards. The handler can also make the text shorter.
    pub fn call_handler(self, line: &mut [u8], end: usize) -> usize {
        let Some(handler) = self.fields().handler else {
            return end;
        };

        let end = end.min(line.len());
        let start = line.as_mut_ptr();

        // SAFETY: `end` is a position in the line, and the program has set the
        // handler to be called with this log and the rest of the line.
        let new_end = unsafe { handler(self.0.as_ptr(), start.add(end), line.len() - end) };

        // A handler that returns no position in the line has added nothing.
        new_end.addr().checked_sub(start.addr()).unwrap_or(end)
    }

    /// The function that gets the lines in place of the file, and its data.
    pub fn writer(self) -> (ngx_log_writer_pt, *mut c_void) {
        let fields = self.fields();

        (fields.writer, fields.wdata)
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
