//! The arguments of main(), `ngx_argv`.

use std::ffi::{CStr, c_char, c_int};
use std::ptr;
use std::sync::atomic::Ordering::Relaxed;

use crate::host::globals::{ngx_argc, ngx_argv};
use crate::sys::text::Text;

/// Stores copies of the arguments in `ngx_argv`: process titles take the place
/// of the original.
///
/// # Safety
///
/// `argv` is NULL or has `argc` strings.
pub unsafe fn save(argc: c_int, argv: *mut *mut c_char) {
    if argv.is_null() {
        return;
    }

    let n = usize::try_from(argc).unwrap_or_default();
    let copies = (0..n)
        // SAFETY: `argv` has `argc` strings, as this function demands.
        .map(|i| unsafe { CStr::from_ptr(*argv.add(i)) })
        .map(|arg| arg.to_owned().into_raw())
        .chain([ptr::null_mut()])
        .collect::<Box<[_]>>();

    ngx_argc.store(argc, Relaxed);
    ngx_argv.store(Box::leak(copies).as_mut_ptr(), Relaxed);
}

/// The file that was executed to start this program; a NULL text if the
/// program has not set `ngx_argv`.
pub fn program() -> Text {
    // SAFETY: NULL is a text.
    let unknown = unsafe { Text::from_ptr(ptr::null()) };

    all().into_iter().next().unwrap_or(unknown)
}

/// All arguments.
pub fn all() -> Vec<Text> {
    let argv = ngx_argv.load(Relaxed);

    if argv.is_null() {
        return Vec::new();
    }

    (0..)
        // SAFETY: the program sets `ngx_argv` to an array of strings that ends
        // with NULL; no element behind that is read.
        .map(|i| unsafe { *argv.add(i) })
        .take_while(|arg| !arg.is_null())
        // SAFETY: each is a string that lives as long as the program.
        .map(|arg| unsafe { Text::from_ptr(arg) })
        .collect()
}
