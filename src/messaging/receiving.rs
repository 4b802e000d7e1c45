//! Receives: makes notices of the events of [`Endpoint`](crate::message::endpoint::Endpoint).

use super::board;
use super::exchange::{Exchange, Notice};
use super::keys;
use super::kind::{KEPT, KEYED, REPLY};
use super::requests::Outcome;
use super::rows::Counter;
use crate::message::event::{Event, Message};
use crate::message::memory::Memory;
use crate::message::peers::Peer;

impl<M: Memory + Clone, T> Exchange<M, T> {
    /// The next notice of a turn of at most `left` notices, from which each
    /// message and each late request is subtracted; `None` if there is none, or if
    /// the turn is over.
    pub fn next(&mut self, left: &mut u32) -> Option<Notice<T>> {
        loop {
            if self.has_found {
                if let Some(notice) = self.take_found() {
                    return Some(notice);
                }

                self.has_found = false;
            }

            // Deaths are looked for before the messages are received, so that all
            // that the dead have sent is found then.
            self.look();

            if *left == 0 {
                self.end_turn();
                return None;
            }

            *left -= 1;

            if let Some(late) = self.take_overdue() {
                self.end_turn();
                return Some(late);
            }

            let mut turn = self.endpoint.turn(1, 0);

            match self.endpoint.next(&mut turn) {
                Some(event) => {
                    self.requests.received();

                    if let Some(notice) = self.found(event) {
                        return Some(notice);
                    }
                }
                // All messages were received, so the deaths can be reported.
                None if self.has_seen_deaths => {
                    self.is_reporting = true;
                    self.has_found = true;
                }
                None => return self.take_late(),
            }
        }
    }

    /// Records that the last notice was handled. If this process exits or is killed
    /// before it calls [`Exchange::next`] again, it was handling no message.
    pub fn end_turn(&mut self) {
        if !self.has_untold() {
            self.endpoint.finish();
        }
    }

    /// Whether a message was received whose notice [`Exchange::next`] returns after
    /// another one. Its payload must stay in place.
    pub(super) fn has_untold(&self) -> bool {
        self.next.is_some()
    }

    /// A request that is too late, when all messages were received: the reply is not
    /// among them.
    fn take_late(&mut self) -> Option<Notice<T>> {
        if self.requests.is_empty() {
            return None;
        }

        let data = self.requests.take_late(self.now())?;

        Some(Notice::Outcome(data, Outcome::TooLate, None))
    }

    /// A request that is too late, in a process for which messages always wait, for
    /// example because its handler sends to the process itself.
    fn take_overdue(&mut self) -> Option<Notice<T>> {
        if self.requests.is_empty() {
            return None;
        }

        let endpoint = &self.endpoint;
        let data = self.requests.take_overdue(
            || endpoint.member().memory.now(),
            || endpoint.most_waiting(),
        )?;

        Some(Notice::Outcome(data, Outcome::TooLate, None))
    }

    /// The next of the notices that were found.
    fn take_found(&mut self) -> Option<Notice<T>> {
        for change in &mut self.changes_before {
            if let Some(change) = change.take() {
                return Some(Notice::Change(change));
            }
        }

        if let Some(notice) = self.next.take() {
            return Some(notice);
        }

        if !self.is_reporting {
            return None;
        }

        if let Some(data) = self.requests.take_dead() {
            return Some(Notice::Outcome(data, Outcome::Died, None));
        }

        if let Some(change) = self.presence.take_due() {
            return Some(Notice::Change(change));
        }

        self.is_reporting = false;
        self.has_seen_deaths = false;

        None
    }

    /// Makes notices of an event. Returns the first one, if there is no other before
    /// it.
    #[inline]
    fn found(&mut self, event: Event) -> Option<Notice<T>> {
        self.tick_soon();

        match event {
            Event::Message(message) => self.found_message(message),
            other => self.found_other(other),
        }
    }

    #[cold]
    fn found_other(&mut self, event: Event) -> Option<Notice<T>> {
        match event {
            Event::Gap(gap) => {
                self.counting.lost(&self.board, &gap);
                keys::free_all(&self.board, self.slot());
                self.has_changed = true;

                let sender = self.sender(gap.sender, gap.incarnation);

                Some(Notice::Gap(gap, sender))
            }
            Event::Room(slot) => {
                self.look_at(slot);
                self.peer(slot).map(Notice::Room)
            }
            Event::Looked(slot) => {
                self.look_at(slot);
                None
            }
            // `Presence` reports these changes, also of processes that send nothing.
            Event::Message(_) | Event::Up(_) | Event::Down(_) => None,
        }
    }

    /// Counts a message that was received.
    #[inline]
    fn count(&mut self, message: &Message) {
        if let Some(sent) = self.endpoint.take_time() {
            let took = self.now().saturating_sub(sent);

            self.counting.took(&self.board, message.message_type, took);
        }

        self.counting.received(&self.board, message);
    }

    /// Counts the message of the last notice, which is dropped because this process has
    /// no handler for it. If the message is kept, the process gets it when it registers
    /// the type.
    pub fn count_unknown(&mut self, message: &Message) {
        board::count_unknown(&self.board, self.slot());
        self.counting
            .add(&self.board, message.message_type, Counter::Unknown, 1);
        self.versions.take_back(message);
    }

    /// Counts a message that was received and is lost, because a part of it is
    /// missing.
    pub fn count_lost(&mut self, message: &Message) {
        self.endpoint.count_lost(message);
        self.counting
            .add(&self.board, message.message_type, Counter::LostLater, 1);
    }

    #[inline]
    fn found_message(&mut self, mut message: Message) -> Option<Notice<T>> {
        self.count(&message);

        if message.user & KEYED != 0 {
            keys::handled(&self.board, message.user & !KEYED, self.slot());
            message.user = 0;
        } else if message.user & KEPT != 0 {
            let version = message.user & !KEPT;

            message.user = 0;

            if message.message_type != REPLY && !self.versions.accept(&message, version) {
                return None;
            }
        }

        let sender = self.sender(message.sender, message.incarnation);
        let notice = if message.message_type == REPLY {
            self.found_reply(message, sender)
        } else {
            Some(Notice::Message(message, sender))
        };

        // A process is not told of itself, nor of its predecessors.
        if !self.presence.is_watching() || sender.slot == self.slot() {
            return notice;
        }

        let changes = self.presence.before_message(sender);

        if changes.iter().all(Option::is_none) {
            return notice;
        }

        self.changes_before = changes;
        self.next = notice;
        self.has_found = true;

        None
    }

    /// A reply that is too late has no request any more.
    fn found_reply(&mut self, message: Message, sender: Peer) -> Option<Notice<T>> {
        let data = self
            .requests
            .answered(message.user, message.sender, message.incarnation)?;

        Some(Notice::Outcome(
            data,
            Outcome::Answered,
            Some((message, sender)),
        ))
    }
}
