//! `ngx_errno.h`: the descriptions of errors.

use std::mem::MaybeUninit;
use std::slice;

use crate::config::{NGX_OK, ngx_err_t, ngx_int_t, u_char};
use crate::host::standalone::errno::describe;
use crate::sys::buffer::copy;

/// Writes the description of the errno `err` to `errstr`: at most `size` bytes,
/// without a NUL.
///
/// Returns the position after the last byte, or NULL if `errstr` is NULL. The
/// function is async-signal-safe.
///
/// # Safety
///
/// `errstr` is NULL, or `size` bytes at `errstr` are writable.
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

    // SAFETY: C passes a buffer of `size` writable bytes, which can be
    // uninitialised, and `copy` returns at most `size`.
    unsafe {
        let out = slice::from_raw_parts_mut(errstr.cast::<MaybeUninit<u8>>(), size);

        errstr.add(copy(out, describe(err)))
    }
}

/// Does nothing: the descriptions need no preparation. Returns NGX_OK.
#[unsafe(no_mangle)]
pub extern "C" fn ngx_strerror_init() -> ngx_int_t {
    NGX_OK
}
