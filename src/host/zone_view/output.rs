//! What the program writes.

use std::fmt::{self, Write};

use nix::errno::Errno;

use super::failure::{Failure, Result};
use super::find::Zone;
use crate::log::Line;
use crate::sys::fd;
use crate::sys::heap::Writer;

const STDOUT: i32 = 1;
const STDERR: i32 = 2;

/// Text for the standard output. It is written at the end, or when there is much of it.
pub struct Output {
    text: Writer,
    lines: usize,
}

/// The number of lines after which text is written.
const LINES: usize = 500;

impl Output {
    /// No text.
    pub fn new() -> Self {
        Self {
            text: Writer::new(),
            lines: 0,
        }
    }

    /// Adds a line.
    pub fn line(&mut self, text: fmt::Arguments<'_>) -> Result {
        writeln!(self.text, "{text}").or(Err(Failure::Memory))?;
        self.lines += 1;

        if self.lines < LINES {
            return Ok(());
        }

        self.flush()
    }

    /// Writes the text.
    pub fn flush(&mut self) -> Result {
        self.lines = 0;

        let text = std::mem::replace(&mut self.text, Writer::new());

        write_all(STDOUT, &text.into_bytes()).map_err(Failure::Write)
    }
}

/// Writes bytes to the standard output.
pub fn write_bytes(bytes: &[u8]) -> Result {
    write_all(STDOUT, bytes).map_err(Failure::Write)
}

/// Writes a line to the standard error output, with the name of the program.
pub fn complain(text: fmt::Arguments<'_>) {
    let mut line = Line::new();

    // A line that is too long is cut. If it cannot be written, nobody reads it.
    let _ = write!(line, "ngx-ipc-zone: {text}");
    let _ = write_all(STDERR, line.end());
}

fn write_all(to: i32, mut bytes: &[u8]) -> std::result::Result<(), Errno> {
    while !bytes.is_empty() {
        match fd::write(to, bytes) {
            Err(Errno::EINTR) => {}
            Err(err) => return Err(err),
            Ok(n) => bytes = bytes.get(n..).unwrap_or_default(),
        }
    }

    Ok(())
}

/// A name as it is shown. Bytes that a terminal could take for a command are shown as numbers.
pub struct Name<'a>(pub &'a [u8]);

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(name) = self;

        for chunk in name.utf8_chunks() {
            for letter in chunk.valid().chars() {
                if letter.is_control() || letter == '\\' {
                    write!(f, "\\u{{{:x}}}", u32::from(letter))?;
                } else {
                    f.write_char(letter)?;
                }
            }

            for byte in chunk.invalid() {
                write!(f, "\\x{byte:02x}")?;
            }
        }

        Ok(())
    }
}

/// The name of a zone, or its address if it has no name.
pub struct Title<'a>(pub &'a Zone<'a>);

impl fmt::Display for Title<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(zone) = self;

        if zone.name.is_empty() {
            write!(f, "{:#x}", zone.start)
        } else {
            write!(f, "{}", Name(&zone.name))
        }
    }
}

/// A space and an argument in quotes, or nothing if there is no argument.
pub struct Quoted<'a>(pub Option<&'a [u8]>);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(argument) => write!(f, " \"{}\"", Name(argument)),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_gets_no_commands() {
        let name = Name(b"one \x1b[2J\\ \xff\xc3\xa9");

        assert_eq!(name.to_string(), "one \\u{1b}[2J\\u{5c} \\xff\u{e9}");
    }
}
