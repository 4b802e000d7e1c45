//! Describes errors in the words of the C library.

use crate::config::ngx_err_t;
use crate::sys::errno;

/// The description of the errno `err`; "Unknown error", as in nginx, if the C
/// library does not know `err`.
///
/// Async-signal-safe.
pub fn describe(err: ngx_err_t) -> &'static [u8] {
    errno::describe(err).unwrap_or(b"Unknown error")
}
