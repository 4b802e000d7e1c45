//! A copy of a configuration that may be changed. Each cycle is made of one.

use std::ffi::{CStr, c_char};

use super::conf::Conf;
use super::types::{ngx_core_conf_t, ngx_listening_t};
use crate::config::NGX_ERROR;

/// A configuration that no cycle uses yet, with its own array of addresses.
pub struct Draft {
    // Invariant: `conf` keeps the invariant of `Conf`. Its `listening` points
    // to the elements of `listening`, unless the program has changed it.
    conf: ngx_core_conf_t,
    listening: Vec<ngx_listening_t>,
}

impl Draft {
    /// A copy of `conf`, with the same texts, modules and helpers.
    pub fn of(conf: Conf<'_>) -> Self {
        let mut draft = Self {
            conf: conf.copy(),
            listening: conf.listening().to_vec(),
        };

        draft.conf.listening = draft.listening.as_mut_ptr();
        draft
    }

    /// The configuration as it is now.
    pub fn conf(&self) -> Conf<'_> {
        // SAFETY: the invariant of `Draft`.
        unsafe { Conf::from_ref(&self.conf) }
    }

    /// Makes copies of all texts, which are never freed: they may have been
    /// arguments of main(), which process titles overwrite.
    pub fn copy_texts(&mut self) {
        let conf = &mut self.conf;

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

        for listening in &mut self.listening {
            copy_text(&mut listening.address);
        }
    }

    /// Lets the program's `reconfigure` function, if it has one, change the
    /// configuration. Returns whether the function accepts it.
    pub fn reconfigure(&mut self) -> bool {
        match self.conf.reconfigure {
            // SAFETY: the program has set the function for this call, and
            // keeps the invariant of `Conf`.
            Some(reconfigure) => unsafe { reconfigure(&raw mut self.conf) != NGX_ERROR },
            None => true,
        }
    }
}

/// Replaces a text of a configuration with a copy.
fn copy_text(text: &mut *const c_char) {
    if !text.is_null() {
        // SAFETY: a text of a `Draft` that is not NULL is a string.
        *text = unsafe { CStr::from_ptr(*text) }.to_owned().into_raw();
    }
}
