//! In a master: the slots without a process at which it looks, see
//! [`leftover`](crate::message::leftover).

use nix::errno::Errno;

use super::counting::Counting;
use super::exchange::Exchange;
use super::keys;
use crate::message::bits::Bits;
use crate::message::leftover::Leftover;
use crate::message::memory::Memory;
use crate::message::peers::{Peer, State};
use crate::message::taken::Gap;

impl<M: Memory + Clone, T> Exchange<M, T> {
    /// Makes this process look at slots without a process, although it is no master: the
    /// processes of this region have a master that does not use it. A sender then finds out
    /// itself what became of a message that it has sent too late.
    pub fn look_at_vacant(&mut self) {
        self.looks_at_vacant = true;
    }

    /// Makes this master look soon at what waits in a slot without a process.
    pub fn add_vacant(&mut self, slot: u32) {
        self.vacant.add(slot);
        self.endpoint.member().wake(self.slot());
    }

    /// Does the same for all slots without a process.
    pub fn add_all_vacant(&mut self) {
        for slot in 0..self.slots() {
            if self.is_vacant(slot) {
                self.vacant.add(slot);
            }
        }

        self.endpoint.member().wake(self.slot());
    }

    /// Something was found to be done for a slot. In a master that can be a vacant slot
    /// to which a message was sent, see [`Member::wake`](crate::message::member::Member).
    pub(super) fn look_at(&mut self, slot: u32) {
        if self.looks_at_vacant && self.is_vacant(slot) {
            self.vacant.add(slot);
        }
    }

    /// Whether a slot has had a process, and has none now.
    fn is_vacant(&self, slot: u32) -> bool {
        let (state, incarnation) = self.endpoint.member().state(slot);

        state == State::Vacant && incarnation != 0
    }

    /// The slots at which this master must look. The caller looks at all of them.
    pub fn take_vacant(&mut self) -> Bits {
        let none = Bits::new(self.endpoint.member().layout.words());

        std::mem::replace(&mut self.vacant, none)
    }

    /// Claims a slot, to look at up to `most` records, see [`Leftover::claim`].
    pub fn claim_leftover(&self, slot: u32, most: u32) -> Result<Option<Leftover<M>>, Errno> {
        let m = self.endpoint.member();
        let claimed = Leftover::claim(m.memory.clone(), m.layout, slot, m.slot, most)?;

        if claimed.is_some() {
            keys::free_all(&self.board, slot);
        }

        Ok(claimed)
    }

    /// Counts what was lost in a slot that this master has claimed. Returns the sender.
    pub fn count_leftover(&mut self, slot: u32, gap: &Gap) -> Peer {
        // No other process counts in the row of a slot that is claimed.
        Counting::new(&self.board, slot).lost(&self.board, gap);

        self.sender(gap.sender, gap.incarnation)
    }

    /// Makes another process look at the slot that this process has just given back: a
    /// message can have arrived after it has looked for the last time. A process of the
    /// newest configuration exits last.
    pub fn pass_on_own_slot(&mut self) {
        let own = self.slot();
        let newest = (0..self.slots())
            .filter(|&slot| slot != own)
            .filter_map(|slot| self.endpoint.peer(slot))
            .filter(|peer| matches!(peer.state, State::Starting | State::Running))
            .max_by_key(|peer| peer.identity.generation);

        if let Some(peer) = newest {
            self.endpoint.member().tell_of_vacant(peer.slot, own);
        }
    }

    /// Before this master exits: makes other masters look at its slot, which is vacant
    /// now, and at the slots at which it has not looked.
    pub fn leave_vacant(&mut self) {
        let mut slots = self.take_vacant();

        slots.add(self.slot());

        for slot in slots.iter() {
            self.endpoint.member().tell_masters(slot);
        }
    }
}
