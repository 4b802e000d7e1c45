//! The descriptions of errors.

use crate::config::ngx_err_t;
use crate::sys::errno;

/// The description of an errno; nginx's own text if the C library knows none.
///
/// Async-signal-safe.
pub fn describe(err: ngx_err_t) -> &'static [u8] {
    errno::describe(err).unwrap_or(b"Unknown error")
}
