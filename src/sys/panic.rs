//! The end of a process that panics, or whose Rust standard library has no memory.
//!
//! `include/generator/merge.sh` calls these functions in place of those of the
//! standard library. The standard library would print a backtrace. Its code that
//! reads debug information would make each program some 170 KB larger.

use core::panic::PanicInfo;
use std::fmt;
use std::fs::File;
use std::io::Write as _;
use std::mem::ManuallyDrop;
use std::os::fd::FromRawFd as _;
use std::process::abort;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;

/// The descriptor of stderr. In a daemon of nginx it is the error log.
const STDERR: i32 = 2;

/// The size of the longest line without its newline. What is longer is cut off.
const LONGEST: usize = 1023;

/// Handles a panic, as `rust_begin_unwind()` of the standard library does.
///
/// The name does not begin with `ngx_`, so the static library does not export it.
#[unsafe(no_mangle)]
extern "Rust" fn rust_panicked(info: &PanicInfo<'_>) -> ! {
    die(format_args!("{info}"))
}

/// Handles a failed allocation, as `__rust_alloc_error_handler()` of the standard
/// library does.
#[unsafe(no_mangle)]
extern "Rust" fn rust_no_memory(size: usize, _align: usize) -> ! {
    die(format_args!("no memory for {size} bytes"))
}

/// Writes the message to stderr, and aborts the process. Async-signal-safe.
fn die(message: fmt::Arguments<'_>) -> ! {
    static CALLED: AtomicBool = AtomicBool::new(false);

    if CALLED.swap(true, Relaxed) {
        write(format_args!("the message of a panic has caused a panic"));
    } else {
        write(message);
    }

    abort()
}

/// Writes the message to stderr with one `write(2)`, so that the lines of several
/// processes do not mix.
fn write(message: fmt::Arguments<'_>) {
    let mut line = [b'\n'; LONGEST + 1];
    let [bytes @ .., _newline] = &mut line;
    let mut rest = bytes.as_mut_slice();
    let _ = write!(rest, "ngx_ipc: {message}");
    let len = LONGEST - rest.len() + 1;

    // SAFETY: nothing in this function closes the descriptor, because ManuallyDrop
    // never drops the file. The kernel refuses a descriptor that is not open.
    let mut stderr = ManuallyDrop::new(unsafe { File::from_raw_fd(STDERR) });
    let _ = stderr.write_all(line.get(..len).unwrap_or_default());
}
