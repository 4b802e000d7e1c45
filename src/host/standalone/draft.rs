//! [`Draft`], a copy of a configuration that the library and the program can
//! change. Each cycle is made of a draft.

use std::ffi::{CStr, c_char};
use std::ptr::NonNull;

use super::conf::Conf;
use super::types::{ngx_core_conf_t, ngx_listening_t};
use crate::config::NGX_ERROR;
use crate::host::sized;

/// A configuration that no cycle uses yet, with its own array of addresses.
pub struct Draft {
    // Invariant: `conf` has an `ngx_core_conf_t` that keeps the invariant of
    // `Conf`, and room for the fields that only the program's headers have. The
    // field `listening` points to `addresses`, unless the program has changed
    // the field.
    conf: Memory,
    addresses: Memory,
}

impl Draft {
    /// Makes a copy of `conf`. The copy points to the texts, modules and
    /// helpers of `conf`.
    pub fn of(conf: Conf<'_>) -> Self {
        let from = conf.listening();
        let mut draft = Self {
            conf: Memory::new(sized::for_both::<ngx_core_conf_t>(conf.size())),
            addresses: Memory::new(from.bytes()),
        };

        // SAFETY: `draft.addresses` has as many bytes as the array, and lives
        // as long as the draft.
        let addresses = unsafe { from.copy_to(draft.addresses.start().cast()) };

        // SAFETY: `draft.conf` has at least the size of the structure.
        unsafe {
            draft.conf.start().cast().write(ngx_core_conf_t {
                listening: addresses.as_ptr(),
                ..conf.copy()
            });
        }

        draft
    }

    /// The configuration in its present state.
    pub fn conf(&self) -> Conf<'_> {
        // SAFETY: the memory has an `ngx_core_conf_t` that keeps the invariant
        // of `Conf` (the invariant of `Draft`).
        unsafe { Conf::from_ref(&*self.conf.0.as_ptr().cast()) }
    }

    /// Replaces all texts with copies, which are never freed. The texts can be
    /// arguments of main(), which process titles overwrite.
    pub fn copy_texts(&mut self) {
        for listening in self.conf().listening().iter() {
            listening.change_address(copy_text);
        }

        // SAFETY: the memory has an `ngx_core_conf_t` (the invariant of
        // `Draft`), and the draft is borrowed for this function alone.
        let conf: &mut ngx_core_conf_t = unsafe { self.conf.start().cast().as_mut() };

        for text in [
            &mut conf.username,
            &mut conf.groupname,
            &mut conf.working_directory,
            &mut conf.pid,
            &mut conf.error_log,
            &mut conf.name,
        ] {
            copy_text(text);
        }
    }

    /// Calls the program's function `reconfigure`, if there is one, to change
    /// the configuration. Returns whether the function has accepted the
    /// configuration.
    pub fn reconfigure(&mut self) -> bool {
        let conf = self.conf.start().cast::<ngx_core_conf_t>();

        // SAFETY: the memory has an `ngx_core_conf_t` that keeps the invariant
        // of `Conf` (the invariant of `Draft`).
        match unsafe { (*conf.as_ptr()).reconfigure } {
            // SAFETY: the program has set the function to be called with a
            // configuration that it can change, and the function keeps the
            // invariant of `Conf`.
            Some(reconfigure) => unsafe { reconfigure(conf.as_ptr()) != NGX_ERROR },
            None => true,
        }
    }
}

/// Memory that is aligned for the structures of this file and is filled with
/// zeros at first.
struct Memory(Vec<u64>);

const _: () = assert!(align_of::<ngx_core_conf_t>() <= align_of::<u64>());
const _: () = assert!(align_of::<ngx_listening_t>() <= align_of::<u64>());

impl Memory {
    fn new(size: usize) -> Self {
        Self(vec![0; size.div_ceil(size_of::<u64>())])
    }

    fn start(&mut self) -> NonNull<u64> {
        NonNull::from(self.0.as_mut_slice()).cast()
    }
}

/// Replaces `text`, a text of a configuration, with a copy. Does nothing if
/// `text` is NULL.
fn copy_text(text: &mut *const c_char) {
    if !text.is_null() {
        // SAFETY: a text of a `Draft` that is not NULL is a string.
        *text = unsafe { CStr::from_ptr(*text) }.to_owned().into_raw();
    }
}
