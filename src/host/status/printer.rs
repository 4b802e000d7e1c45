//! A function of the program that prints lines.

use std::ffi::{c_char, c_void};
use std::fmt::{self, Write};

use crate::log::MAX_ERROR_STR;
use crate::sys::buffer::copy;

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

    /// Prints a line, with a line feed behind it. A line that is longer than a line of a
    /// log is printed in several parts.
    pub fn line(&self, text: fmt::Arguments<'_>) {
        let mut part = Part {
            printer: self,
            bytes: [0; MAX_ERROR_STR],
            len: 0,
        };

        let _ = part.write_fmt(text);
        let _ = part.write_char('\n');
        part.print();
    }
}

/// The part of a line that is not printed yet. No memory is allocated for a long line.
struct Part<'a> {
    printer: &'a Printer,
    bytes: [u8; MAX_ERROR_STR],
    len: usize,
}

impl Part<'_> {
    fn print(&mut self) {
        let Printer { print, data } = *self.printer;
        let part = self.bytes.get(..self.len).unwrap_or_default();

        // SAFETY: the function can be called with `data` (the invariant of `Printer`),
        // and `part` has `part.len()` bytes.
        unsafe { print(data, part.as_ptr().cast(), part.len()) };
        self.len = 0;
    }
}

impl Write for Part<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut rest = text.as_bytes();

        while !rest.is_empty() {
            if self.len == self.bytes.len() {
                self.print();
            }

            let n = copy(self.bytes.get_mut(self.len..).unwrap_or_default(), rest);

            self.len += n;
            rest = rest.get(n..).unwrap_or_default();
        }

        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Adds the text of a call to the vector `data`.
    unsafe extern "C" fn add(data: *mut c_void, text: *const c_char, len: usize) {
        // SAFETY: `data` is the vector of `printed`, and `text` has `len` bytes.
        unsafe {
            let calls = &mut *data.cast::<Vec<String>>();
            let text = std::slice::from_raw_parts(text.cast::<u8>(), len);

            calls.push(str::from_utf8(text).unwrap().to_string());
        }
    }

    /// The texts of the calls that print a line.
    fn printed(text: &str) -> Vec<String> {
        let mut calls = Vec::new();

        // SAFETY: `add` can be called with a vector, which lives until the end of this
        // function.
        let printer = unsafe { Printer::new(Some(add), (&raw mut calls).cast()) }.unwrap();

        printer.line(format_args!("{text}"));
        calls
    }

    #[test]
    fn a_long_line_is_printed_in_parts() {
        for len in [
            0,
            1,
            MAX_ERROR_STR - 1,
            MAX_ERROR_STR,
            MAX_ERROR_STR + 1,
            10_000,
        ] {
            let text = "x".repeat(len);
            let calls = printed(&text);

            assert_eq!(calls.concat(), text + "\n");
            assert!(calls.iter().all(|call| call.len() <= MAX_ERROR_STR));
            assert_eq!(calls.len(), (len + 1).div_ceil(MAX_ERROR_STR));
        }
    }
}
