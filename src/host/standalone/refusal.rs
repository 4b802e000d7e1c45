//! Keeps the first log line that says why a reload is refused, for the status that the
//! service manager shows.

use super::log_format::LineBuffer;
use crate::config::ngx_uint_t;
use crate::log::Level;
use crate::sys::buffer::copy;
use crate::sys::lock::Lock;

/// The largest number of bytes of a line that are kept.
const LONGEST: usize = 512;

struct Kept {
    is_wanted: bool,
    text: [u8; LONGEST],
    len: usize,
}

static KEPT: Lock<Kept> = Lock::new(Kept {
    is_wanted: false,
    text: [0; LONGEST],
    len: 0,
});

/// Drops the kept line, and keeps the next one.
pub fn watch() {
    let mut kept = KEPT.lock();

    kept.is_wanted = true;
    kept.len = 0;
}

/// Keeps the line of a log whose text is from `text` to `end`, if it is an error and a
/// line is wanted. Async-signal-safe.
pub fn line(line: &LineBuffer, text: usize, end: usize, level: ngx_uint_t) {
    if level > Level::Err as ngx_uint_t {
        return;
    }

    // A signal handler can have interrupted a function of this file.
    let Some(mut kept) = KEPT.try_lock().filter(|kept| kept.is_wanted) else {
        return;
    };
    let bytes = line.get(text..end).unwrap_or_default().trim_ascii_end();

    kept.is_wanted = false;
    kept.len = copy(&mut kept.text, bytes);

    // In a message a newline begins the next variable.
    for byte in kept.text.iter_mut().filter(|byte| byte.is_ascii_control()) {
        *byte = b' ';
    }
}

/// Calls `use_text` with the kept line.
pub fn with(use_text: impl FnOnce(&str)) {
    let (text, len) = {
        let mut kept = KEPT.lock();

        kept.is_wanted = false;
        (kept.text, kept.len)
    };
    let text = text.get(..len).unwrap_or_default();

    // The end of a long line can be in the middle of a character.
    use_text(text.utf8_chunks().next().map_or("", |chunk| chunk.valid()));
}
