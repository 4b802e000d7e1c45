//! `ngx_errno.h`: texts of errors.

use std::slice;

use crate::config::{NGX_OK, ngx_err_t, ngx_int_t, u_char};
use crate::host::standalone::log_format::describe;

/// Writes at most `size` bytes of the description of `err`, without a NUL.
///
/// Returns the position behind the last byte. Async-signal-safe.
///
/// # Safety
///
/// `size` bytes at `errstr` are writable.
///
/// # References
///
/// `strerrordesc_np(3)`; nginx's `src/os/unix/ngx_errno.c`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ngx_strerror(
    err: ngx_err_t,
    errstr: *mut u_char,
    size: usize,
) -> *mut u_char {
    if errstr.is_null() {
        return errstr;
    }

    // SAFETY: promised by the caller; the bytes are written before any is
    // read.
    let out = unsafe { slice::from_raw_parts_mut(errstr, size) };
    let mut n = 0;

    for (to, &from) in out.iter_mut().zip(describe(err)) {
        *to = from;
        n += 1;
    }

    // SAFETY: `n` bytes have been written there.
    unsafe { errstr.add(n) }
}

/// Does nothing: the texts need no preparation. Returns NGX_OK.
#[unsafe(no_mangle)]
pub extern "C" fn ngx_strerror_init() -> ngx_int_t {
    NGX_OK
}
