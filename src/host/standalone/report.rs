//! Reports to the program how its start goes: the field `report` of the
//! configuration.

use std::ffi::{CStr, c_char, c_void};
use std::ptr;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicPtr, AtomicUsize};

use super::log_format::LineBuffer;
use super::types::ngx_core_conf_t;
use crate::config::ngx_uint_t;
use crate::log::Level;

type Report = unsafe extern "C" fn(ngx_uint_t, *const c_char, *mut c_void);

/// The function of the program as a pointer; NULL if it is not to be called.
static REPORT: AtomicPtr<c_void> = AtomicPtr::new(ptr::null_mut());
/// The argument `data` of the function.
static DATA: AtomicPtr<c_void> = AtomicPtr::new(ptr::null_mut());

/// The number of signal handlers that run now. One can interrupt another one.
static HANDLERS: AtomicUsize = AtomicUsize::new(0);

/// While a value of this type lives, [`line()`] reports nothing.
pub struct Paused(());

/// Pauses the reports in a signal handler, because the function of the program need not
/// be async-signal-safe.
pub fn pause() -> Paused {
    HANDLERS.fetch_add(1, Relaxed);

    Paused(())
}

impl Drop for Paused {
    fn drop(&mut self) {
        HANDLERS.fetch_sub(1, Relaxed);
    }
}

/// While a value of this type lives, [`line()`] reports lines.
pub struct Reporting(());

impl Reporting {
    /// Reports lines to the function of `conf`, if it has one.
    pub fn new(conf: &ngx_core_conf_t) -> Self {
        let report = conf.report.map_or(ptr::null_mut(), |f| f as *mut c_void);

        DATA.store(conf.report_data, Relaxed);
        REPORT.store(report, Relaxed);

        Self(())
    }

    /// Reports that the program is set up.
    pub fn started(self) {
        report(Level::Notice as ngx_uint_t, c"started");
    }
}

impl Drop for Reporting {
    fn drop(&mut self) {
        REPORT.store(ptr::null_mut(), Relaxed);
    }
}

/// Reports the line of a log whose text, with a newline at its end, is from `text`
/// to `end`. Lines that are less severe than "warn" are not reported.
pub fn line(line: &mut LineBuffer, text: usize, end: usize, level: ngx_uint_t) {
    let is_paused = || HANDLERS.load(Relaxed) != 0;

    if REPORT.load(Relaxed).is_null() || level > Level::Warn as ngx_uint_t || is_paused() {
        return;
    }

    let Some(newline) = end.checked_sub(1).filter(|&at| at >= text) else {
        return;
    };

    // C needs a NUL at the end of the text.
    let Some(byte) = line.get_mut(newline) else {
        return;
    };
    let before = std::mem::replace(byte, 0);
    let bytes = line.get(text..end).unwrap_or_default();

    report(level, CStr::from_bytes_until_nul(bytes).unwrap_or_default());

    if let Some(byte) = line.get_mut(newline) {
        *byte = before;
    }
}

fn report(level: ngx_uint_t, text: &CStr) {
    let function = REPORT.load(Relaxed);

    if function.is_null() {
        return;
    }

    // SAFETY: the pointer is not NULL, and `Reporting::new` has stored a function of
    // this type.
    let function: Report = unsafe { std::mem::transmute(function) };

    // SAFETY: the program has set the function to be called with `report_data` and a
    // string.
    unsafe { function(level, text.as_ptr(), DATA.load(Relaxed)) };
}
