//! Recovers the slots of dead processes whose master is dead, too.
//!
//! Two masters share a region during an upgrade. Each master recovers the processes
//! that it reaps. If a master is killed, its processes notice this and exit, but the
//! other master does not reap them. So the other master looks for slots whose process
//! and whose master are dead. A slot has the pid of its process for this.
//!
//! A process that writes garbage can make a slot look as if its process was dead.
//! A master never recovers the slots of its own processes here, so the garbage can
//! affect only the processes of the other binary.

use super::layout::Layout;
use super::memory::Memory;
use super::peers::{self, Heritage, Peer, State};
use super::recover::{recover, show_records};

/// What [`Orphans::recover`] has found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// The number of slots that are vacant now.
    pub freed: u32,
    /// Whether processes of a dead master still run.
    pub has_left: bool,
}

/// Finds and recovers such slots, for another master.
pub struct Orphans<'a, M> {
    /// The shared memory.
    pub memory: &'a M,
    /// The layout of the region.
    pub layout: &'a Layout,
    /// The slot and the incarnation of the master.
    pub own: (u32, u32),
    /// Whether the slot has the master itself or one of its processes.
    pub is_mine: &'a dyn Fn(u32) -> bool,
    /// Whether a process with a pid runs.
    pub is_alive: &'a dyn Fn(i32) -> bool,
}

impl<M: Memory + Clone> Orphans<'_, M> {
    /// Recovers the slots whose process and whose master are dead.
    pub fn recover(&self) -> Found {
        let mut found = Found::default();

        // The slot of a dead master comes last: the others name it.
        for is_master in [false, true] {
            for peer in self.others() {
                let is_of_pass =
                    (peer.identity.place.is_none() && peer.state != State::Claimed) == is_master;

                if is_of_pass && self.is_orphan(&peer, is_master) {
                    self.free(&peer, &mut found);
                }
            }
        }

        found
    }

    fn peer(&self, slot: u32) -> Option<Peer> {
        peers::peer(self.memory, self.layout, slot).filter(|peer| peer.state != State::Vacant)
    }

    /// The slots in use that are not of this master.
    fn others(&self) -> impl Iterator<Item = Peer> {
        (0..self.layout.sizes.slots)
            .filter(|&slot| !(self.is_mine)(slot))
            .filter_map(|slot| self.peer(slot))
    }

    /// Whether the master of a slot is dead, or has forgotten the slot.
    fn is_orphan(&self, peer: &Peer, is_master: bool) -> bool {
        if is_master {
            return !self.runs(peer) && !self.is_named(peer);
        }

        let (slot, incarnation) = self.master_of(peer);
        let is_running = self
            .peer(slot)
            .is_some_and(|master| master.incarnation == incarnation && self.runs(&master));

        slot == self.own.0 || !is_running
    }

    /// The master that a slot belongs to.
    fn master_of(&self, peer: &Peer) -> (u32, u32) {
        match peers::claimed_by(self.memory, self.layout, peer.slot) {
            Some(slot) => {
                let (_, incarnation) = peers::state(self.memory, self.layout, slot);

                (slot, incarnation)
            }
            None => peer.identity.master,
        }
    }

    /// Whether another slot belongs to this master.
    fn is_named(&self, master: &Peer) -> bool {
        self.others()
            .filter(|peer| peer.slot != master.slot)
            .any(|peer| self.master_of(&peer) == (master.slot, master.incarnation))
    }

    /// Whether the process of a slot runs. A master stores its pid as soon as it has
    /// the slot.
    fn runs(&self, peer: &Peer) -> bool {
        let pid = peers::pid(self.memory, self.layout, peer.slot);

        peer.state.is_alive() && pid.is_some_and(self.is_alive)
    }

    /// Recovers a slot whose master is dead, if its process is dead too. A process
    /// that has not used the slot yet finds out later that the slot was taken away.
    fn free(&self, peer: &Peer, found: &mut Found) {
        if self.runs(peer) {
            found.has_left = true;
            return;
        }

        show_records(self.memory, self.layout, peer.slot);

        if peers::seize(self.memory, self.layout, peer.slot, self.own.0, peer) {
            let (slot, incarnation) = (peer.slot, peer.incarnation);

            recover(
                self.memory,
                self.layout,
                slot,
                incarnation,
                Heritage::Stranger,
            );
            found.freed += 1;
        } else {
            // The process has just begun to run.
            found.has_left = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::mem::offset_of;

    use crate::message::identity::Identity;
    use crate::message::layout::{Sizes, Slot};
    use crate::message::lineage::Lineage;
    use crate::message::mapped::Mapped;

    const SIZES: Sizes = Sizes {
        slots: 8,
        chunks: 8,
        control_chunks: 1,
        quota: 4,
    };

    struct World {
        mapped: Mapped,
        layout: Layout,
    }

    impl World {
        fn new() -> Self {
            let layout = Layout::new(SIZES).unwrap();
            let mapped = Mapped::new(layout.size(), 0).unwrap();

            layout.create(&&mapped);

            Self { mapped, layout }
        }

        fn memory(&self) -> &Mapped {
            &self.mapped
        }

        /// A process of `master`, or a master, with a pid.
        fn start(&self, master: Option<(u32, u32)>, pid: i32) -> (u32, u32) {
            let by = master.map_or(0, |(slot, _)| slot);
            let (slot, incarnation) =
                peers::claim(&self.memory(), &self.layout, by, |_| Some(0)).unwrap();
            let identity = Identity {
                master: master.unwrap_or((slot, incarnation)),
                place: master.map(|_| slot),
                ..Identity::default()
            };

            peers::appoint(
                &self.memory(),
                &self.layout,
                slot,
                identity,
                Lineage::stranger(incarnation),
            );
            peers::set_pid(&self.memory(), &self.layout, slot, pid);

            (slot, incarnation)
        }

        /// What the master `own`, whose processes have the slots `mine`, finds if
        /// only the processes `alive` run.
        fn recover(&self, own: (u32, u32), mine: &[u32], alive: &[i32]) -> Found {
            Orphans {
                memory: &self.memory(),
                layout: &self.layout,
                own,
                is_mine: &|slot| slot == own.0 || mine.contains(&slot),
                is_alive: &|pid| alive.contains(&pid),
            }
            .recover()
        }

        fn used(&self) -> usize {
            (0..SIZES.slots)
                .filter(|&slot| peers::state(&self.memory(), &self.layout, slot).0 != State::Vacant)
                .count()
        }
    }

    fn found(freed: u32, has_left: bool) -> Found {
        Found { freed, has_left }
    }

    #[test]
    fn a_dead_master_is_collected_after_its_processes() {
        let world = World::new();
        let old = world.start(None, 100);
        let new = world.start(None, 200);
        let worker = world.start(Some(old), 101);
        let mine = world.start(Some(new), 201);

        world.start(Some(old), 102);

        let all = [100, 101, 102, 200, 201];

        assert_eq!(world.recover(new, &[mine.0], &all), found(0, false));
        // A worker dies: its master recovers it.
        assert_eq!(
            world.recover(new, &[mine.0], &[100, 102, 200, 201]),
            found(0, false)
        );
        assert_eq!(
            world.recover(new, &[mine.0], &[101, 200, 201]),
            found(1, true)
        );
        assert!(peers::peer(&world.memory(), &world.layout, worker.0).is_some());
        assert_eq!(world.recover(new, &[mine.0], &[200]), found(2, false));
        assert_eq!(world.used(), 2);
    }

    #[test]
    fn a_claim_of_a_dead_master_is_given_up() {
        let world = World::new();
        let old = world.start(None, 100);
        let new = world.start(None, 200);
        let claim = |by| peers::claim(&world.memory(), &world.layout, by, |_| Some(0)).unwrap();

        claim(old.0);
        assert_eq!(world.recover(new, &[], &[100, 200]), found(0, false));
        assert_eq!(world.recover(new, &[], &[200]), found(2, false));

        // The master was killed while it collected, or has forgotten the claim.
        claim(new.0);
        assert_eq!(world.recover(new, &[], &[200]), found(1, false));
        assert_eq!(world.used(), 1);
    }

    /// Whatever the slots contain, a master can look, and claim a slot that is not its
    /// own.
    #[test]
    fn any_garbage_is_survived() {
        let world = World::new();
        let new = world.start(None, 200);
        let mine = world.start(Some(new), 201);
        let mut random: u64 = 1;
        let mut next = || {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            random
        };

        for _ in 0..3000 {
            for slot in 0..SIZES.slots {
                for word in 0..8 {
                    // Small numbers look like states, slots and pids.
                    let [number, shift, which] = [next(), next(), next()];
                    let value = number >> (shift % 64);
                    let value = [value, value & 0x0000_0003_0000_0107][which as usize % 2];
                    let at = world.layout.slot(slot) + word * 8;

                    (&&world.mapped).store(at, value, std::sync::atomic::Ordering::Relaxed);
                }
            }

            world.recover(new, &[mine.0], &[200, 1, 2]);

            let is_mine = |slot| slot == new.0 || slot == mine.0;
            let last = |slot| (!is_mine(slot)).then_some(0);
            let claimed = peers::claim(&world.memory(), &world.layout, new.0, last);

            assert!(claimed.is_none_or(|(slot, _)| !is_mine(slot)));
        }
    }

    #[test]
    fn garbage_frees_no_slot_of_the_own_processes() {
        let world = World::new();
        let new = world.start(None, 200);
        let mine = world.start(Some(new), 201);

        peers::set_pid(&world.memory(), &world.layout, mine.0, 999);

        for word in [u64::MAX, 0, 1 << 40] {
            let at = world.layout.slot(mine.0) + offset_of!(Slot, master);

            (&&world.mapped).store(at, word, std::sync::atomic::Ordering::Relaxed);
            assert_eq!(world.recover(new, &[mine.0], &[200]), found(0, false));
        }
    }
}
