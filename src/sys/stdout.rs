//! Rust's buffer of the standard output.

use std::io::{self, Write};

/// Writes what is left in the buffer: a line of `print!` without its end. As at the end
/// of main() in a Rust program, an error is ignored.
pub fn flush() {
    let _ = io::stdout().flush();
}
