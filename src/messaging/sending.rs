//! Sending: which process has an address, and what a record says.

use std::mem::offset_of;
use std::sync::atomic::Ordering::Relaxed;

use super::address::{self, Address, Sender, Set};
use super::exchange::Exchange;
use super::keys::{self, Claim};
use super::kind::{KEPT, KEYED, Kind, MILLISECOND, REPLY};
use super::retained;
use super::rows::Counter;
use crate::message::layout::{Class, Slot};
use crate::message::letter::{Letter, Refused, Reservation, Target};
use crate::message::memory::Memory;
use crate::message::peers::{Peer, State};

impl<M: Memory + Clone, T> Exchange<M, T> {
    /// Sends a copy of `payload` to one process.
    ///
    /// # Errors
    ///
    /// Those of `Endpoint::send`. [`Refused::Gone`] if no process has the
    /// address.
    pub fn send(&mut self, to: Address, kind: Kind, payload: &[u8]) -> Result<(), Refused> {
        self.used();

        let letter = letter(kind, 0);

        match to {
            Address::OneOf(set) => self.send_to_one(set, kind, payload),
            _ => {
                let target = self.target(to, kind.exact)?;

                self.post(target, letter, payload)
            }
        }
    }

    /// Makes room for a message to one process.
    pub fn reserve(&mut self, to: Address, kind: Kind, len: usize) -> Result<Reservation, Refused> {
        self.used();

        let target = self.target(to, kind.exact)?;
        let letter = self.time(letter(kind, 0));
        let reserved = self.endpoint.reserve(target, letter, len);

        if let Err(refused) = reserved {
            self.count_refused(letter, refused);
        }

        reserved
    }

    /// Sends a copy of `payload` to all processes of a set. Calls `missed` for
    /// each process to which it could not be sent. Returns to how many processes
    /// it was sent.
    pub fn broadcast(
        &mut self,
        set: Set,
        kind: Kind,
        payload: &[u8],
        mut missed: impl FnMut(Peer, Refused),
    ) -> Result<u32, Refused> {
        self.used();

        self.find_members(set);

        let user = if kind.retained {
            let version = self.keep(kind, payload)?;

            if self.members.iter().all(|peer| peer.slot != self.slot()) {
                self.versions.set(kind.number, version);
            }

            version | KEPT
        } else {
            0
        };
        let letter = self.time(letter(kind, user));
        let mut full = 0;
        let members = &self.members;
        let targets = members.iter().map(|peer| target_of(peer, kind.exact));
        let result = self
            .endpoint
            .broadcast(targets, letter, payload, |target, refused| {
                full += u64::from(refused == Refused::Again);

                if let Some(peer) = members.iter().find(|peer| peer.slot == target.slot) {
                    missed(*peer, refused);
                }
            });

        let mut count = |counter, n| self.counting.add(&self.board, kind.number, counter, n);

        count(Counter::Sent, result.sent.into());
        count(Counter::Refused, full);

        Ok(result.sent)
    }

    /// Sends a request to one process. Its outcome comes within `milliseconds`.
    /// Only the process that runs now gets it.
    pub fn request(
        &mut self,
        to: Address,
        kind: Kind,
        payload: &[u8],
        milliseconds: u64,
        data: T,
    ) -> Result<(), Refused> {
        self.used();

        let to = match to {
            Address::OneOf(set) => {
                self.find_idle_first(set);

                let peer = self.members.first().ok_or(Refused::Gone)?;

                Address::Process(peer.slot, peer.incarnation)
            }
            to => to,
        };
        let target = self.target(to, true)?;
        let incarnation = target.incarnation.ok_or(Refused::Gone)?;
        self.requests.reserve().map_err(|_| Refused::NoMemory)?;

        let number = self.requests.next_number();
        let deadline = self
            .now()
            .saturating_add(milliseconds.saturating_mul(MILLISECOND));

        self.post(target, letter(kind, number), payload)?;
        self.requests
            .add(number, (target.slot, incarnation), deadline, data);
        // The process can have died after its slot was read.
        self.look_again();

        Ok(())
    }

    /// Replies to the request `number` of a process.
    pub fn reply(
        &mut self,
        (slot, incarnation): (u32, u32),
        number: u32,
        class: Class,
        payload: &[u8],
    ) -> Result<(), Refused> {
        self.used();

        let target = Target {
            slot,
            incarnation: Some(incarnation),
        };
        let letter = Letter {
            class,
            message_type: REPLY,
            user: number,
            timed: false,
        };

        self.post(target, letter, payload)
    }

    fn send_to_one(&mut self, set: Set, kind: Kind, payload: &[u8]) -> Result<(), Refused> {
        let mut result = Err(Refused::Gone);

        self.find_idle_first(set);

        for at in 0..self.members.len() {
            let Some(&peer) = self.members.get(at) else {
                break;
            };
            let target = target_of(&peer, kind.exact);

            result = self.post(target, letter(kind, 0), payload);

            match result {
                Ok(()) => {
                    self.cursor = peer.slot;
                    return Ok(());
                }
                Err(Refused::TooLarge) => return result,
                Err(_) => {}
            }
        }

        result
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

    /// Sends a copy of `payload` to the process of a set that has the key. If the
    /// kind says so, and a message with this key waits, nothing is sent.
    pub fn send_by_key(
        &mut self,
        set: Set,
        key: &[u8],
        kind: Kind,
        payload: &[u8],
    ) -> Result<(), Refused> {
        self.used();

        // All types of messages with this key go to the same process.
        let place = keys::hash(&self.board, REPLY, key);

        self.find_members(set);

        let peer = address::choose(&self.members, place).ok_or(Refused::Gone)?;
        let target = target_of(&peer, kind.exact);

        // If the receiver dies, a message of an exact kind is lost, although its
        // entry says that it waits.
        if !kind.once || kind.exact {
            return self.post(target, letter(kind, 0), payload);
        }

        let hash = keys::hash(&self.board, kind.number, key);
        let endpoint = &self.endpoint;
        let own = (endpoint.member().slot, endpoint.member().incarnation);

        match keys::claim(&self.board, hash, own, |slot| endpoint.peer(slot)) {
            Claim::Waits => Ok(()),
            Claim::NoEntry => self.post(target, letter(kind, 0), payload),
            Claim::Entry(claimed) => {
                let letter = letter(kind, claimed.number() | KEYED);
                let sent = self.post(target, letter, payload);

                match sent {
                    Ok(()) => keys::sent(&self.board, claimed, (peer.slot, peer.incarnation)),
                    Err(_) => keys::refused(&self.board, claimed),
                }

                sent
            }
        }
    }

    /// Keeps a message for processes that come later. Returns its version.
    fn keep(&self, kind: Kind, payload: &[u8]) -> Result<u32, Refused> {
        if payload.len() > retained::LARGEST {
            return Err(Refused::TooLarge);
        }

        let endpoint = &self.endpoint;
        let own = (endpoint.member().slot, endpoint.member().incarnation);
        let peer = |slot| endpoint.peer(slot);

        retained::keep(&self.board, kind.number, own, payload, peer).ok_or(Refused::Again)
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

        let found = (0..self.slots())
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

        (0..self.slots())
            .filter_map(|slot| self.peer(slot))
            .find(is_it)
    }

    /// Fills `self.members` with the processes of a set. The vector has room for
    /// all slots, so no memory is allocated.
    fn find_members(&mut self, set: Set) {
        let own = Sender {
            slot: self.slot(),
            generation: self.generation,
            master: self.master,
        };
        let mut members = std::mem::take(&mut self.members);

        members.clear();

        for slot in 0..self.slots() {
            let peer = self.peer(slot);

            members.extend(peer.filter(|peer| set.has(peer, &own)));
        }

        self.members = members;
    }

    /// Fills `self.members` with the processes of a set, those that sleep first.
    /// Each call begins after the process that got the last message.
    fn find_idle_first(&mut self, set: Set) {
        self.find_members(set);

        let member = self.endpoint.member();
        let cursor = self.cursor;
        let is_busy = |peer: &Peer| {
            let at = member.layout.slot(peer.slot) + offset_of!(Slot, sleep);

            member.memory.load(at, Relaxed) & 1 == 0
        };

        self.members.sort_unstable_by_key(|peer| {
            (
                peer.state != State::Running,
                is_busy(peer),
                peer.slot <= cursor,
                peer.slot,
            )
        });
    }
}

fn letter(kind: Kind, user: u32) -> Letter {
    Letter {
        class: if kind.control {
            Class::Control
        } else {
            Class::Data
        },
        message_type: kind.number,
        user,
        timed: kind.timed,
    }
}

fn target_of(peer: &Peer, exact: bool) -> Target {
    Target {
        slot: peer.slot,
        incarnation: exact.then_some(peer.incarnation),
    }
}
