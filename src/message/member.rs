//! A process that uses the region: its slot, and how it wakes up the others.
//!
//! # How a sleeping receiver is woken up
//!
//! A sender commits a record, then looks at its bit in the receiver's bitmap. If
//! the bit is not set, it sets the bit, then looks whether the receiver sleeps,
//! and wakes it up. A receiver that wants to sleep clears the bits of its empty
//! lanes, then looks at these lanes once more; then it writes that it sleeps,
//! and then looks at the bitmaps once more.
//!
//! These accesses are sequentially consistent, so all processes see them in one
//! order. If the sender saw its bit set, the receiver cleared the bit later, and
//! saw the record afterwards. If the sender set the bit and saw that the
//! receiver does not sleep, the receiver wrote that it sleeps later, and saw the
//! bit afterwards. So in each order at least one of them sees what the other did.
//!
//! Each sender has a bit of its own. So a sender that is stopped between any
//! two of these steps delays its own messages only.

use std::mem::offset_of;
use std::sync::atomic::Ordering::SeqCst;

use super::identity::Identity;
use super::layout::{Bitmap, Class, Lane, Layout, Slot};
use super::memory::Memory;
use super::peers::{self, State};
use super::used;
use super::words::pair;

/// A process that uses the region.
#[derive(Clone, Debug)]
pub struct Member<M> {
    /// The shared memory.
    pub memory: M,
    /// The layout of the region.
    pub layout: Layout,
    /// The slot of this process.
    pub slot: u32,
    /// The incarnation of this process.
    pub incarnation: u32,
    /// The first incarnation whose messages this process takes over.
    pub line: u32,
    /// What this process is.
    pub identity: Identity,
}

impl<M: Memory> Member<M> {
    /// The lane in which this process sends to `receiver`.
    #[inline]
    pub fn to(&self, class: Class, receiver: u32) -> Lane {
        Lane {
            class,
            receiver,
            sender: self.slot,
        }
    }

    /// The lane in which this process receives from `sender`.
    #[inline]
    pub fn from(&self, class: Class, sender: u32) -> Lane {
        Lane {
            class,
            receiver: self.slot,
            sender,
        }
    }

    /// Whether the slot exists.
    #[inline]
    pub fn has_slot(&self, slot: u32) -> bool {
        slot < self.layout.sizes.slots
    }

    /// The state and the incarnation of a slot.
    #[inline]
    pub fn state(&self, slot: u32) -> (State, u32) {
        peers::state(&self.memory, &self.layout, slot)
    }

    /// Writes the state and the identity of this process again, if another
    /// process has changed them, and that its slot is used.
    pub fn assert_state(&self, state: State) {
        used::note(&self.memory, self.slot);

        let slot = self.layout.slot(self.slot);
        let state = (
            offset_of!(Slot, state),
            pair(state as u32, self.incarnation),
        );
        let words = self.identity.sealed_words(self.incarnation, self.line);

        for (field, value) in words.chain([state]) {
            if self.memory.load(slot + field, SeqCst) != value {
                self.memory.swap(slot + field, value);
            }
        }
    }

    /// Makes a process whose identity cannot be read write it again.
    #[cold]
    pub fn ask_for_identity(&self, slot: u32) {
        let (at, mask) = self.layout.bit(slot, Bitmap::Room, self.slot);

        if self.memory.load(at, SeqCst) & mask == 0 {
            self.memory.set_bits(at, mask);
            self.memory.ring(slot);
        }
    }

    /// Makes the receiver of a lane look at the lane, after a record has been
    /// committed there with a sequentially consistent access.
    #[inline]
    pub fn tell(&self, lane: Lane) {
        self.mark(lane.receiver, Bitmap::Ready(lane.class), lane.sender);
    }

    /// Sets the bit of `bit` in a bitmap of `slot`, and wakes up the process of
    /// the slot if the bit was not set and the process sleeps.
    #[inline]
    pub fn mark(&self, slot: u32, bitmap: Bitmap, bit: u32) {
        let (at, mask) = self.layout.bit(slot, bitmap, bit);

        if self.memory.load(at, SeqCst) & mask == 0 {
            self.memory.set_bits(at, mask);
            self.wake(slot);
        }
    }

    /// Wakes up the process of a slot if it sleeps. If the slot is vacant, the masters
    /// look at what waits there, see [`leftover`](super::leftover).
    #[cold]
    pub fn wake(&self, slot: u32) {
        let at = self.layout.slot(slot) + offset_of!(Slot, sleep);
        let sleep = self.memory.load(at, SeqCst);

        if sleep & 1 != 0 {
            if self.state(slot).0 == State::Vacant {
                self.tell_masters(slot);
            } else {
                self.memory.ring(slot);
            }

            // Other senders need not ring any more. This comes after the ring:
            // if this process is killed in between, others ring once more. A
            // later sleep has another number, so it is not disturbed.
            self.memory.replace(at, sleep, sleep & !1);
        }
    }

    /// Wakes up the process of a slot, if it runs and sleeps.
    pub fn wake_if_alive(&self, slot: u32) {
        if self.state(slot).0.is_alive() {
            self.wake(slot);
        }
    }

    /// Makes all masters look at a vacant slot. If no master uses the region, makes this
    /// process look.
    pub fn tell_masters(&self, vacant: u32) {
        let slots = 0..self.layout.sizes.slots;
        let mut masters = slots
            .filter(|&slot| peers::is_master(&self.memory, &self.layout, slot))
            .peekable();
        let instead = masters.peek().is_none().then_some(self.slot);

        for slot in masters.chain(instead) {
            self.tell_of_vacant(slot, vacant);
        }
    }

    /// Makes the process of a slot look at a vacant slot, if it looks at such slots.
    pub fn tell_of_vacant(&self, slot: u32, vacant: u32) {
        let (at, mask) = self.layout.bit(slot, Bitmap::Room, vacant);

        self.memory.set_bits(at, mask);
        self.memory.ring(slot);
    }
}
