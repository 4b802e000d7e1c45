//! Sends to one process, to all of a set, and by key. `choosing` finds the process that
//! has an address.

use super::address::{self, Address, Set};
use super::choosing::target_of;
use super::exchange::Exchange;
use super::keys::{self, Claim};
use super::kind::{KEPT, KEYED, Kind, MILLISECOND, REPLY};
use super::rows::Counter;
use crate::message::layout::Class;
use crate::message::letter::{Letter, Refused, Reservation, Target};
use crate::message::memory::Memory;
use crate::message::peers::Peer;

impl<M: Memory + Clone, T> Exchange<M, T> {
    /// Sends a copy of `payload` to one process.
    ///
    /// # Errors
    ///
    /// Those of `Endpoint::send`. [`Refused::Gone`] if no process has the
    /// address.
    pub fn send(&mut self, to: Address, kind: Kind, payload: &[u8]) -> Result<(), Refused> {
        self.for_address(to, kind.exact, |this, target| {
            this.post(target, letter(kind, 0), payload)
        })
    }

    /// Makes room for a message to one process.
    pub fn reserve(&mut self, to: Address, kind: Kind, len: usize) -> Result<Reservation, Refused> {
        self.for_address(to, kind.exact, |this, target| {
            this.reserve_at(target, kind, len)
        })
    }

    /// Makes room for a message to the process of a slot.
    pub fn reserve_at(
        &mut self,
        target: Target,
        kind: Kind,
        len: usize,
    ) -> Result<Reservation, Refused> {
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
        self.tick_soon();

        // A process that starts meanwhile finds the message, or is in the set.
        let version = match kind.retained {
            true => Some(self.keep(set, kind, payload)?),
            false => None,
        };

        self.find_members(set);

        let user = if let Some(version) = version {
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

        if kind.retained && result.missed > 0 {
            self.wake_members();
        }

        Ok(result.sent)
    }

    /// Wakes up the processes of the last set. A process that got no record of a
    /// message that is kept finds the message in the board.
    fn wake_members(&self) {
        for peer in &self.members {
            self.endpoint.member().wake(peer.slot);
        }
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
        self.requests.reserve().map_err(|_| Refused::NoMemory)?;

        let number = self.requests.next_number();
        let deadline = self
            .now()
            .saturating_add(milliseconds.saturating_mul(MILLISECOND));
        let asked = self.for_address(to, true, |this, target| {
            let incarnation = target.incarnation.ok_or(Refused::Gone)?;

            this.post(target, letter(kind, number), payload)?;

            Ok((target.slot, incarnation))
        })?;

        self.requests.add(number, asked, deadline, data);
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
        self.tick_soon();

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

    /// The process of a set that has the key, the same for all types of messages.
    pub fn find_by_key(&mut self, set: Set, key: &[u8]) -> Result<Peer, Refused> {
        let place = keys::hash(&self.board, REPLY, key);

        self.find_members(set);

        address::choose(&self.members, place).ok_or(Refused::Gone)
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
        self.tick_soon();

        let peer = self.find_by_key(set, key)?;
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
                    Ok(()) => {
                        let receiver = (peer.slot, peer.incarnation);
                        let member = self.endpoint.member();

                        keys::sent(&self.board, claimed, receiver, |slot| member.state(slot).1);
                    }
                    Err(_) => keys::refused(&self.board, claimed),
                }

                sent
            }
        }
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
