//! Finds the process that has an address, and chooses one of a set.

use std::mem::offset_of;
use std::sync::atomic::Ordering::Relaxed;

use super::address::{Address, Sender, Set};
use super::exchange::Exchange;
use crate::message::layout::Slot;
use crate::message::letter::{Load, Refused, Target};
use crate::message::memory::Memory;
use crate::message::peers::{Peer, State};

/// The rank of a process that was taken. No process has it.
const TAKEN: u64 = u64::MAX;

impl<M: Memory + Clone, T> Exchange<M, T> {
    /// Calls `attempt` with the process that has an address, and returns its result.
    ///
    /// For one process of a set: calls it with each process of the set, until it
    /// succeeds or fails for a reason that does not depend on the process. `exact`
    /// says whether only the process that runs now may get the message.
    ///
    /// # Errors
    ///
    /// Those of `attempt`. [`Refused::Gone`] if no process has the address.
    #[inline]
    pub fn for_address<R>(
        &mut self,
        to: Address,
        exact: bool,
        mut attempt: impl FnMut(&mut Self, Target) -> Result<R, Refused>,
    ) -> Result<R, Refused> {
        self.tick_soon();

        match to {
            Address::OneOf(set) => self.for_one_of(set, exact, attempt),
            _ => {
                let target = self.target(to, exact)?;

                attempt(self, target)
            }
        }
    }

    /// The address of the process of a set that has a key.
    ///
    /// # Errors
    ///
    /// [`Refused::Gone`] if the set has no process.
    pub fn address_of_key(&mut self, set: Set, key: &[u8]) -> Result<u64, Refused> {
        let peer = self.find_by_key(set, key)?;

        // The tables of two masters have different processes in a slot.
        Ok(if peer.identity.master == self.master {
            Address::of_place(peer.identity.place)
        } else {
            Address::of_process(peer.slot, peer.incarnation)
        })
    }

    /// How much of the memory of a process is in use.
    ///
    /// # Errors
    ///
    /// [`Refused::Gone`] if no process has the address.
    pub fn load_of(&mut self, to: Address) -> Result<Load, Refused> {
        let target = self.target(to, false)?;
        let is_there = self
            .peer(target.slot)
            .is_some_and(|peer| target.is_for(peer.incarnation));

        if is_there {
            Ok(self.endpoint.load_of(target.slot))
        } else {
            Err(Refused::Gone)
        }
    }

    /// Calls `attempt` with each process of a set, and `missed` with those for which
    /// it fails. Returns for how many it succeeds.
    pub fn for_each_of(
        &mut self,
        set: Set,
        exact: bool,
        mut missed: impl FnMut(Peer, Refused),
        mut attempt: impl FnMut(&mut Self, Target) -> Result<(), Refused>,
    ) -> u32 {
        let mut sent = 0;

        self.tick_soon();
        self.find_members(set);

        for index in 0..self.members.len() {
            let Some(&peer) = self.members.get(index) else {
                break;
            };

            match attempt(self, target_of(&peer, exact)) {
                Ok(()) => sent += 1,
                Err(refused) => missed(peer, refused),
            }
        }

        sent
    }

    fn for_one_of<R>(
        &mut self,
        set: Set,
        exact: bool,
        mut attempt: impl FnMut(&mut Self, Target) -> Result<R, Refused>,
    ) -> Result<R, Refused> {
        let mut refused = Refused::Gone;

        self.find_members(set);
        self.rank_members();

        while let Some(peer) = self.take_best() {
            match attempt(self, target_of(&peer, exact)) {
                Ok(result) => {
                    self.cursor = peer.slot;
                    return Ok(result);
                }
                Err(Refused::TooLarge) => return Err(Refused::TooLarge),
                // Later there can be room. The other reasons do not change.
                Err(Refused::Again) => refused = Refused::Again,
                Err(other) if refused != Refused::Again => refused = other,
                Err(_) => {}
            }
        }

        Err(refused)
    }

    fn target(&mut self, to: Address, exact: bool) -> Result<Target, Refused> {
        let peer = match to {
            Address::Worker(number) => self.worker(number),
            Address::Place(place) => self.process(place),
            Address::Process(slot, incarnation) => {
                return Ok(Target {
                    slot,
                    incarnation: Some(incarnation),
                });
            }
            Address::OneOf(_) => None,
        };

        peer.map(|peer| target_of(&peer, exact))
            .ok_or(Refused::Gone)
    }

    /// The worker with a number of this generation.
    fn worker(&mut self, number: u32) -> Option<Peer> {
        let is_it = |peer: &Peer| {
            // A single process has no generation.
            peer.identity.worker == Some(number)
                && peer.identity.master == self.master
                && (peer.identity.place.is_none() || peer.identity.generation == self.generation)
        };
        let cached = self.workers.get(number as usize).copied();

        if let Some(peer) = cached.and_then(|slot| self.peer(slot)).filter(is_it) {
            return Some(peer);
        }

        let found = self
            .used_slots()
            .filter_map(|slot| self.peer(slot))
            .find(is_it)?;

        if let Some(entry) = self.workers.get_mut(number as usize) {
            *entry = found.slot;
        }

        Some(found)
    }

    /// The process in a slot of the table of this process's master; `None`: the
    /// master. Without a cache: few programs use this address.
    fn process(&self, place: Option<u32>) -> Option<Peer> {
        let is_it =
            |peer: &Peer| peer.identity.master == self.master && peer.identity.place == place;

        if place.is_none() {
            return self.peer(self.master.0).filter(is_it);
        }

        self.used_slots()
            .filter_map(|slot| self.peer(slot))
            .find(is_it)
    }

    /// Fills `self.members` with the processes of a set. The vector has room for
    /// all slots, so no memory is allocated.
    pub(super) fn find_members(&mut self, set: Set) {
        let own = Sender {
            slot: self.slot(),
            generation: self.generation,
            master: self.master,
        };
        let mut members = std::mem::take(&mut self.members);

        members.clear();

        for slot in self.used_slots() {
            let Some(peer) = self.peer(slot) else {
                continue;
            };

            if set.has(&peer, &own) {
                members.push(peer);
            }
        }

        self.members = members;
    }

    /// Fills `self.ranks` with a number for each of `self.members`. The smallest one is the
    /// best: the process that has the fewest messages to handle, see
    /// [`unhandled_of`](Exchange::unhandled_of), and among several such processes one that
    /// sleeps. Equal ones take turns: the first one comes after the process that got the last
    /// message.
    ///
    /// A process that was stopped while it slept looks idle until it gets a message.
    fn rank_members(&mut self) {
        let mut ranks = std::mem::take(&mut self.ranks);
        let member = self.endpoint.member();
        let rank = |peer: &Peer| {
            let sleep = member.layout.slot(peer.slot) + offset_of!(Slot, sleep);
            let is_awake = member.memory.load(sleep, Relaxed) & 1 == 0;

            u64::from(peer.state != State::Running) << 63
                | u64::from(self.unhandled_of(peer.slot)) << 31
                | u64::from(is_awake) << 30
                | u64::from(peer.slot <= self.cursor) << 29
                | u64::from(peer.slot)
        };

        ranks.clear();
        ranks.extend(self.members.iter().map(rank));
        self.ranks = ranks;
    }

    /// The best of `self.members` that was not taken yet.
    fn take_best(&mut self) -> Option<Peer> {
        let ranks = self.ranks.iter_mut().zip(&self.members);
        let (rank, peer) = ranks.min_by_key(|(rank, _)| **rank)?;

        (std::mem::replace(rank, TAKEN) != TAKEN).then_some(*peer)
    }
}

/// The target of a message to a process. `exact` says whether only the process
/// that runs now may get it.
pub fn target_of(peer: &Peer, exact: bool) -> Target {
    Target {
        slot: peer.slot,
        incarnation: exact.then_some(peer.incarnation),
    }
}
