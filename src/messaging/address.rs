//! Addresses and sets: the receivers of a message. An address is one number, which C
//! programs make with macros of `ngx_ipc_message.h`.

use super::siphash;
use crate::message::peers::Peer;
use crate::table::role::{NGX_PROCESS_HELPER, NGX_PROCESS_MASTER, NGX_PROCESS_WORKER};

/// The kind of an address, its highest 8 bits.
const KIND: u32 = 56;
const WORKER: u64 = 1;
const SLOT: u64 = 2;
const PROCESS: u64 = 3;
const ONE_OF: u64 = 4;

/// The address of the worker `number`: this number plus the number of the worker.
pub const TO_WORKER: u64 = WORKER << KIND;
/// The address of the master of the sender's binary. The address of the process in
/// the slot N of `ngx_processes` is this number plus N plus 1.
pub const TO_SLOT: u64 = SLOT << KIND;
/// The address of one process of a set: this number plus the set.
pub const TO_ONE_OF: u64 = ONE_OF << KIND;

/// An address of one process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Address {
    /// The worker with this number, or its replacement.
    Worker(u32),
    /// The process in this slot of the table of the sender's master, or its
    /// replacement; `None`: this master.
    Place(Option<u32>),
    /// The process in this slot of the region with this incarnation, and no other.
    Process(u32, u32),
    /// Any one process of the set.
    OneOf(Set),
}

impl Address {
    /// Unpacks an address; `None` if it is none.
    pub fn unpack(word: u64) -> Option<Self> {
        let low = word as u32;

        match word >> KIND {
            WORKER => Some(Self::Worker(low)),
            SLOT => Some(Self::Place(low.checked_sub(1))),
            PROCESS => Some(Self::Process((word >> 32) as u32 & 0xffff, low)),
            ONE_OF => Set::new(low).map(Self::OneOf),
            _ => None,
        }
    }

    /// The address of the process in a slot of the table of the sender's master, or
    /// its replacement; `None`: this master.
    pub fn of_place(place: Option<u32>) -> u64 {
        TO_SLOT + place.map_or(0, |place| u64::from(place) + 1)
    }

    /// The address of a process and no other.
    pub fn of_process(slot: u32, incarnation: u32) -> u64 {
        (PROCESS << KIND) | (u64::from(slot & 0xffff) << 32) | u64::from(incarnation)
    }
}

/// The sender of a message to a set. The processes that a set has depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sender {
    /// The slot of the sender in the region.
    pub slot: u32,
    /// The generation of the workers and helpers.
    pub generation: u64,
    /// The master of the sender, which says to which binary a process belongs.
    pub master: (u32, u32),
}

/// A set of processes: a sum of roles, and of bits that add other processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Set(pub u32);

impl Set {
    /// Workers.
    pub const WORKERS: u32 = 1;
    /// Helpers.
    pub const HELPERS: u32 = 2;
    /// The master of the sender's binary.
    pub const MASTER: u32 = 4;
    /// Processes without a role, which the program has spawned itself.
    pub const OTHERS: u32 = 8;
    /// Processes of other generations too, and those of another binary.
    pub const ALL_GENERATIONS: u32 = 16;
    /// The sender too, if the set has its role.
    pub const SELF: u32 = 32;

    /// Checks a set that a C program passes; `None` if it has unknown bits, or no
    /// role.
    pub fn new(set: u32) -> Option<Self> {
        const ROLES: u32 = Set::WORKERS | Set::HELPERS | Set::MASTER | Set::OTHERS;

        (set & !(ROLES | Self::ALL_GENERATIONS | Self::SELF) == 0 && set & ROLES != 0)
            .then_some(Self(set))
    }

    /// Whether the set has the role of a process.
    pub fn has_role_of(self, peer: &Peer) -> bool {
        const MASTER: u64 = NGX_PROCESS_MASTER as u64;
        const WORKER: u64 = NGX_PROCESS_WORKER as u64;
        const HELPER: u64 = NGX_PROCESS_HELPER as u64;

        let is_master = peer.identity.place.is_none();
        let role = match peer.identity.role {
            // A single process is both.
            _ if is_master && peer.identity.worker.is_some() => Self::MASTER | Self::WORKERS,
            _ if is_master => Self::MASTER,
            MASTER => Self::MASTER,
            WORKER => Self::WORKERS,
            HELPER => Self::HELPERS,
            _ => Self::OTHERS,
        };

        self.0 & role != 0
    }

    /// Whether the set has a process.
    pub fn has(self, peer: &Peer, own: &Sender) -> bool {
        let is_of_generation = self.0 & Self::ALL_GENERATIONS != 0
            || peer.identity.master == own.master
                && (peer.identity.place.is_none() || peer.identity.generation == own.generation);

        peer.state.takes_messages()
            && self.has_role_of(peer)
            && is_of_generation
            && (peer.slot != own.slot || self.0 & Self::SELF != 0)
    }
}

/// The process of a set that has a key; `None` if the set is empty.
///
/// Each process of the set gets a number that is computed from the hash of the
/// key and from the number of the worker, and the largest number wins. So when a
/// process is added or removed, only the keys of that process move.
pub fn choose(members: &[Peer], hash: u64) -> Option<Peer> {
    let weight = |peer: &&Peer| {
        let number = peer.identity.worker.unwrap_or(peer.slot | 1 << 31);

        siphash::hash((hash, 0), number.into(), b"")
    };

    members.iter().max_by_key(weight).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::identity::Identity;
    use crate::message::peers::State;

    const OWN: Sender = Sender {
        slot: 1,
        generation: 1,
        master: (0, 1),
    };

    fn peer(slot: u32, role: usize, generation: u64) -> Peer {
        Peer {
            slot,
            state: State::Running,
            incarnation: 1,
            line: 1,
            identity: Identity {
                worker: None,
                generation,
                role: role as u64,
                master: (0, 1),
                place: slot.checked_sub(1),
            },
        }
    }

    #[test]
    fn addresses_survive() {
        assert_eq!(Address::unpack(TO_WORKER + 3), Some(Address::Worker(3)));
        assert_eq!(Address::unpack(TO_SLOT), Some(Address::Place(None)));
        assert_eq!(
            Address::unpack(Address::of_process(1023, u32::MAX)),
            Some(Address::Process(1023, u32::MAX))
        );
        assert_eq!(
            Address::unpack(TO_ONE_OF + 1),
            Some(Address::OneOf(Set(Set::WORKERS)))
        );
        assert_eq!(Address::unpack(TO_ONE_OF), None, "no role");
        assert_eq!(Address::unpack(TO_ONE_OF + 64 + 1), None, "unknown bits");
        assert_eq!(Address::unpack(0), None);
        assert_eq!(Address::unpack(u64::MAX), None);
    }

    #[test]
    fn a_set_has_roles_and_generations() {
        let workers = Set(Set::WORKERS);

        assert!(workers.has(&peer(2, NGX_PROCESS_WORKER, 1), &OWN));
        assert!(!workers.has(&peer(1, NGX_PROCESS_WORKER, 1), &OWN));
        assert!(!workers.has(&peer(2, NGX_PROCESS_WORKER, 2), &OWN));
        assert!(!workers.has(&peer(2, NGX_PROCESS_HELPER, 1), &OWN));
        assert!(Set(Set::MASTER).has(&peer(0, NGX_PROCESS_MASTER, 0), &OWN));
        assert!(Set(Set::WORKERS | Set::SELF).has(&peer(1, NGX_PROCESS_WORKER, 1), &OWN));
        assert!(
            Set(Set::WORKERS | Set::ALL_GENERATIONS).has(&peer(2, NGX_PROCESS_WORKER, 2), &OWN)
        );

        let mut single = peer(0, 0, 0);
        let of_single = Sender { slot: 0, ..OWN };

        assert!(!Set(Set::WORKERS | Set::SELF).has(&single, &of_single));
        single.identity.worker = Some(0);
        assert!(Set(Set::WORKERS | Set::SELF).has(&single, &of_single));
        assert!(Set(Set::MASTER | Set::SELF).has(&single, &of_single));

        let vacant = Peer {
            state: State::Vacant,
            ..peer(2, NGX_PROCESS_WORKER, 1)
        };

        assert!(!workers.has(&vacant, &OWN));
    }

    #[test]
    fn a_set_has_the_processes_of_one_binary() {
        let mut other = peer(2, NGX_PROCESS_WORKER, 1);
        let mut master = peer(3, NGX_PROCESS_MASTER, 0);

        other.identity.master = (3, 1);
        master.identity.master = (3, 1);
        master.identity.place = None;

        let all = Set(Set::WORKERS | Set::MASTER);

        assert!(!all.has(&other, &OWN) && !all.has(&master, &OWN));

        let all = Set(all.0 | Set::ALL_GENERATIONS);

        assert!(all.has(&other, &OWN) && all.has(&master, &OWN));
    }

    fn worker(number: u32) -> Peer {
        Peer {
            identity: Identity {
                worker: Some(number),
                ..Identity::default()
            },
            ..peer(number, NGX_PROCESS_WORKER, 1)
        }
    }

    #[test]
    fn few_keys_move_when_a_worker_comes() {
        let four: Vec<_> = (0..4).map(worker).collect();
        let five: Vec<_> = (0..5).map(worker).collect();
        let mut moved = 0;
        let mut counts = [0; 4];

        for hash in 0..4000 {
            let (before, after) = (choose(&four, hash).unwrap(), choose(&five, hash).unwrap());

            counts[before.slot as usize] += 1;

            if before.slot != after.slot {
                assert_eq!(after.slot, 4);
                moved += 1;
            }
        }

        assert!((600..1000).contains(&moved), "{moved}");
        assert!(counts.iter().all(|&n| n > 800), "{counts:?}");
        assert_eq!(choose(&[], 1), None);
    }

    /// Another binary, which another compiler has built, chooses the same worker.
    #[test]
    fn the_worker_of_a_key_does_not_change() {
        let four: Vec<_> = (0..4).map(worker).collect();
        let chosen = (0..8).map(|hash| choose(&four, hash).unwrap().slot);

        assert_eq!(chosen.collect::<Vec<_>>(), [3, 1, 0, 2, 2, 3, 0, 3]);
    }
}
