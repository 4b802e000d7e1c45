//! Writing a line with the host's logger.

#[cfg(feature = "standalone")]
use std::ffi::c_char;
use std::ffi::{c_int, c_void};
use std::ptr::NonNull;

#[cfg(feature = "standalone")]
unsafe extern "C" {
    fn ngx_log_error_core(level: usize, log: *mut c_void, err: c_int, fmt: *const c_char, ...);
}

#[cfg(not(feature = "standalone"))]
unsafe extern "C" {
    /// 1 if nginx was built with NGX_DEBUG, else 0.
    safe static ngx_ipc_debug_levels: usize;

    /// Calls `ngx_log_error_core()`, whose parameters differ in relatives of
    /// nginx.
    fn ngx_ipc_log_line(level: usize, log: *mut c_void, err: c_int, len: usize, text: *const u8);
}

/// A pointer to a `ngx_log_t` of the host. This file reads only the first
/// member of the struct.
#[derive(Clone, Copy)]
pub struct RawLog(Option<NonNull<c_void>>);

impl RawLog {
    /// Wraps a C pointer.
    ///
    /// # Safety
    ///
    /// `log` is NULL or points to the host's `ngx_log_t` for as long as the
    /// result is used.
    pub unsafe fn from_ptr(log: *mut c_void) -> Self {
        Self(NonNull::new(log))
    }

    /// A log that drops all lines.
    pub fn none() -> Self {
        Self(None)
    }

    /// `log->log_level`.
    pub fn level(self) -> usize {
        self.0.map_or(0, |log| {
            // SAFETY: `from_ptr` demands a valid ngx_log_t. Its first member is
            // `log_level` in both hosts: `ngx_ipc_host.c` asserts that for
            // nginx.
            unsafe { log.cast::<usize>().read() }
        })
    }

    /// `log->log_level` for a test of its debug bits; 0 in an nginx that was
    /// built without NGX_DEBUG.
    pub fn debug_level(self) -> usize {
        #[cfg(not(feature = "standalone"))]
        if ngx_ipc_debug_levels == 0 {
            return 0;
        }

        self.level()
    }

    /// Logs `text`. The host adds the time, the level and the pid.
    pub fn write(self, level: usize, err: c_int, text: &[u8]) {
        let Some(log) = self.0 else { return };

        // SAFETY: `from_ptr` demands a valid ngx_log_t; `text` has `len` bytes.
        #[cfg(not(feature = "standalone"))]
        unsafe {
            ngx_ipc_log_line(level, log.as_ptr(), err, text.len(), text.as_ptr());
        }

        // SAFETY: `from_ptr` demands a valid ngx_log_t. The format "%*s" needs
        // a size_t and a pointer to that number of bytes, which are the length
        // and the bytes of `text`.
        #[cfg(feature = "standalone")]
        unsafe {
            ngx_log_error_core(
                level,
                log.as_ptr(),
                err,
                c"%*s".as_ptr(),
                text.len(),
                text.as_ptr(),
            );
        }
    }
}
