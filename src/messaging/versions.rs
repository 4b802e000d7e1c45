//! Which version of the message that is kept this process has handled, for each
//! type. An older one that arrives later is dropped.

use super::board::MAX_TYPES;
use super::retained::is_old;

/// The versions, by the number of the type. 0: none.
#[derive(Clone, Debug)]
pub struct Versions([u32; MAX_TYPES as usize]);

impl Default for Versions {
    fn default() -> Self {
        Self([0; MAX_TYPES as usize])
    }
}

impl Versions {
    /// Keeps the version of a type that this process has sent itself.
    pub fn set(&mut self, number: u16, version: u32) {
        if let Some(entry) = self.0.get_mut(usize::from(number)) {
            *entry = version;
        }
    }

    /// Whether a version is newer than what was handled. It is kept then.
    pub fn is_new(&mut self, number: u16, version: u32) -> bool {
        let handled = self.0.get(usize::from(number)).copied().unwrap_or(0);

        if handled != 0 && is_old(version, handled) {
            return false;
        }

        self.set(number, version);
        true
    }
}
