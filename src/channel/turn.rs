//! How many messages a process receives one after the other.

use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;

/// The largest number of messages that a process receives one after the other,
/// before it does other work. A channel has room for fewer messages, but other
/// processes can fill it as fast as this process reads it.
pub const TURN: usize = 512;

/// Counts the messages that a process receives one after the other, also those
/// that it drops.
pub struct Turn(AtomicUsize);

impl Turn {
    /// No message has been received.
    pub const fn start() -> Self {
        Self(AtomicUsize::new(0))
    }

    /// One message is counted, for a function that receives one message.
    pub const fn of_one_message() -> Self {
        Self(AtomicUsize::new(1))
    }

    /// Counts one more message. Returns `false` if [`TURN`] messages have been
    /// counted, so that the process must do other work now.
    pub fn take(&self) -> bool {
        let received = self.0.load(Relaxed);

        self.0.store(received + 1, Relaxed);

        received < TURN
    }

    /// Ends the turn: counts from 0 again.
    pub fn end(&self) {
        self.0.store(0, Relaxed);
    }
}
