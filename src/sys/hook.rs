//! A function that a part of the library sets when a program begins to use the part.
//!
//! A program that never uses the part contains no reference to it. So the linker leaves
//! the part out of a static program, see `--gc-sections` in `ld(1)`.

use std::hint::black_box;
use std::ptr;
use std::sync::atomic::AtomicPtr;
use std::sync::atomic::Ordering::Relaxed;

/// Static data of a part of the library, such as its functions, once the program uses
/// the part.
///
/// [`get`](Self::get) is async-signal-safe: it is one load. The order `Relaxed` is
/// enough: the data is static and does not change, so a reader of the pointer sees it
/// whole.
pub struct Hook<T: Sync + 'static>(AtomicPtr<T>);

impl<T: Sync + 'static> Hook<T> {
    /// Makes a hook that is not set.
    #[allow(clippy::new_without_default)]
    pub const fn new() -> Self {
        Self(AtomicPtr::new(ptr::null_mut()))
    }

    /// Sets the hook. A second call replaces the data. A forked child inherits the hook.
    #[inline]
    pub fn set(&self, data: &'static T) {
        // If the compiler knew that a hook has only one value, `get` would become a test
        // of a flag and a reference to the part.
        let data = black_box(data);

        // A store would make the kernel copy the page in each child that uses the part.
        if self.0.load(Relaxed).cast_const() != ptr::from_ref(data) {
            self.0.store(ptr::from_ref(data).cast_mut(), Relaxed);
        }
    }

    /// The data; `None` if the program does not use the part.
    #[inline]
    pub fn get(&self) -> Option<&'static T> {
        // SAFETY: the pointer is NULL, or `set` has made it of a reference that lives for
        // ever, and nothing writes to the data, because it is shared.
        unsafe { self.0.load(Relaxed).as_ref() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hook_has_what_was_set_last() {
        static HOOK: Hook<fn() -> u32> = Hook::new();

        let call = || HOOK.get().map(|function| function());

        assert_eq!(call(), None);
        HOOK.set(&((|| 1) as fn() -> u32));
        assert_eq!(call(), Some(1));
        HOOK.set(&((|| 2) as fn() -> u32));
        assert_eq!(call(), Some(2));
    }
}
