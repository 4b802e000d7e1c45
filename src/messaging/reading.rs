//! What a process reads of the others.

use super::exchange::Exchange;
use crate::message::identity::Identity;
use crate::message::memory::Memory;
use crate::message::peers::{Peer, State};

impl<M: Memory + Clone, T> Exchange<M, T> {
    /// Reads a slot; `None` if there is no such slot.
    ///
    /// The identity of a process never changes, so it is read once for each
    /// incarnation.
    #[inline]
    pub(super) fn read(&self, slot: u32) -> Option<Peer> {
        self.read_in(slot, self.state(slot)?)
    }

    #[inline]
    fn state(&self, slot: u32) -> Option<(State, u32)> {
        let member = self.endpoint.member();

        member.has_slot(slot).then(|| member.state(slot))
    }

    /// Reads a slot that has this state and this incarnation.
    #[inline]
    fn read_in(&self, slot: u32, (state, incarnation): (State, u32)) -> Option<Peer> {
        let known = self.known.borrow().get(slot).copied();

        match known {
            Some(peer) if peer.incarnation == incarnation => Some(Peer { state, ..peer }),
            _ => self.read_all(slot),
        }
    }

    #[cold]
    fn read_all(&self, slot: u32) -> Option<Peer> {
        let peer = self.endpoint.peer(slot)?;

        // Without memory the slot is read again.
        if !peer.identity.is_unknown()
            && let Ok(known) = self.known.borrow_mut().load(slot, || Ok(peer))
        {
            *known = peer;
        }

        Some(peer)
    }

    /// The process in a slot. `None` if no process of the slot gets what is sent
    /// now.
    #[inline]
    pub fn peer(&self, slot: u32) -> Option<Peer> {
        // Most slots have no process, and what they contain does not matter.
        let found = self
            .state(slot)
            .filter(|(state, _)| state.takes_messages())?;

        self.peer_in(slot, found)
    }

    /// The same for a slot that has this state and this incarnation. A function of its own,
    /// so that the look at the other slots is inlined.
    #[inline(never)]
    fn peer_in(&self, slot: u32, found: (State, u32)) -> Option<Peer> {
        let peer = self.read_in(slot, found);
        let peer = peer.filter(|peer| peer.state.takes_messages())?;

        if peer.state == State::Running && peer.identity.is_unknown() {
            self.endpoint.member().ask_for_identity(slot);
        }

        Some(peer)
    }

    /// The process `incarnation` of a slot, which can be dead.
    pub fn sender(&self, slot: u32, incarnation: u32) -> Peer {
        let unknown = Peer {
            slot,
            state: State::Vacant,
            incarnation,
            line: incarnation,
            identity: Identity::default(),
        };
        let is_of_line = |peer: &Peer| peer.lineage().has(incarnation);

        match self.read(slot).filter(is_of_line) {
            // A predecessor has the identity of its replacement.
            Some(peer) => Peer {
                incarnation,
                ..peer
            },
            None => unknown,
        }
    }
}
