//! The senders that were reported to this process: which of them run, and which are
//! dead.
//!
//! A sender has two lanes, and each of them says which incarnation sends. A start is
//! reported once for both lanes. A death is reported when neither lane has a message
//! of the dead process any more.

use nix::errno::Errno;

use super::bits::Bits;
use super::event::Sender;
use crate::sys::heap;

/// The senders that were reported to this process.
#[derive(Clone, Debug)]
pub struct Senders {
    /// For each slot the incarnation that is up; 0 if there is none.
    up: Vec<u32>,
    /// The slots whose process is dead, if its death was not reported yet.
    dead: Bits,
}

impl Senders {
    /// Begins without senders. Fails with `ENOMEM`.
    pub fn new(slots: u32, words: usize) -> Result<Self, Errno> {
        Ok(Self {
            up: heap::zeros(slots as usize)?,
            dead: Bits::new(words),
        })
    }

    /// The incarnation that is up in a slot; 0 if there is none.
    #[inline]
    pub fn up(&self, slot: u32) -> u32 {
        self.up.get(slot as usize).copied().unwrap_or(0)
    }

    /// Records that a process is up.
    pub fn set_up(&mut self, sender: Sender) {
        if let Some(up) = self.up.get_mut(sender.slot as usize) {
            *up = sender.incarnation;
        }
    }

    /// Records that the process of a slot is down. Returns which one was up.
    pub fn set_down(&mut self, slot: u32) -> Sender {
        let incarnation = self.up(slot);

        self.dead.remove(slot);
        self.set_up(Sender {
            slot,
            incarnation: 0,
        });

        Sender { slot, incarnation }
    }

    /// Records that the process of a slot is dead.
    pub fn add_dead(&mut self, slot: u32) {
        self.dead.add(slot);
    }

    /// Whether a death was not reported yet.
    pub fn has_dead(&self) -> bool {
        !self.dead.is_empty()
    }

    /// The first slot from `from` on whose process is dead.
    pub fn next_dead(&self, from: u32) -> Option<u32> {
        self.dead.next(from)
    }
}
