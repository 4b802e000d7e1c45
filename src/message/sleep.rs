//! When a receiver stops looking at a lane, when it may sleep, and when it reports
//! that a sender is down.

use std::mem::offset_of;
use std::sync::atomic::Ordering::{Acquire, SeqCst};

use super::event::Sender;
use super::in_lane::InLane;
use super::known::is_known;
use super::layout::{Bitmap, Class, Slot};
use super::member::Member;
use super::memory::Memory;
use super::receive::Incoming;

impl Incoming {
    /// Clears the bit of a lane, and looks at the lane once more. Returns whether
    /// the lane is empty.
    pub(super) fn retire<M: Memory>(&mut self, m: &Member<M>, class: Class, sender: u32) -> bool {
        self.side(class).active.remove(sender);

        if !m.has_slot(sender) {
            return true;
        }

        let (at, bit) = m.layout.bit(m.slot, Bitmap::Ready(class), sender);

        m.memory.clear_bits(at, bit);

        // The state is read before the last look at the lane: what a dead process
        // has sent is visible then.
        let (state, now) = m.state(sender);
        let Some(lane) = self.side(class).lanes.get_mut(sender) else {
            return true;
        };

        lane.forget_empty();

        if lane.has_more(m) {
            m.memory.set_bits(at, bit);
            self.side(class).active.add(sender);
            return false;
        }

        let up = self.senders.up(sender);

        if up != 0 && (now != up || !state.is_alive()) {
            self.senders.add_dead(sender);
        }

        true
    }

    /// Finds a sender that is dead and whose messages were all received.
    pub(super) fn find_down<M: Memory>(&mut self, m: &Member<M>) -> Option<Sender> {
        let mut from = 0;

        while let Some(slot) = self.senders.next_dead(from) {
            from = slot + 1;

            if self.is_drained(m, slot) {
                return Some(self.forget(m, slot));
            }
        }

        None
    }

    /// Whether both lanes of a dead sender are empty. Its bits may not be set
    /// yet, so this looks at the lanes.
    fn is_drained<M: Memory>(&mut self, m: &Member<M>, slot: u32) -> bool {
        for class in Class::ALL {
            let has_more = match self.side(class).lanes.get(slot) {
                Some(lane) => lane.has_more(m),
                None => is_known(&m.memory, &m.layout, m.from(class, slot)),
            };

            if has_more {
                self.side(class).active.add(slot);
            }

            if self.side(class).active.has(slot) {
                return false;
            }
        }

        true
    }

    /// Records that the process of a slot is down. Returns which one was up.
    pub(super) fn forget<M: Memory>(&mut self, m: &Member<M>, slot: u32) -> Sender {
        let down = self.senders.set_down(slot);
        let (state, present) = m.state(slot);

        // An overwritten `Mark` in one lane says that there is another process. The other
        // lane has no `Mark` any more that tells this process the truth.
        if state.is_alive() && present == down.incarnation {
            return down;
        }

        for side in &mut self.sides {
            if let Some(lane) = side.lanes.get_mut(slot)
                && lane.incarnation() == down.incarnation
            {
                lane.forget();
            }
        }

        down
    }

    /// Prepares to sleep. Returns true if nothing has arrived: then the process
    /// waits until its wake-up descriptor is readable, and calls
    /// [`Incoming::wake_up`]. Returns false if there is something to receive.
    pub fn prepare_sleep<M: Memory>(&mut self, m: &Member<M>) -> bool {
        self.finish(m);
        self.refresh(m);

        let mut is_idle = self.room.is_empty();

        for class in Class::ALL {
            let mut from = 0;

            while let Some(sender) = self.side(class).active.next(from) {
                from = sender + 1;
                is_idle &= self.load_and_retire(m, class, sender);
            }
        }

        if !is_idle || self.senders.has_dead() {
            return false;
        }

        let at = m.layout.slot(m.slot) + offset_of!(Slot, sleep);

        self.sleeps = self.sleeps.wrapping_add(2);
        m.memory.swap(at, self.sleeps);

        if self.has_bits(m) {
            self.wake_up(m);
            return false;
        }

        true
    }

    /// Does the same as `retire`, for a lane that this process may never have looked
    /// at: such a lane can have records.
    fn load_and_retire<M: Memory>(&mut self, m: &Member<M>, class: Class, sender: u32) -> bool {
        let side = self.side(class);
        let lane = side
            .lanes
            .load(sender, || Ok(InLane::load(m, m.from(class, sender))));

        // Without memory the process does not sleep: it tries again.
        if lane.is_err() && m.has_slot(sender) {
            return false;
        }

        self.retire(m, class, sender)
    }

    /// Ends a sleep, so that the senders no longer wake up this process.
    pub fn wake_up<M: Memory>(&self, m: &Member<M>) {
        let at = m.layout.slot(m.slot) + offset_of!(Slot, sleep);

        if m.memory.load(at, Acquire) & 1 != 0 {
            m.memory.swap(at, self.sleeps & !1);
        }
    }

    /// Whether a bit of a shared bitmap is set.
    pub(super) fn has_bits<M: Memory>(&self, m: &Member<M>) -> bool {
        let maps = [
            Bitmap::Ready(Class::Control),
            Bitmap::Ready(Class::Data),
            Bitmap::Room,
        ];

        (0..m.layout.words()).any(|word| {
            maps.iter()
                .map(|&map| {
                    m.memory
                        .load(m.layout.bitmap(m.slot, map) + word * 8, SeqCst)
                })
                .any(|bits| bits & m.layout.mask(word) != 0)
        })
    }
}
