//! C strings for log lines, and the name of the program.

use std::ffi::{CStr, OsStr, c_char};
use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::ptr;
use std::sync::OnceLock;
use std::sync::atomic::AtomicPtr;
use std::sync::atomic::Ordering::Relaxed;

use super::buffer::copy;

/// A NUL-terminated C string, or NULL, which is printed as `(null)`.
#[derive(Clone, Copy)]
pub struct Text(*const c_char);

impl Text {
    /// Makes a text from a C pointer.
    ///
    /// # Safety
    ///
    /// `text` is NULL, or a NUL-terminated string for as long as the result is
    /// used.
    pub unsafe fn from_ptr(text: *const c_char) -> Self {
        Self(text)
    }

    /// Makes a text from a constant of the library.
    pub const fn new(text: &'static CStr) -> Self {
        Self(text.as_ptr())
    }

    /// The C pointer to the text.
    pub fn as_ptr(self) -> *const c_char {
        self.0
    }

    /// The bytes before the NUL; `None` for NULL.
    pub fn bytes(&self) -> Option<&[u8]> {
        if self.0.is_null() {
            return None;
        }

        // SAFETY: the pointer is not NULL, so as `from_ptr` demands it points
        // to a NUL-terminated string.
        Some(unsafe { CStr::from_ptr(self.0) }.to_bytes())
    }

    /// The text as a path; `None` if the text is NULL or empty.
    pub fn path(&self) -> Option<&Path> {
        self.bytes()
            .filter(|bytes| !bytes.is_empty())
            .map(|bytes| Path::new(OsStr::from_bytes(bytes)))
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.bytes().unwrap_or(b"(null)");

        for chunk in bytes.utf8_chunks() {
            f.write_str(chunk.valid())?;

            if !chunk.invalid().is_empty() {
                f.write_str("\u{fffd}")?;
            }
        }

        Ok(())
    }
}

/// A [`Text`] in an atomic variable, which C code and signal handlers read too.
#[repr(transparent)]
pub struct AtomicText(AtomicPtr<c_char>);

impl AtomicText {
    /// A variable that stores NULL.
    pub const fn null() -> Self {
        Self(AtomicPtr::new(ptr::null_mut()))
    }

    /// The stored text. C code stores texts too, which are valid as
    /// [`Text::from_ptr`] demands.
    pub fn load(&self) -> Text {
        Text(self.0.load(Relaxed))
    }

    /// Stores a text.
    pub fn store(&self, text: Text) {
        self.0.store(text.0.cast_mut(), Relaxed);
    }
}

/// The size of the longest name of a file, `NAME_MAX` of `limits.h(0)`.
const NAME_MAX: usize = 255;

/// A copy of the program's name, and its length.
static PROGRAM: OnceLock<([u8; NAME_MAX], usize)> = OnceLock::new();

/// Copies the program's name to other memory, because a process title will
/// overwrite the string to which the C library points.
pub fn keep_program_name() {
    let mut name = [0; NAME_MAX];
    let len = copy(&mut name, c_program_name());
    let _ = PROGRAM.set((name, len));
}

/// The file name of this program, without the directory.
pub fn program_name() -> &'static [u8] {
    PROGRAM.get().map_or_else(c_program_name, |(name, len)| {
        name.get(..*len).unwrap_or_default()
    })
}

/// The name of the program from the C library,
/// `program_invocation_short_name(3)`.
fn c_program_name() -> &'static [u8] {
    unsafe extern "C" {
        static program_invocation_short_name: *const c_char;
    }

    // SAFETY: the C library sets the variable before main(), to a string that
    // lives as long as the process.
    let name = unsafe { Text::from_ptr(program_invocation_short_name) };

    // SAFETY: the string lives as long as the process, see above.
    name.bytes()
        .map_or(b"", |bytes| unsafe { &*std::ptr::from_ref(bytes) })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A text that is not UTF-8 is shown with a replacement character.
    #[test]
    fn texts_are_shown() {
        // SAFETY: NULL is allowed.
        let null = unsafe { Text::from_ptr(ptr::null()) };

        assert_eq!(null.to_string(), "(null)");
        assert_eq!((null.bytes(), null.path()), (None, None));
        assert_eq!(Text::new(c"").path(), None);
        assert_eq!(Text::new(c"a/b").path(), Some(Path::new("a/b")));
        assert_eq!(Text::new(c"a").to_string(), "a");
        assert_eq!(Text::new(c"a\xffb").to_string(), "a\u{fffd}b");
    }

    #[test]
    fn a_text_is_stored() {
        let text = AtomicText::null();

        assert_eq!(text.load().bytes(), None);
        text.store(Text::new(c"new"));
        assert_eq!(text.load().bytes(), Some(&b"new"[..]));
    }

    #[test]
    fn the_program_has_the_name_of_its_file() {
        let file = std::env::current_exe().unwrap();
        let name = file.file_name().unwrap().as_bytes();

        assert_eq!(program_name(), name);
        keep_program_name();
        assert_eq!(program_name(), name);
    }
}
