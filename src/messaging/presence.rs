//! Which processes have started, and which are dead.
//!
//! At a change a process looks at all slots, then receives all messages that
//! have arrived, and only then reports the deaths: what a dead process has sent
//! comes before the report.

use crate::message::peers::{Peer, State};
use crate::sys::heap;

/// A report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// The process runs.
    Up(Peer),
    /// The process is dead.
    Down(Peer),
}

/// What one process knows of the others.
#[derive(Clone)]
pub struct Presence {
    /// Whether anything is reported.
    is_watching: bool,
    /// The processes that were reported as running, one for each slot.
    known: Vec<Option<Peer>>,
    /// The reports that are due when all messages were received.
    due: Vec<Change>,
}

impl Presence {
    /// Reports nothing until [`Presence::watch`]. Returns `None` if there is no
    /// memory.
    pub fn new(slots: u32) -> Option<Self> {
        let mut due = Vec::new();

        // Each slot has at most two reports, see `look`.
        due.try_reserve_exact(2 * slots as usize).ok()?;

        Some(Self {
            is_watching: false,
            known: heap::collect((0..slots).map(|_| None)).ok()?,
            due,
        })
    }

    /// Begins to report. All processes that run are reported first.
    pub fn watch(&mut self) {
        self.is_watching = true;
    }

    /// Whether changes are reported.
    pub fn is_watching(&self) -> bool {
        self.is_watching
    }

    /// Looks at all slots but its own, when all reports were taken. `peer` reads a
    /// slot. Returns whether there is something to report.
    pub fn look(&mut self, own: u32, peer: impl Fn(u32) -> Option<Peer>) -> bool {
        if !self.is_watching {
            return false;
        }

        for slot in (0..self.known.len() as u32).filter(|&slot| slot != own) {
            if let Some(now) = peer(slot) {
                let changes = self.compare(now);

                self.due.extend(changes.into_iter().flatten());
            }
        }

        !self.due.is_empty()
    }

    /// Compares a slot with what was reported, and changes what is known.
    fn compare(&mut self, now: Peer) -> [Option<Change>; 2] {
        let Some(known) = self.known.get_mut(now.slot as usize) else {
            return [None, None];
        };
        let is_same = known.is_some_and(|known| known.incarnation == now.incarnation);
        let runs = now.state == State::Running;
        let is_leaving = now.state == State::Leaving;

        if is_same && (runs || is_leaving) {
            return [None, None];
        }

        let down = known.take().map(Change::Down);
        let up = runs.then_some(Change::Up(now));

        *known = runs.then_some(now);

        [down, up]
    }

    /// A message of the process `sender` has arrived. Returns the reports that
    /// come before the message.
    pub fn before_message(&mut self, sender: Peer) -> [Option<Change>; 4] {
        let is_known = self
            .known
            .get(sender.slot as usize)
            .is_none_or(|known| known.is_some_and(|known| known.incarnation == sender.incarnation));

        if !self.is_watching
            || is_known && self.due.is_empty()
            || self.due.iter().any(|change| is_down(change, &sender))
        {
            return [None; 4];
        }

        // Reports of this slot that are due come first.
        let [first, second] = [(); 2].map(|()| {
            let index = self
                .due
                .iter()
                .position(|change| slot_of(change) == sender.slot)?;

            Some(self.due.remove(index))
        });
        let runs = Peer {
            state: State::Running,
            ..sender
        };
        let [down, up] = if is_known {
            [None, None]
        } else {
            self.compare(runs)
        };

        [first, second, down, up]
    }

    /// The next report that is due, when all messages were received.
    pub fn take_due(&mut self) -> Option<Change> {
        (!self.due.is_empty()).then(|| self.due.remove(0))
    }
}

fn slot_of(change: &Change) -> u32 {
    match change {
        Change::Up(peer) | Change::Down(peer) => peer.slot,
    }
}

/// Whether a change is the death of this process.
fn is_down(change: &Change, sender: &Peer) -> bool {
    matches!(change, Change::Down(peer)
        if peer.slot == sender.slot && peer.incarnation == sender.incarnation)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::identity::Identity;

    fn peer(incarnation: u32, state: State) -> Peer {
        Peer {
            slot: 1,
            state,
            incarnation,
            line: 1,
            identity: Identity::default(),
        }
    }

    fn incarnations(changes: &[Option<Change>]) -> Vec<i64> {
        changes
            .iter()
            .flatten()
            .map(|change| match change {
                Change::Up(peer) => i64::from(peer.incarnation),
                Change::Down(peer) => -i64::from(peer.incarnation),
            })
            .collect()
    }

    #[test]
    fn the_messages_of_a_dead_process_come_before_its_report() {
        let mut presence = Presence::new(2).unwrap();
        let (one, two) = (peer(1, State::Running), peer(2, State::Running));

        assert!(!presence.look(0, |_| Some(one)), "not watching");
        presence.watch();
        assert!(presence.look(0, |_| Some(one)));
        assert_eq!(incarnations(&[presence.take_due()]), [1]);
        assert!(!presence.look(0, |_| Some(one)), "no change");

        assert!(presence.look(0, |_| Some(two)));
        assert!(presence.before_message(one) == [None; 4]);
        assert_eq!(incarnations(&presence.before_message(two)), [-1, 2]);
        assert!(presence.take_due().is_none());
        assert!(presence.before_message(two) == [None; 4]);
    }

    #[test]
    fn a_message_can_come_before_the_change_is_seen() {
        let mut presence = Presence::new(2).unwrap();

        presence.watch();
        presence.look(0, |_| Some(peer(0, State::Vacant)));
        assert_eq!(
            incarnations(&presence.before_message(peer(3, State::Starting))),
            [3]
        );
        assert!(!presence.look(0, |_| Some(peer(3, State::Running))));

        assert!(presence.look(0, |_| Some(peer(3, State::Awaited))));
        assert_eq!(incarnations(&[presence.take_due()]), [-3]);
    }
}
