//! The texts of errors. Async-signal-safe.

use std::ffi::{CStr, c_char, c_int};

use nix::errno::Errno;

#[cfg(ngx_have_strerrordesc_np)]
unsafe extern "C" {
    safe fn strerrordesc_np(err: c_int) -> *const c_char;
}

/// The C library's text for the error `err`; `None` if the C library has no
/// text for `err`.
///
/// `strerrordesc_np(3)` is async-signal-safe. musl does not have this function,
/// but the `strerror(3)` of musl only returns constant strings, so it is
/// async-signal-safe too.
pub fn describe(err: c_int) -> Option<&'static [u8]> {
    #[cfg(ngx_have_strerrordesc_np)]
    let text = strerrordesc_np(err);

    #[cfg(not(ngx_have_strerrordesc_np))]
    // SAFETY: strerror() accepts any number.
    let text: *const c_char = unsafe { libc::strerror(err) };

    if text.is_null() {
        return None;
    }

    // SAFETY: a result that is not NULL is a constant string of the C library.
    Some(unsafe { CStr::from_ptr(text) }.to_bytes())
}

/// Sets `errno`, for a function of C whose result does not say why it failed.
pub fn set(err: Errno) {
    err.set();
}
