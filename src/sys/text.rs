//! C strings: as texts for the log, and the name of the program.

use std::ffi::{CStr, OsStr, c_char};
use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::ptr;
use std::sync::OnceLock;
use std::sync::atomic::AtomicPtr;
use std::sync::atomic::Ordering::Relaxed;

/// A NUL-terminated string of C, or NULL, which is printed as `(null)`.
#[derive(Clone, Copy)]
pub struct Text(*const c_char);

impl Text {
    /// The text at `text`.
    ///
    /// # Safety
    ///
    /// `text` is NULL, or a NUL-terminated string for as long as the result is
    /// used.
    pub unsafe fn from_ptr(text: *const c_char) -> Self {
        Self(text)
    }

    /// A text of the library.
    pub const fn new(text: &'static CStr) -> Self {
        Self(text.as_ptr())
    }

    /// The pointer for C.
    pub fn as_ptr(self) -> *const c_char {
        self.0
    }

    /// The bytes before the NUL; `None` for NULL.
    pub fn bytes(&self) -> Option<&[u8]> {
        if self.0.is_null() {
            return None;
        }

        // SAFETY: it is not NULL, so `from_ptr` demands a NUL-terminated string.
        Some(unsafe { CStr::from_ptr(self.0) }.to_bytes())
    }

    /// The path that it is; `None` if it is NULL or empty.
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

/// A [`Text`] in memory that C and signal handlers read as well.
#[repr(transparent)]
pub struct AtomicText(AtomicPtr<c_char>);

impl AtomicText {
    /// NULL.
    pub const fn null() -> Self {
        Self(AtomicPtr::new(ptr::null_mut()))
    }

    /// The text that was stored. C may store texts too; they are valid for
    /// [`Text::from_ptr`].
    pub fn load(&self) -> Text {
        Text(self.0.load(Relaxed))
    }

    /// Stores a text.
    pub fn store(&self, text: Text) {
        self.0.store(text.0.cast_mut(), Relaxed);
    }
}

static PROGRAM: OnceLock<Vec<u8>> = OnceLock::new();

/// Copies the program's name, before a title overwrites that of the C library.
pub fn keep_program_name() {
    let _ = PROGRAM.set(c_program_name().to_vec());
}

/// The file name of this program, without the directory.
pub fn program_name() -> &'static [u8] {
    PROGRAM.get().map_or_else(c_program_name, Vec::as_slice)
}

/// The name that the C library has, `program_invocation_short_name(3)`.
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
