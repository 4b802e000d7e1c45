//! How much work a process has, as far as others can see.
//!
//! The library knows what waits in shared memory. It does not know what a program has
//! received and handles later, in a timer or in Lua. So the program counts these
//! messages, and each process has the number in its slot.

use std::mem::offset_of;
use std::sync::atomic::Ordering::Relaxed;

use super::exchange::Exchange;
use crate::message::layout::{Bitmap, Class, Slot};
use crate::message::memory::Memory;

impl<M: Memory + Clone, T> Exchange<M, T> {
    /// Adds to the number of messages that this process has received and not handled.
    /// The number does not become negative.
    pub fn add_unhandled(&mut self, n: i64) {
        self.unhandled = self.unhandled.saturating_add_signed(n);
        self.publish_unhandled();
    }

    /// Writes the number into the slot, also if another process has changed it there.
    pub(super) fn publish_unhandled(&self) {
        let member = self.endpoint.member();
        let at = member.layout.slot(member.slot) + offset_of!(Slot, unhandled);

        if member.memory.load(at, Relaxed) != self.unhandled {
            member.memory.store(at, self.unhandled, Relaxed);
        }
    }

    /// The number of messages that a process has not handled, as far as this process can
    /// see: the messages that this process has sent, those that the program of the other
    /// process counts, and one for each other sender whose messages wait. How many messages
    /// such a sender has sent is not known here.
    pub(super) fn unhandled_of(&self, slot: u32) -> u32 {
        let member = self.endpoint.member();
        let counted = member.layout.slot(slot) + offset_of!(Slot, unhandled);
        let counted = member.memory.load(counted, Relaxed);

        self.endpoint
            .unfinished(slot)
            .saturating_add(u32::try_from(counted).unwrap_or(u32::MAX))
            .saturating_add(self.other_senders(slot))
    }

    /// The number of other senders of whose messages a process has not received all, or has
    /// just received the last.
    fn other_senders(&self, slot: u32) -> u32 {
        let member = self.endpoint.member();
        let layout = &member.layout;
        let [control, data] =
            [Class::Control, Class::Data].map(|class| layout.bitmap(slot, Bitmap::Ready(class)));
        let ready = |word: usize| {
            let load = |bitmap: usize| member.memory.load(bitmap + word * 8, Relaxed);

            (load(control) | load(data)) & layout.mask(word) & !self.own_bit(word)
        };

        (0..layout.words())
            .map(|word| ready(word).count_ones())
            .sum()
    }

    /// The bit of this process in a word of a bitmap.
    fn own_bit(&self, word: usize) -> u64 {
        let slot = self.slot();

        if slot as usize / 64 == word {
            1 << (slot % 64)
        } else {
            0
        }
    }
}
