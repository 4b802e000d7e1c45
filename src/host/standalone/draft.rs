//! [`Draft`], a copy of a configuration that the library and the program can
//! change. Each cycle is made of a draft.

use std::ffi::{CStr, c_char, c_void};
use std::ptr::NonNull;

use super::conf::Conf;
use super::types::ngx_core_conf_t;
use crate::config::NGX_ERROR;
use crate::host::sized;
use crate::log::{Level, Log};
use crate::status::Result;
use crate::sys::heap;

/// A configuration that no cycle uses yet, with its own array of addresses.
pub struct Draft {
    // Invariant: `conf` has an `ngx_core_conf_t` that keeps the invariant of
    // `Conf`, and room for the fields that only the program's headers have. The
    // field `listening` points to `addresses`, unless the program has changed
    // the field.
    conf: Memory,
    addresses: Memory,
    /// The texts of the configuration, if `copy_texts` has copied them.
    texts: Option<Memory>,
}

impl Draft {
    /// Makes a copy of `conf`. The copy points to the texts, modules and
    /// helpers of `conf`.
    ///
    /// Returns an error, with an emergency in `log`, if there is no memory.
    pub fn of(conf: Conf<'_>, log: Log) -> Result<Self> {
        let from = conf.listening();
        let mut draft = Self {
            conf: Memory::new(sized::for_both::<ngx_core_conf_t>(conf.size()), log)?,
            addresses: Memory::new(from.bytes(), log)?,
            texts: None,
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

        Ok(draft)
    }

    /// The configuration in its present state.
    pub fn conf(&self) -> Conf<'_> {
        // SAFETY: the memory has an `ngx_core_conf_t` that keeps the invariant
        // of `Conf` (the invariant of `Draft`).
        unsafe { Conf::from_ref(&*self.conf.0.as_ptr().cast()) }
    }

    /// Replaces all texts with copies, which live as long as the draft. The texts can
    /// be arguments of main(), which process titles overwrite.
    ///
    /// Returns an error, with an emergency in `log`, and changes nothing, if
    /// there is no memory.
    pub fn copy_texts(&mut self, log: Log) -> Result {
        let mut size = 0;

        self.change_texts(|text| {
            size += text.to_bytes_with_nul().len();
            text.as_ptr()
        });

        if size == 0 {
            return Ok(());
        }

        let mut memory = Memory::new(size, log)?;
        let mut to = memory.start().cast::<c_char>().as_ptr();

        self.change_texts(|text| {
            let text = text.to_bytes_with_nul();
            let copy = to;

            // SAFETY: the memory has room for all texts of the configuration.
            unsafe {
                copy.copy_from_nonoverlapping(text.as_ptr().cast(), text.len());
                to = to.add(text.len());
            }

            copy
        });

        self.texts = Some(memory);

        Ok(())
    }

    /// Calls `change` for each text that is not NULL, and replaces the text with
    /// the result.
    fn change_texts(&mut self, mut change: impl FnMut(&CStr) -> *const c_char) {
        let mut change = |text: &mut *const c_char| {
            if !text.is_null() {
                // SAFETY: a text of a `Draft` that is not NULL is a string.
                *text = change(unsafe { CStr::from_ptr(*text) });
            }
        };

        for listening in self.conf().listening().iter() {
            listening.change_texts(&mut change);
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
            &mut conf.version,
            &mut conf.zones_directory,
        ] {
            change(text);
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

/// Memory that is aligned for any type of C and is filled with zeros at first.
struct Memory(NonNull<c_void>);

impl Memory {
    fn new(size: usize, log: Log) -> Result<Self> {
        let memory = allocate(size, log)?;

        // SAFETY: the memory has `size` bytes.
        unsafe { memory.cast::<u8>().write_bytes(0, size) };

        Ok(Self(memory))
    }

    fn start(&mut self) -> NonNull<c_void> {
        self.0
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        // SAFETY: `new` has allocated the memory, and the `Draft` that used it is
        // dropped.
        unsafe { heap::free(self.0) };
    }
}

fn allocate(size: usize, log: Log) -> Result<NonNull<c_void>> {
    heap::allocate(size)
        .map_err(|err| log.fail(Level::Emerg, err, format_args!("malloc({size}) failed")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::standalone::conf::DEFAULTS;
    use crate::host::standalone::listening::{DEFAULTS as LISTENING, ngx_listening_t};
    use crate::sys::log::RawLog;

    /// A program can free the texts of its configuration.
    #[test]
    fn the_texts_of_addresses_are_copied() {
        let log = Log::new(RawLog::none());
        let texts = [c"80", c"user", c"group"].map(CStr::as_ptr);
        let [address, username, groupname] = texts;
        let mut listening = ngx_listening_t {
            address,
            username,
            groupname,
            ..LISTENING
        };
        let conf = ngx_core_conf_t {
            listening: &raw mut listening,
            listening_n: 1,
            ..DEFAULTS
        };
        // SAFETY: the array has one element, and the texts are strings.
        let mut draft = Draft::of(unsafe { Conf::from_ref(&conf) }, log).unwrap();

        draft.copy_texts(log).unwrap();

        let copy = draft.conf().listening().iter().next().unwrap().as_ptr();
        // SAFETY: the draft has one address, with all fields.
        let copy = unsafe { copy.read() };
        let copies = [copy.address, copy.username, copy.groupname];

        for (text, copy) in texts.into_iter().zip(copies) {
            assert_ne!(text, copy);
            // SAFETY: both are strings.
            unsafe { assert_eq!(CStr::from_ptr(text), CStr::from_ptr(copy)) };
        }

        // The array of the program has not changed.
        assert_eq!(
            [listening.address, listening.username, listening.groupname],
            texts
        );
    }
}
