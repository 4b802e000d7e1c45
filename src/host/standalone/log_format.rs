//! The format of a log line: `TIME [LEVEL] PID#0: *CONNECTION TEXT (ERRNO: WHY)`.

use std::io::{Cursor, Write};

use crate::log::MAX_ERROR_STR;
use crate::sys::errno;

/// A line that is being put together.
pub type LineBuffer = [u8; MAX_ERROR_STR];

/// The names of the levels, from `NGX_LOG_STDERR` to `NGX_LOG_DEBUG`.
const LEVELS: [&str; 9] = [
    "", "emerg", "alert", "crit", "error", "warn", "notice", "info", "debug",
];

/// How a line calls its level.
pub fn level_name(level: usize) -> &'static str {
    LEVELS.get(level).copied().unwrap_or_default()
}

/// Runs `write` on the bytes from `at` on; what does not fit is left out.
/// Returns the new position.
fn write_at(
    line: &mut [u8],
    at: usize,
    write: impl FnOnce(&mut Cursor<&mut [u8]>) -> std::io::Result<()>,
) -> usize {
    let mut cursor = Cursor::new(line.get_mut(at..).unwrap_or_default());

    // A line that does not fit is cut.
    let _ = write(&mut cursor);

    at + usize::try_from(cursor.position()).unwrap_or_default()
}

/// Writes what stands before the text; returns where the text begins.
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

/// nginx's text for an errno that nobody knows.
pub fn describe(err: i32) -> &'static [u8] {
    errno::describe(err).unwrap_or(b"Unknown error")
}

/// Room that is kept for the errno behind a long text.
const ERRNO_ROOM: usize = 50;

/// Writes ` (ERRNO: WHY)` at `at`; returns the position behind it.
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

/// Ends the line at `at`, within the buffer; returns its length.
pub fn end(line: &mut LineBuffer, at: usize) -> usize {
    let at = at.min(line.len() - 1);

    write_at(line, at, |out| out.write_all(b"\n"))
}

/// Turns a finished line into what the user sees on stderr,
/// `PROGRAM: [LEVEL] TEXT`, in place; `text` is where its text begins.
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
