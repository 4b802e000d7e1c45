//! Which processes have started, and which are dead.
//!
//! At a change a process looks at all slots, then receives all messages that
//! have arrived, and only then reports the deaths: what a dead process has sent
//! comes before the report.

use crate::message::peers::{Peer, State};

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
    /// Reports nothing until [`Presence::watch`].
    pub fn new(slots: u32) -> Self {
        Self {
            is_watching: false,
            known: vec![None; slots as usize],
            due: Vec::new(),
        }
    }

    /// Begins to report. All processes that run are reported first.
    pub fn watch(&mut self) {
        self.is_watching = true;
    }

    /// Whether changes are reported.
    pub fn is_watching(&self) -> bool {
        self.is_watching
    }

    /// Looks at all slots but its own. `peer` reads a slot. Returns whether there
    /// is something to report.
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

        if is_same && runs {
            return [None, None];
        }

        let down = known.take().map(Change::Down);
        let up = runs.then_some(Change::Up(now));

        *known = runs.then_some(now);

        [down, up]
    }

    /// A message of the process `sender` has arrived. Returns the reports that
    /// come before the message.
    pub fn before_message(&mut self, sender: Peer) -> Vec<Change> {
        let is_known = self
            .known
            .get(sender.slot as usize)
            .is_none_or(|known| known.is_some_and(|known| known.incarnation == sender.incarnation));

        if !self.is_watching
            || is_known && self.due.is_empty()
            || self.due.iter().any(|change| is_down(change, &sender))
        {
            return Vec::new();
        }

        // Reports of this slot that are due come first.
        let (mut changes, due) = std::mem::take(&mut self.due)
            .into_iter()
            .partition::<Vec<_>, _>(|change| slot_of(change) == sender.slot);
        let runs = Peer {
            state: State::Running,
            ..sender
        };

        self.due = due;

        if !is_known {
            changes.extend(self.compare(runs).into_iter().flatten());
        }

        changes
    }

    /// The reports that are due, when all messages were received.
    pub fn take_due(&mut self) -> Vec<Change> {
        std::mem::take(&mut self.due)
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
    use crate::message::peers::Identity;

    fn peer(incarnation: u32, state: State) -> Peer {
        Peer {
            slot: 1,
            state,
            incarnation,
            line: 1,
            identity: Identity::default(),
        }
    }

    fn incarnations(changes: &[Change]) -> Vec<i64> {
        changes
            .iter()
            .map(|change| match change {
                Change::Up(peer) => i64::from(peer.incarnation),
                Change::Down(peer) => -i64::from(peer.incarnation),
            })
            .collect()
    }

    #[test]
    fn the_messages_of_a_dead_process_come_before_its_report() {
        let mut presence = Presence::new(2);
        let (one, two) = (peer(1, State::Running), peer(2, State::Running));

        assert!(!presence.look(0, |_| Some(one)), "not watching");
        presence.watch();
        assert!(presence.look(0, |_| Some(one)));
        assert_eq!(incarnations(&presence.take_due()), [1]);
        assert!(!presence.look(0, |_| Some(one)), "no change");

        assert!(presence.look(0, |_| Some(two)));
        assert!(presence.before_message(one).is_empty());
        assert_eq!(incarnations(&presence.before_message(two)), [-1, 2]);
        assert!(presence.take_due().is_empty());
        assert!(presence.before_message(two).is_empty());
    }

    #[test]
    fn a_message_can_come_before_the_change_is_seen() {
        let mut presence = Presence::new(2);

        presence.watch();
        presence.look(0, |_| Some(peer(0, State::Vacant)));
        assert_eq!(
            incarnations(&presence.before_message(peer(3, State::Starting))),
            [3]
        );
        assert!(!presence.look(0, |_| Some(peer(3, State::Running))));

        assert!(presence.look(0, |_| Some(peer(3, State::Awaited))));
        assert_eq!(incarnations(&presence.take_due()), [-3]);
    }
}
