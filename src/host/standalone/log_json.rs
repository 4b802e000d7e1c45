//! Log lines as JSON, RFC 8259: one object a line. Async-signal-safe.

use std::io::{self, Cursor, Write};

use super::log_format::level_name;
use super::times;
use crate::log::MAX_ERROR_STR;

/// The end of a line whose text is cut.
const CUT: &[u8] = b"...";
/// The end of each line.
const END: &[u8] = b"\"}\n";

/// The size of a buffer for each line: each byte of the text can become six bytes.
pub const LONGEST: usize = 6 * MAX_ERROR_STR + 256;

/// What a line says.
pub struct Entry<'a> {
    /// The level, such as `NGX_LOG_ERR`.
    pub level: usize,
    /// The process that logs.
    pub pid: i32,
    /// The thread that logs.
    pub tid: i32,
    /// The number of the connection that the line is about, or 0.
    pub connection: usize,
    /// The errno of the line, or 0.
    pub err: i32,
    /// The text. It can have any bytes.
    pub text: &'a [u8],
}

/// Writes a line to `out`. Returns its length.
pub fn compose(out: &mut [u8; LONGEST], entry: &Entry<'_>) -> usize {
    let mut to = Cursor::new(&mut out[..]);

    // `out` has room for each line.
    let _ = write_entry(&mut to, entry);

    usize::try_from(to.position()).unwrap_or_default()
}

fn write_entry(to: &mut Cursor<&mut [u8]>, entry: &Entry<'_>) -> io::Result<()> {
    to.write_all(b"{\"time\":\"")?;
    write_time(to)?;
    write!(
        to,
        "\",\"level\":\"{}\",\"pid\":{},\"tid\":{},",
        level_name(entry.level),
        entry.pid,
        entry.tid
    )?;

    if entry.connection != 0 {
        write!(to, "\"connection\":{},", entry.connection)?;
    }

    if entry.err != 0 {
        write!(to, "\"errno\":{},", entry.err)?;
    }

    to.write_all(b"\"text\":\"")?;
    write_text(to, entry.text)?;
    to.write_all(END)
}

/// Writes the time as RFC 3339 says, `2026-11-27T03:06:33.123+01:00`.
fn write_time(to: &mut impl Write) -> io::Result<()> {
    let times::Moment { text, msec, gmtoff } = times::moment();
    let [year, month, day, clock] =
        [0..4, 5..7, 8..10, 11..19].map(|part| text.get(part).unwrap_or_default());
    let sign = if gmtoff < 0 { '-' } else { '+' };
    let (hours, minutes) = (gmtoff.abs() / 60, gmtoff.abs() % 60);

    for (part, end) in [(year, b"-"), (month, b"-"), (day, b"T"), (clock, b".")] {
        to.write_all(part)?;
        to.write_all(end)?;
    }

    write!(to, "{msec:03}{sign}{hours:02}:{minutes:02}")
}

/// Writes a text as the contents of a string of JSON. Bytes that are not UTF-8 become
/// U+FFFD. A text that has no room is cut.
fn write_text(to: &mut Cursor<&mut [u8]>, text: &[u8]) -> io::Result<()> {
    for chunk in text.utf8_chunks() {
        let invalid = (!chunk.invalid().is_empty()).then_some(char::REPLACEMENT_CHARACTER);

        for letter in chunk.valid().chars().chain(invalid) {
            if room(to) < CUT.len() + END.len() + "\\u0000".len() {
                return to.write_all(CUT);
            }

            write_letter(to, letter)?;
        }
    }

    Ok(())
}

/// The number of bytes that can still be written.
fn room(to: &Cursor<&mut [u8]>) -> usize {
    let used = usize::try_from(to.position()).unwrap_or(usize::MAX);

    to.get_ref().len().saturating_sub(used)
}

fn write_letter(to: &mut impl Write, letter: char) -> io::Result<()> {
    match letter {
        '"' => to.write_all(b"\\\""),
        '\\' => to.write_all(b"\\\\"),
        '\n' => to.write_all(b"\\n"),
        '\r' => to.write_all(b"\\r"),
        '\t' => to.write_all(b"\\t"),
        '\0'..=' ' | '\u{7f}'..='\u{9f}' if letter != ' ' => {
            write!(to, "\\u{:04x}", u32::from(letter))
        }
        _ => to.write_all(letter.encode_utf8(&mut [0; 4]).as_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: &[u8], room: usize) -> String {
        let mut out = vec![0; room];
        let mut to = Cursor::new(&mut out[..]);

        write_text(&mut to, bytes).unwrap();

        let n = to.position() as usize;

        String::from_utf8(out[..n].to_vec()).unwrap()
    }

    #[test]
    fn texts_are_escaped() {
        assert_eq!(text(b"a \"b\" \\ c/", 99), "a \\\"b\\\" \\\\ c/");
        assert_eq!(
            text(b"\x00\x1f\n\r\t\x7f", 99),
            "\\u0000\\u001f\\n\\r\\t\\u007f"
        );
        assert_eq!(text("\u{85}é€😀".as_bytes(), 99), "\\u0085é€😀");
        assert_eq!(text(b"a\xff\xc3", 99), "a\u{fffd}\u{fffd}");
        assert_eq!(text(b"aaaaaaaaaa", 15), "aaaa...");
    }

    #[test]
    fn each_line_has_room() {
        let mut out = Box::new([0; LONGEST]);
        let entry = Entry {
            level: 4,
            pid: i32::MIN,
            tid: i32::MIN,
            connection: usize::MAX,
            err: i32::MIN,
            text: &[1; MAX_ERROR_STR],
        };
        let n = compose(&mut out, &entry);
        let line = std::str::from_utf8(&out[..n]).unwrap();

        assert!(line.starts_with("{\"time\":\"") && line.ends_with("\\u0001\"}\n"));
        assert_eq!(line.matches("\\u0001").count(), MAX_ERROR_STR);
        assert!(line.contains(",\"level\":\"error\",\"pid\":-2147483648,\"tid\":"));
    }
}
