//! Finds the messages that wait in a slot without a process.
//!
//! The next process in a slot gets what waits there, or is told of it as a gap. It can
//! be that no process gets the slot for a long time. So a master looks at a slot when
//! it has become vacant. It claims the slot, receives all that waits as a process would
//! that replaces none of the others, and gives the slot back. Each message is then a
//! gap.
//!
//! A sender that has chosen the receiver before can commit its message afterwards. A
//! vacant slot says that it sleeps, so such a sender wakes up the masters, see
//! [`Member::wake`], and they look again.

use nix::errno::Errno;

use super::event::{Event, Message, Turn};
use super::identity::Identity;
use super::layout::Layout;
use super::member::Member;
use super::memory::Memory;
use super::peers::{self, Peer, State};
use super::receive::Incoming;
use super::taken::{Cause, Gap};

/// What waits in a slot that a master has claimed for as long as it looks. The master
/// calls [`Leftover::release`] at the end.
pub struct Leftover<M> {
    member: Member<M>,
    incoming: Incoming,
    turn: Turn,
    dead: Peer,
    is_empty: bool,
}

impl<M: Memory> Leftover<M> {
    /// Claims a slot for the master in the slot `master`, which looks at up to `most`
    /// records. Returns `None` if the slot is not vacant: then its next process, or the
    /// master that has claimed it, finds what waits. Fails with `ENOMEM`; then the slot
    /// is vacant.
    pub fn claim(
        memory: M,
        layout: Layout,
        slot: u32,
        master: u32,
        most: u32,
    ) -> Result<Option<Self>, Errno> {
        let dead = peers::peer(&memory, &layout, slot)
            .filter(|peer| peer.state == State::Vacant && peer.incarnation != 0);
        let Some(dead) = dead else { return Ok(None) };

        if !peers::seize(&memory, &layout, slot, master, &dead) {
            return Ok(None);
        }

        // No message was sent to this incarnation.
        let nobody = dead.incarnation.wrapping_add(1).max(1);
        let member = Member {
            memory,
            layout,
            slot,
            incarnation: nobody,
            line: nobody,
            identity: Identity::default(),
        };

        match Incoming::new(&member) {
            Ok(incoming) => Ok(Some(Self {
                turn: Turn::new(&member, most, 0),
                incoming,
                member,
                dead,
                is_empty: false,
            })),
            Err(err) => {
                vacate(&member, &dead);
                Err(err)
            }
        }
    }

    /// The process that had the slot.
    pub fn dead(&self) -> &Peer {
        &self.dead
    }

    /// The next messages that are lost; `None` if there are no more, or if the master
    /// has looked at so many records as it wanted. A master that is killed before the
    /// next call has not reported the gap: the next one to look finds it again.
    pub fn take(&mut self) -> Option<Gap> {
        loop {
            match self.incoming.next(&self.member, &mut self.turn) {
                Some(Event::Gap(gap)) => return Some(gap),
                Some(Event::Message(message)) => return Some(self.forged(&message)),
                Some(_) => (),
                None if self.turn.is_over() => return None,
                None => {
                    self.is_empty = self.incoming.prepare_sleep(&self.member);

                    if self.is_empty {
                        return None;
                    }
                }
            }
        }
    }

    /// A message to a process that has never been: another process has overwritten its
    /// number.
    fn forged(&mut self, message: &Message) -> Gap {
        self.incoming
            .count_handled(&self.member, message.class, message.sender);

        Gap {
            sender: message.sender,
            incarnation: message.incarnation,
            class: message.class,
            number: message.number,
            count: 1,
            cause: Cause::Damaged,
            message_type: Some(message.message_type),
        }
    }

    /// Makes the slot vacant again. Returns whether nothing is left there; if something
    /// is, the master looks at the slot again.
    #[must_use]
    pub fn release(mut self) -> bool {
        self.incoming.finish(&self.member);
        vacate(&self.member, &self.dead);

        // A sender that finds the slot claimed does not wake up the masters. It has set
        // its bit before it has read the state.
        self.is_empty && !self.incoming.has_bits(&self.member)
    }
}

fn vacate<M: Memory>(m: &Member<M>, dead: &Peer) {
    peers::put_state(
        &m.memory,
        &m.layout,
        m.slot,
        dead.incarnation,
        State::Vacant,
    );
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering::SeqCst;

    use super::*;
    use crate::message::endpoint::Endpoint;
    use crate::message::interrupted::{Act, Interrupted};
    use crate::message::layout::{Bitmap, Class, Sizes};
    use crate::message::letter::{Letter, Target};
    use crate::message::lineage::Lineage;
    use crate::message::mapped::Mapped;
    use crate::message::peers::Heritage;
    use crate::message::recover::recover;

    const MASTER: u32 = 0;
    const SENDER: u32 = 1;
    const DEAD: u32 = 2;
    const SIZES: Sizes = Sizes {
        slots: 4,
        chunks: 8,
        control_chunks: 1,
        quota: 4,
    };

    /// A master, a sender, and a slot whose process is dead.
    struct World {
        mapped: Mapped,
        layout: Layout,
    }

    impl World {
        /// The processes run. The sender sends `before` messages, and then the receiver
        /// dies.
        fn new(before: usize) -> Self {
            let layout = Layout::new(SIZES).unwrap();
            let mapped = Mapped::new(layout.size(), 4).unwrap();

            layout.create(&&mapped);

            let this = Self { mapped, layout };

            for slot in [MASTER, SENDER, DEAD] {
                let identity = Identity {
                    master: (MASTER, 1),
                    place: (slot != MASTER).then_some(slot),
                    ..Identity::default()
                };
                let lineage = Lineage::stranger(1);

                peers::appoint(&&this.mapped, &layout, slot, identity, lineage);
            }

            this.endpoint(DEAD);
            (0..before).for_each(|_| this.send());
            this.die();
            this
        }

        fn endpoint(&self, slot: u32) -> Endpoint<&Mapped> {
            Endpoint::attach(&self.mapped, slot).unwrap()
        }

        /// A message of a process that has chosen the receiver while it ran.
        fn send(&self) {
            let (state, _) = peers::state(&&self.mapped, &self.layout, DEAD);
            let mut sender = self.endpoint(SENDER);

            self.put(State::Running);

            let target = Target {
                slot: DEAD,
                incarnation: Some(1),
            };
            let letter = Letter {
                class: Class::Data,
                message_type: 1,
                user: 0,
                timed: false,
            };
            let reserved = sender.reserve(target, letter, 8).unwrap();

            self.restore(state);
            sender.commit(reserved, 8);
        }

        fn put(&self, state: State) {
            peers::put_state(&&self.mapped, &self.layout, DEAD, 1, state);
        }

        fn restore(&self, state: State) {
            if state == State::Claimed {
                let dead = peers::peer(&&self.mapped, &self.layout, DEAD).unwrap();

                peers::seize(&&self.mapped, &self.layout, DEAD, MASTER, &dead);
            } else {
                self.put(state);
            }
        }

        fn die(&self) {
            recover(&&self.mapped, &self.layout, DEAD, 1, Heritage::Stranger);
        }

        /// What a master finds, and whether it is done.
        fn look<M: Memory>(&self, memory: M) -> (Vec<Gap>, bool) {
            let mut leftover = Leftover::claim(memory, self.layout, DEAD, MASTER, 100)
                .unwrap()
                .unwrap();
            let gaps = std::iter::from_fn(|| leftover.take()).collect();

            (gaps, leftover.release())
        }

        /// Whether the master was told to look at the slot of the dead process.
        fn is_told(&self) -> bool {
            let (at, mask) = self.layout.bit(MASTER, Bitmap::Room, DEAD);

            (&&self.mapped).load(at, SeqCst) & mask != 0
        }
    }

    fn count(gaps: &[Gap]) -> u32 {
        assert!(gaps.iter().all(|gap| gap.cause == Cause::ForAnother));
        gaps.iter().map(|gap| gap.count).sum()
    }

    #[test]
    fn what_waits_is_found_once() {
        let world = World::new(3);
        let (gaps, is_done) = world.look(&world.mapped);

        assert_eq!((count(&gaps), is_done), (3, true));
        assert_eq!(gaps[0].sender, SENDER);
        assert_eq!(world.look(&world.mapped), (vec![], true));
        assert!(!world.is_told());
        assert_eq!(
            peers::state(&&world.mapped, &world.layout, DEAD),
            (State::Vacant, 1)
        );
    }

    #[test]
    fn a_slot_with_a_process_is_not_looked_at() {
        let world = World::new(0);

        for state in [State::Running, State::Awaited, State::Leaving, State::Dead] {
            world.put(state);
            assert!(
                Leftover::claim(&world.mapped, world.layout, DEAD, MASTER, 100)
                    .unwrap()
                    .is_none()
            );
        }
    }

    /// A sender commits a message before each access of a master that looks. The master
    /// finds the message, knows that it must look again, or is told.
    #[test]
    fn a_late_message_is_found() {
        for access in 0.. {
            let world = World::new(1);
            let act: Act = (access, Box::new(|| world.send()));
            let interrupted = Interrupted::new(&world.mapped, vec![act]);
            let (mut gaps, is_done) = world.look(&interrupted);

            if interrupted.accesses() <= access {
                assert_eq!((count(&gaps), is_done), (1, true));
                world.send();
            }

            if count(&gaps) < 2 {
                assert!(!is_done || world.is_told(), "access {access}");
                gaps.extend(world.look(&world.mapped).0);
            }

            assert_eq!(count(&gaps), 2, "access {access}");

            if interrupted.accesses() <= access {
                break;
            }
        }
    }
}
