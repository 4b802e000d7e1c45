//! Keeps copies of the arguments of main() in `ngx_argv`.

use std::ffi::{CStr, c_char, c_int};
use std::ptr;
use std::sync::atomic::Ordering::Relaxed;

use crate::host::globals::{ngx_argc, ngx_argv};
use crate::sys::text::Text;

/// Stores copies of the arguments in `ngx_argv`, because process titles
/// overwrite the original arguments.
///
/// # Safety
///
/// `argv` is NULL or an array of `argc` strings.
pub unsafe fn save(argc: c_int, argv: *mut *mut c_char) {
    if argv.is_null() {
        return;
    }

    let n = usize::try_from(argc).unwrap_or_default();
    let copies = (0..n)
        // SAFETY: `i` is less than `argc`, and the caller passes an array of
        // `argc` strings.
        .map(|i| unsafe { CStr::from_ptr(*argv.add(i)) })
        .map(|arg| arg.to_owned().into_raw())
        .chain([ptr::null_mut()])
        .collect::<Box<[_]>>();

    ngx_argc.store(argc, Relaxed);
    ngx_argv.store(Box::leak(copies).as_mut_ptr(), Relaxed);
}

/// The file that was executed to start this program: the first argument. The
/// text is NULL if the program has not set `ngx_argv`.
pub fn program() -> Text {
    // SAFETY: a text can be made of NULL.
    let unknown = unsafe { Text::from_ptr(ptr::null()) };

    all().into_iter().next().unwrap_or(unknown)
}

/// The arguments of main(), the name of the program first. Empty if the program
/// has not set `ngx_argv`.
pub fn all() -> Vec<Text> {
    let argv = ngx_argv.load(Relaxed);

    if argv.is_null() {
        return Vec::new();
    }

    (0..)
        // SAFETY: `ngx_argv` is an array of strings that ends with NULL, as the
        // library or the program has set it, and nothing behind the NULL is
        // read.
        .map(|i| unsafe { *argv.add(i) })
        .take_while(|arg| !arg.is_null())
        // SAFETY: `arg` is a string of `ngx_argv`, which lives as long as the
        // program.
        .map(|arg| unsafe { Text::from_ptr(arg) })
        .collect()
}
