//! Texts in a string of JSON, or in a label or a line `# HELP` of Prometheus.

use std::ffi::c_char;
use std::fmt::{self, Write};

use crate::sys::text::Text;

/// A text in which a quotation mark and a backslash are escaped. Other bytes than
/// printable ASCII become "?", because the page must be valid UTF-8.
pub struct Escaped<'a>(pub &'a [u8]);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for &byte in self.0 {
            escape(f, byte)?;
        }

        Ok(())
    }
}

/// A string of C, escaped as [`Escaped`]. NULL is the empty text.
#[derive(Clone, Copy)]
pub struct EscapedText(pub Text);

impl fmt::Display for EscapedText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Escaped(self.0.bytes().unwrap_or_default()).fmt(f)
    }
}

/// An array of C with a text that ends with a zero byte, escaped as [`Escaped`].
pub struct EscapedArray<'a>(pub &'a [c_char]);

impl fmt::Display for EscapedArray<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for &byte in self.0.iter().take_while(|&&byte| byte != 0) {
            escape(f, byte as u8)?;
        }

        Ok(())
    }
}

/// The same text in a line `# HELP` of Prometheus, in which a quotation mark is not escaped.
pub struct Help(pub EscapedText);

impl fmt::Display for Help {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for &byte in self.0.0.bytes().unwrap_or_default() {
            match byte {
                b'"' => f.write_char('"')?,
                _ => escape(f, byte)?,
            }
        }

        Ok(())
    }
}

fn escape(f: &mut fmt::Formatter<'_>, byte: u8) -> fmt::Result {
    if matches!(byte, b'"' | b'\\') {
        f.write_char('\\')?;
    }

    f.write_char(match byte {
        b' '..=b'~' => char::from(byte),
        _ => '?',
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_escaped() {
        assert_eq!(Escaped(b"a\"b\\c\n\xff").to_string(), "a\\\"b\\\\c??");
        assert_eq!(
            EscapedArray(&b"a\"\0b".map(|byte| byte as c_char)).to_string(),
            "a\\\""
        );

        // SAFETY: the string lives as long as the program.
        let text = unsafe { Text::from_ptr(c"a\"b\\c".as_ptr()) };

        assert_eq!(Help(EscapedText(text)).to_string(), "a\"b\\\\c");
    }
}
