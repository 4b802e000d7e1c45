//! The versions of kept messages that this process has handled, for each type. A
//! process drops an older version that arrives later.

use super::board::MAX_TYPES;
use super::retained::is_old;
use crate::message::event::Message;

/// The versions, by the number of the type. 0: none.
#[derive(Clone, Debug)]
pub struct Versions {
    handled: [u32; MAX_TYPES as usize],
    /// The versions that were seen in the board before all messages were received.
    seen: [u32; MAX_TYPES as usize],
    /// The message that was accepted last, and the version that was handled before.
    accepted: Option<(Message, u32)>,
}

impl Default for Versions {
    fn default() -> Self {
        Self {
            handled: [0; MAX_TYPES as usize],
            seen: [0; MAX_TYPES as usize],
            accepted: None,
        }
    }
}

impl Versions {
    /// Keeps the version of a type that this process has sent itself.
    pub fn set(&mut self, number: u16, version: u32) {
        if let Some(entry) = self.handled.get_mut(usize::from(number)) {
            *entry = version;
        }
    }

    /// Whether a version is newer than what was handled. It is kept then.
    pub fn is_new(&mut self, number: u16, version: u32) -> bool {
        let is_newer = self.is_newer(number, version);

        if is_newer {
            self.set(number, version);
        }

        is_newer
    }

    /// Whether the version of a message is newer than what was handled. It is kept
    /// then, until [`Versions::take_back`].
    pub fn accept(&mut self, message: &Message, version: u32) -> bool {
        let before = self.handled(message.message_type);
        let is_new = self.is_new(message.message_type, version);

        if is_new {
            self.accepted = Some((*message, before));
        }

        is_new
    }

    /// Forgets the version of a message that was accepted last and not handled. So the
    /// process gets the message that is kept when it registers the type. Does nothing
    /// for other messages.
    pub fn take_back(&mut self, message: &Message) {
        if let Some((accepted, before)) = self.accepted
            && accepted == *message
        {
            self.set(message.message_type, before);
        }
    }

    fn handled(&self, number: u16) -> u32 {
        self.handled.get(usize::from(number)).copied().unwrap_or(0)
    }

    /// Whether a version is newer than what was handled.
    pub fn is_newer(&self, number: u16, version: u32) -> bool {
        let handled = self.handled(number);

        version != 0 && (handled == 0 || !is_old(version, handled))
    }

    /// Keeps the version of a type that was seen in the board.
    pub fn see(&mut self, number: u16, version: u32) {
        if let Some(entry) = self.seen.get_mut(usize::from(number)) {
            *entry = version;
        }
    }

    /// The version of a type that was seen in the board; 0: none.
    pub fn seen(&self, number: u16) -> u32 {
        self.seen.get(usize::from(number)).copied().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_older_message_that_is_kept_is_dropped() {
        let mut versions = Versions::default();

        assert!(!versions.is_new(3, 0), "no message");
        assert!(versions.is_new(3, 5));
        assert!(!versions.is_new(3, 5), "the same message");
        assert!(!versions.is_new(3, 4), "an older message");
        assert!(versions.is_new(3, 6));
        assert!(versions.is_new(2, 1), "another type");
    }
}
