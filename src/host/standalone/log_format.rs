//! The format of a log line:
//! `TIME [LEVEL] PID#0: *CONNECTION TEXT (ERRNO: DESCRIPTION)`.
//!
//! In this file a position is an offset from the start of the line. Text that
//! does not fit into the line is cut.

use std::fmt;
use std::io::{Cursor, Write};

use super::errno::describe;
use crate::log::MAX_ERROR_STR;

/// The buffer in which a line is composed.
pub type LineBuffer = [u8; MAX_ERROR_STR];

/// The names of the levels, from `NGX_LOG_STDERR` to `NGX_LOG_DEBUG`.
const LEVELS: [&str; 9] = [
    "", "emerg", "alert", "crit", "error", "warn", "notice", "info", "debug",
];

/// The name of the level `level` in a line; empty if there is no such level.
pub fn level_name(level: usize) -> &'static str {
    LEVELS.get(level).copied().unwrap_or_default()
}

/// Calls `write` to write to the line from position `at` on. Returns the
/// position after the written bytes.
fn write_at(
    line: &mut [u8],
    at: usize,
    write: impl FnOnce(&mut Cursor<&mut [u8]>) -> std::io::Result<()>,
) -> usize {
    let mut cursor = Cursor::new(line.get_mut(at..).unwrap_or_default());

    // `write` fails only if the line is full. Then the text is cut.
    let _ = write(&mut cursor);

    at + usize::try_from(cursor.position()).unwrap_or_default()
}

/// Writes the part of a line that comes before the text: time, level, pid and
/// connection. Returns the position at which the text begins.
///
/// `pid` is the process that logs. `connection` is the number of the connection
/// that the line is about, or 0.
pub fn begin(
    line: &mut LineBuffer,
    time: &[u8],
    level: usize,
    pid: i32,
    connection: usize,
) -> usize {
    write_at(line, 0, |out| {
        out.write_all(time)?;
        write!(out, " [{}] {pid}#0: ", level_name(level))?;

        if connection != 0 {
            write!(out, "*{connection} ")?;
        }

        Ok(())
    })
}

/// Writes `text` at the position `at`. Returns the position after the text.
pub fn append(line: &mut LineBuffer, at: usize, text: fmt::Arguments<'_>) -> usize {
    write_at(line, at, |out| out.write_fmt(text))
}

/// The number of bytes at the end of a line that are kept for the errno: a long
/// text is cut there.
pub const ERRNO_ROOM: usize = 50;

/// Writes ` (ERRNO: DESCRIPTION)` at the position `at`, or [`ERRNO_ROOM`] bytes
/// before the end of the line if `at` is later. Returns the position after the
/// description.
pub fn explain(line: &mut [u8], at: usize, err: i32) -> usize {
    let latest = line.len().saturating_sub(ERRNO_ROOM);
    let at = if at > latest {
        write_at(line, latest, |out| out.write_all(b"..."))
    } else {
        at
    };

    write_at(line, at, |out| {
        write!(out, " ({err}: ")?;
        out.write_all(describe(err))?;
        out.write_all(b")")
    })
}

/// Writes the line feed at the position `at`, or as the last byte of a full
/// line. Returns the length of the line.
pub fn end(line: &mut LineBuffer, at: usize) -> usize {
    let at = at.min(line.len() - 1);

    write_at(line, at, |out| out.write_all(b"\n"))
}

/// Turns a line of the log into a line for stderr, `PROGRAM: [LEVEL] TEXT`, in
/// the same buffer. `text` is the position of the text, which does not move:
/// the new prefix ends there. Returns the position at which the line for stderr
/// begins.
pub fn for_console(line: &mut LineBuffer, text: usize, level: usize, program: &[u8]) -> usize {
    let program = program.get(..program.len().min(15)).unwrap_or_default();
    let prefix = program.len() + ": [] ".len() + level_name(level).len();
    let start = text.saturating_sub(prefix);

    write_at(line, start, |out| {
        out.write_all(program)?;
        write!(out, ": [{}] ", level_name(level))
    });

    start
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line() -> Box<LineBuffer> {
        Box::new([0; MAX_ERROR_STR])
    }

    #[test]
    fn prefix() {
        let mut line = line();
        let n = begin(&mut line, b"2026/11/24 06:00:00", 2, 17, 0);

        assert_eq!(&line[..n], b"2026/11/24 06:00:00 [alert] 17#0: ");

        let n = begin(&mut line, b"2026/11/24 06:00:00", 8, 17, 5);

        assert_eq!(&line[..n], b"2026/11/24 06:00:00 [debug] 17#0: *5 ");
    }

    #[test]
    fn errno() {
        let mut line = line();
        let n = explain(&mut line[..], 0, 11);

        assert_eq!(&line[..n], b" (11: Resource temporarily unavailable)");
    }

    #[test]
    fn a_long_text_leaves_room_for_the_errno() {
        let mut line = line();
        let n = explain(&mut line[..], MAX_ERROR_STR, 2);

        assert!(line[..n].ends_with(b"... (2: No such file or directory)"));
    }

    #[test]
    fn a_full_line_still_ends() {
        let mut line = line();

        assert_eq!(end(&mut line, MAX_ERROR_STR + 7), MAX_ERROR_STR);
        assert_eq!(line[MAX_ERROR_STR - 1], b'\n');
    }

    #[test]
    fn console() {
        let mut line = line();
        let text = begin(&mut line, b"2026/11/24 06:00:00", 2, 17, 0);

        line[text..text + 5].copy_from_slice(b"oops\n");
        let start = for_console(&mut line, text, 2, b"greet");

        assert_eq!(&line[start..text + 5], b"greet: [alert] oops\n");
    }
}
