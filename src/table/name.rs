//! The name of a process, in memory that other processes read.
//!
//! The pointer to a name in `ngx_processes[]` is valid in the master only: another
//! process knows the names of the processes that the master had started before it,
//! and for those in other slots the name of an earlier process, or none. So the
//! master copies the name to the data that it publishes.

use std::ffi::c_char;
use std::ptr;
use std::sync::atomic::AtomicU8;
use std::sync::atomic::Ordering::Relaxed;

use crate::sys::shm::impl_share;
use crate::sys::text::Text;

/// The size of a name, including the NUL. A longer name is cut.
const SIZE: usize = 64;

/// A name, which always ends with a NUL: the last byte is never written. A process
/// that reads while the master writes can find a mixture of two names.
pub struct Name {
    bytes: [AtomicU8; SIZE],
}

impl_share!(Name { bytes });

impl Name {
    /// The empty name.
    pub const fn new() -> Self {
        Self {
            bytes: [const { AtomicU8::new(0) }; SIZE],
        }
    }

    /// Copies a text. NULL becomes the empty name.
    pub fn store(&self, text: Text) {
        let Some(bytes) = text.bytes() else {
            return self.store_byte(0, 0);
        };
        let len = bytes.len().min(SIZE - 1);

        for (at, &byte) in bytes.iter().take(len).enumerate() {
            self.store_byte(at, byte);
        }

        self.store_byte(len, 0);
    }

    /// Copies a name.
    pub fn copy(&self, from: &Self) {
        for (to, from) in self.bytes.iter().zip(&from.bytes) {
            let byte = from.load(Relaxed);

            to.store(byte, Relaxed);

            if byte == 0 {
                break;
            }
        }
    }

    fn store_byte(&self, at: usize, byte: u8) {
        if let Some(to) = self.bytes.get(at) {
            to.store(byte, Relaxed);
        }
    }

    /// Whether the name is empty.
    pub fn is_empty(&self) -> bool {
        self.as_ptr().is_null()
    }

    /// Whether the name is `text`, as far as it was kept.
    pub fn is(&self, text: Text) -> bool {
        let bytes = text.bytes().unwrap_or_default();
        let kept = bytes.iter().take(SIZE - 1).chain([&0]);

        kept.zip(&self.bytes)
            .all(|(&byte, own)| own.load(Relaxed) == byte)
    }

    /// The pointer to the name, for C; NULL if the name is empty.
    pub fn as_ptr(&self) -> *const c_char {
        match self.bytes.first() {
            Some(first) if first.load(Relaxed) != 0 => ptr::from_ref(first).cast(),
            _ => ptr::null(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(name: &Name) -> String {
        name.bytes
            .iter()
            .map(|byte| char::from(byte.load(Relaxed)))
            .take_while(|&byte| byte != '\0')
            .collect()
    }

    #[test]
    fn a_name_is_copied_and_cut() {
        let name = Name::new();
        let other = Name::new();

        assert!(name.as_ptr().is_null());
        name.store(Text::new(c"cache manager process"));
        assert_eq!(text(&name), "cache manager process");
        name.store(Text::new(c"worker"));
        assert_eq!(text(&name), "worker");
        other.copy(&name);
        assert_eq!(text(&other), "worker");

        name.store(Text::new(
            c"a name that is longer than the 64 bytes of which sixty-three are kept",
        ));
        assert_eq!(
            text(&name),
            "a name that is longer than the 64 bytes of which sixty-three ar"
        );
        assert!(!name.is_empty());
        assert!(other.is(Text::new(c"worker")) && !other.is(Text::new(c"worker ")));
        assert!(!other.is(Text::new(c"work")));
    }
}
