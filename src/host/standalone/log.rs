//! `ngx_log.h`: the logger. What takes `...` is in `csrc/ngx_log.c`.

pub use super::types::{
    ngx_log_handler_pt, ngx_log_s, ngx_log_t, ngx_log_writer_pt, ngx_open_file_s, ngx_open_file_t,
};
use std::cell::UnsafeCell;
use std::ffi::{CStr, OsStr, c_int};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::ptr;

use super::cycle::ngx_cycle_t;
use crate::config::{AtomicUint, ngx_err_t, ngx_fd_t, ngx_str_t, ngx_uint_t, u_char};
use crate::host::standalone::log_format;
use crate::log::MAX_ERROR_STR;
use crate::sys::{fd, text};

/// A longer line is cut.
pub const NGX_MAX_ERROR_STR: c_int = 2048;

const _: () = assert!(MAX_ERROR_STR == NGX_MAX_ERROR_STR as usize);

/// `NGX_LOG_NOTICE`.
const NOTICE: ngx_uint_t = 6;

/// The log that ngx_log_init() returns.
struct DefaultLog {
    log: UnsafeCell<ngx_log_s>,
    file: UnsafeCell<ngx_open_file_s>,
}

// SAFETY: handed to C by address only, and C keeps to one thread.
unsafe impl Sync for DefaultLog {}

static DEFAULT: DefaultLog = DefaultLog {
    log: UnsafeCell::new(ngx_log_s {
        log_level: NOTICE,
        file: ptr::null_mut(),
        connection: 0,
        disk_full_time: 0,
        handler: None,
        data: ptr::null_mut(),
        writer: None,
        wdata: ptr::null_mut(),
        action: ptr::null_mut(),
        next: ptr::null_mut(),
    }),
    file: UnsafeCell::new(ngx_open_file_s {
        fd: libc::STDERR_FILENO,
        name: ngx_str_t {
            len: 0,
            data: ptr::null_mut(),
        },
    }),
};

/// Whether warnings and worse go to stderr as well.
#[unsafe(no_mangle)]
pub static ngx_use_stderr: AtomicUint = AtomicUint::new(1);

/// Opens the program's log: the file `error_log`, under the folder `prefix`
/// unless it begins with a slash, or stderr if it is NULL or empty.
///
/// Returns the log, its level NGX_LOG_NOTICE. If the file cannot be opened a
/// line on stderr says so, and stderr is the log.
///
/// # Safety
///
/// `prefix` and `error_log` are NULL or strings.
///
/// # References
///
/// `open(2)`; nginx's `src/core/ngx_log.c`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_log_init(
    prefix: *mut u_char,
    error_log: *mut u_char,
) -> *mut ngx_log_t {
    // SAFETY: promised by the caller.
    let (prefix, name) = unsafe { (path_of(prefix), path_of(error_log)) };
    let fd = name.map_or(libc::STDERR_FILENO, |name| {
        open_log(&prefix.unwrap_or(Path::new("")).join(name))
    });

    // SAFETY: nobody else has these while the program starts.
    unsafe {
        (*DEFAULT.file.get()).fd = fd;
        (*DEFAULT.log.get()).file = DEFAULT.file.get();
    }

    DEFAULT.log.get()
}

/// Opens a log file; stderr, which is told why, if that fails.
pub fn open_log(path: &Path) -> ngx_fd_t {
    fd::open_append(path).unwrap_or_else(|err| {
        let err = err as ngx_err_t;
        let mut line = [0; MAX_ERROR_STR];
        let text = format!(
            "{}: [alert] could not open error log file: open() \"{}\" failed",
            String::from_utf8_lossy(text::program_name()),
            path.display(),
        );
        let n = text.len().min(line.len());

        for (to, from) in line.iter_mut().zip(text.bytes()) {
            *to = from;
        }

        let n = log_format::explain(&mut line, n, err);
        let n = log_format::end(&mut line, n);

        let _ = fd::write(libc::STDERR_FILENO, line.get(..n).unwrap_or_default());

        libc::STDERR_FILENO
    })
}

/// A path from C; `None` if it is NULL or empty.
///
/// # Safety
///
/// `path` is NULL or a string.
pub unsafe fn path_of<'a>(path: *const u_char) -> Option<&'a Path> {
    if path.is_null() {
        return None;
    }

    // SAFETY: promised by the caller.
    let bytes = unsafe { CStr::from_ptr(path.cast()) }.to_bytes();

    (!bytes.is_empty()).then(|| Path::new(OsStr::from_bytes(bytes)))
}

/// The descriptor of the file that a cycle logs to.
///
/// # Safety
///
/// `cycle` is NULL or valid, as is its log.
pub unsafe fn file_of(cycle: *const ngx_cycle_t) -> Option<ngx_fd_t> {
    // SAFETY: promised by the caller.
    unsafe {
        let log = ngx_log_get_file_log(cycle.as_ref()?.log).as_ref()?;

        log.file.as_ref().map(|file| file.fd)
    }
}

/// The first log from `head` on that has a file, or NULL.
///
/// # Safety
///
/// `head` is NULL or a valid log, as are those it is chained to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_log_get_file_log(head: *mut ngx_log_t) -> *mut ngx_log_t {
    let mut log = head;

    // SAFETY: promised by the caller.
    while let Some(this) = unsafe { log.as_ref() } {
        if !this.file.is_null() {
            return log;
        }

        log = this.next;
    }

    log
}

/// Writes ` (ERR: description)` at `buf`, or closer to its end at `last` if
/// there is not enough room; returns the position behind it.
///
/// # Safety
///
/// `buf` to `last` is writable, and 50 bytes before `last` are as well.
///
/// # References
///
/// nginx's `src/core/ngx_log.c`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_log_errno(
    buf: *mut u_char,
    last: *mut u_char,
    err: ngx_err_t,
) -> *mut u_char {
    // The text may begin before `buf`, where the line's end makes room.
    const BEFORE: usize = 50;

    let room = last.addr().saturating_sub(buf.addr());
    let back = BEFORE.saturating_sub(room);

    // SAFETY: promised by the caller.
    let line = unsafe { std::slice::from_raw_parts_mut(buf.sub(back), room + back) };
    let end = log_format::explain(line, back, err);

    // SAFETY: `end` lies within the line.
    unsafe { buf.sub(back).add(end) }
}
