//! A copy of a configuration that may be changed. Each cycle is made of one.

use std::ffi::{CStr, c_char};
use std::ptr::NonNull;

use super::conf::Conf;
use super::types::{ngx_core_conf_t, ngx_listening_t};
use crate::config::NGX_ERROR;
use crate::host::sized;

/// A configuration that no cycle uses yet, with its own array of addresses.
pub struct Draft {
    // Invariant: `conf` is to an `ngx_core_conf_t` that keeps the invariant of
    // `Conf`, in memory that also has room for the program's. Its `listening`
    // points to `addresses`, unless the program has changed it.
    conf: Memory,
    addresses: Memory,
}

impl Draft {
    /// A copy of `conf`, with the same texts, modules and helpers.
    pub fn of(conf: Conf<'_>) -> Self {
        let from = conf.listening();
        let mut draft = Self {
            conf: Memory::new(sized::for_both::<ngx_core_conf_t>(conf.size())),
            addresses: Memory::new(from.bytes()),
        };

        // SAFETY: the new memory has as many bytes as the array, and is as long
        // in use as the draft.
        let addresses = unsafe { from.copy_to(draft.addresses.start().cast()) };

        // SAFETY: the new memory has at least the size of the structure.
        unsafe {
            draft.conf.start().cast().write(ngx_core_conf_t {
                listening: addresses.as_ptr(),
                ..conf.copy()
            });
        }

        draft
    }

    /// The configuration as it is now.
    pub fn conf(&self) -> Conf<'_> {
        // SAFETY: the invariant of `Draft`.
        unsafe { Conf::from_ref(&*self.conf.0.as_ptr().cast()) }
    }

    /// Makes copies of all texts, which are never freed: they may have been
    /// arguments of main(), which process titles overwrite.
    pub fn copy_texts(&mut self) {
        for listening in self.conf().listening().iter() {
            listening.change_address(copy_text);
        }

        // SAFETY: the invariant of `Draft`; it is borrowed for this function.
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

    /// Lets the program's `reconfigure` function, if it has one, change the
    /// configuration. Returns whether the function accepts it.
    pub fn reconfigure(&mut self) -> bool {
        let conf = self.conf.start().cast::<ngx_core_conf_t>();

        // SAFETY: the invariant of `Draft`.
        match unsafe { (*conf.as_ptr()).reconfigure } {
            // SAFETY: the program has set the function for this call, and
            // keeps the invariant of `Conf`. The memory has all its fields.
            Some(reconfigure) => unsafe { reconfigure(conf.as_ptr()) != NGX_ERROR },
            None => true,
        }
    }
}

/// Memory that is aligned for any structure here, filled with zeros.
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

/// Replaces a text of a configuration with a copy.
fn copy_text(text: &mut *const c_char) {
    if !text.is_null() {
        // SAFETY: a text of a `Draft` that is not NULL is a string.
        *text = unsafe { CStr::from_ptr(*text) }.to_owned().into_raw();
    }
}
