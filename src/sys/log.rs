//! Handing a finished text to the host's logger.

use std::ffi::{c_char, c_int, c_void};
use std::ptr::NonNull;

unsafe extern "C" {
    fn ngx_log_error_core(level: usize, log: *mut c_void, err: c_int, fmt: *const c_char, ...);
}

#[cfg(not(feature = "standalone"))]
unsafe extern "C" {
    /// The debug bits that the host was built with: none, or all.
    safe static ngx_ipc_debug_levels: usize;
}

/// A `ngx_log_t *` of the host's; only its first member is known here.
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

    /// The log that swallows every line.
    pub fn none() -> Self {
        Self(None)
    }

    /// `log->log_level`.
    pub fn level(self) -> usize {
        self.0.map_or(0, |log| {
            // SAFETY: `from_ptr` was promised a host's ngx_log_t, and
            // `log_level` is its first member in every host (ABI.md).
            unsafe { log.cast::<usize>().read() }
        })
    }

    /// The debug bits of `log->log_level` that count.
    pub fn debug_level(self) -> usize {
        #[cfg(not(feature = "standalone"))]
        if ngx_ipc_debug_levels == 0 {
            return 0;
        }

        self.level()
    }

    /// Logs `text` with the host's own line format.
    pub fn write(self, level: usize, err: c_int, text: &[u8]) {
        let Some(log) = self.0 else { return };

        // SAFETY: `log` is a host's ngx_log_t (`from_ptr`); "%*s" takes a
        // size_t and a pointer to that many bytes, which `text` is.
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
