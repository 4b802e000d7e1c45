//! Keeps copies of the arguments of main() in `ngx_argv`.

use std::ffi::{CStr, c_char, c_int};
use std::ptr;
use std::sync::atomic::Ordering::Relaxed;

use nix::errno::Errno;

use crate::host::globals::{ngx_argc, ngx_argv};
use crate::log::{Level, Log};
use crate::status::Result;
use crate::sys::heap;
use crate::sys::text::Text;

/// Stores copies of the arguments in `ngx_argv`, because process titles
/// overwrite the original arguments.
///
/// Returns an error, with an emergency in `log`, and changes nothing, if there
/// is no memory.
///
/// # Safety
///
/// `argv` is NULL or an array of `argc` strings.
pub unsafe fn save(argc: c_int, argv: *mut *mut c_char, log: Log) -> Result {
    if argv.is_null() {
        return Ok(());
    }

    let n = usize::try_from(argc).unwrap_or_default();
    // SAFETY: the caller passes an array of `argc` strings.
    let strings = || (0..n).map(|i| unsafe { CStr::from_ptr(*argv.add(i)) }.to_bytes_with_nul());
    let pointers = (n + 1) * size_of::<*mut c_char>();
    let size = pointers + strings().map(<[u8]>::len).sum::<usize>();

    let copies = heap::allocate(size)
        .map_err(|err: Errno| log.fail(Level::Emerg, err, format_args!("malloc({size}) failed")))?
        .cast::<*mut c_char>()
        .as_ptr();

    // SAFETY: the memory has room for `n` + 1 pointers, and for the strings
    // behind them.
    unsafe {
        let mut to = copies.byte_add(pointers).cast::<c_char>();

        for (i, string) in strings().enumerate() {
            to.copy_from_nonoverlapping(string.as_ptr().cast(), string.len());
            copies.add(i).write(to);
            to = to.add(string.len());
        }

        copies.add(n).write(ptr::null_mut());
    }

    ngx_argc.store(argc, Relaxed);
    ngx_argv.store(copies, Relaxed);

    Ok(())
}

/// The file that was executed to start this program: the first argument. The
/// text is NULL if the program has not set `ngx_argv`.
pub fn program() -> Text {
    let first = all().next().map_or(ptr::null(), CStr::as_ptr);

    // SAFETY: `first` is NULL or a string of `ngx_argv`, which lives as long as
    // the program.
    unsafe { Text::from_ptr(first) }
}

/// The arguments of main(), the name of the program first. Empty if the program
/// has not set `ngx_argv`.
pub fn all() -> impl Iterator<Item = &'static CStr> {
    let argv = ngx_argv.load(Relaxed);
    let n = if argv.is_null() { 0 } else { usize::MAX };

    (0..n)
        // SAFETY: `ngx_argv` is an array of strings that ends with NULL, as the
        // library or the program has set it, and nothing behind the NULL is
        // read.
        .map(move |i| unsafe { *argv.add(i) })
        .take_while(|arg| !arg.is_null())
        // SAFETY: `arg` is a string of `ngx_argv`, which lives as long as the
        // program.
        .map(|arg| unsafe { CStr::from_ptr(arg) })
}
