//! A function of the program that prints lines.

use std::ffi::{c_char, c_void};
use std::fmt::{self, Write};

use crate::log::Line;

type Function = unsafe extern "C" fn(data: *mut c_void, text: *const c_char, len: usize);

/// Prints a line, without the line feed at its end.
pub type Print<'a> = &'a dyn Fn(fmt::Arguments<'_>);

/// A function of the program that prints `len` bytes of text. `data` is the
/// argument of ngx_ipc_print_processes() or ngx_ipc_print_status().
pub type ngx_ipc_print_pt =
    Option<unsafe extern "C" fn(data: *mut c_void, text: *const c_char, len: usize)>;

/// A function of the program, and its argument.
///
/// Invariant: the function can be called with the argument.
#[derive(Clone, Copy)]
pub struct Printer {
    print: Function,
    data: *mut c_void,
}

impl Printer {
    /// Makes a handle; `None` if there is no function.
    ///
    /// # Safety
    ///
    /// `print` is NULL or can be called with `data` as long as the result is used.
    pub unsafe fn new(print: ngx_ipc_print_pt, data: *mut c_void) -> Option<Self> {
        print.map(|print| Self { print, data })
    }

    /// Prints a line, with a line feed behind it. A text that is longer than a line of a
    /// log is cut.
    pub fn line(&self, text: fmt::Arguments<'_>) {
        let mut line = Line::new();
        let _ = line.write_fmt(text);
        let line = line.end();

        // SAFETY: the function can be called with `data` (the type's invariant), and
        // `line` has `line.len()` bytes.
        unsafe { (self.print)(self.data, line.as_ptr().cast(), line.len()) };
    }
}
