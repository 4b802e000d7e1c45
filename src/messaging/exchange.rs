//! What one process does with messages: resolves addresses, sends, and tells the
//! layer above what has happened.

use std::collections::VecDeque;
use std::ptr::NonNull;

use super::board;
use super::keys;
use super::kind::{KEPT, KEYED, MILLISECOND, REPLY};
use super::presence::{Change, Presence};
use super::requests::{Outcome, Requests};
use super::retained::{self, Kept};
use super::ticks::Ticks;
use super::versions::Versions;

use crate::message::endpoint::{AttachError, Endpoint};
use crate::message::event::{Event, Message};
use crate::message::memory::Memory;
use crate::message::peers::{Identity, Peer, State};
use crate::message::taken::Gap;
use crate::table::role::NGX_PROCESS_MASTER;

/// After this many ticks an idle lane is closed.
const IDLE: u32 = 1;

/// What a process is told. `T` is the data of a request.
#[derive(Clone, Debug)]
pub enum Notice<T> {
    /// A message of a process. Its payload stays until the next notice.
    Message(Message, Peer),
    /// Messages of a process were lost.
    Gap(Gap, Peer),
    /// The pool of a process has room again.
    Room(Peer),
    /// A process has started, or is dead.
    Change(Change),
    /// A request has ended. The message is the reply.
    Outcome(T, Outcome, Option<(Message, Peer)>),
}

/// A process that sends and receives messages.
#[derive(Clone)]
pub struct Exchange<M, T> {
    pub(super) endpoint: Endpoint<M>,
    pub(super) board: M,
    presence: Presence,
    pub(super) requests: Requests<T>,
    /// Notices that were found and not returned yet.
    notices: VecDeque<Notice<T>>,
    /// The number of changes in the board that were looked at.
    changes: u64,
    /// Whether the processes are looked at even if there are no changes.
    looks_again: bool,
    /// Whether deaths were seen that are reported when all messages were
    /// received.
    has_seen_deaths: bool,
    pub(super) ticks: Ticks,
    pub(super) versions: Versions,
    /// The generation of the processes that a set has.
    pub(super) generation: u64,
    /// The slots of the workers, by their number. An entry can be stale.
    pub(super) workers: Vec<u32>,
    /// The slot of the last message to one process of a set.
    pub(super) cursor: u32,
}

impl<M: Memory + Clone, T> Exchange<M, T> {
    /// Begins to use a slot to which this process was appointed.
    pub fn attach(memory: M, board: M, slot: u32) -> Result<Self, AttachError> {
        let endpoint = Endpoint::attach(memory, slot)?;
        let slots = endpoint.member().layout.sizes.slots;
        let generation = endpoint.peer(slot).map(|peer| peer.identity.generation);
        let this = Self {
            endpoint,
            board,
            presence: Presence::new(slots),
            requests: Requests::new(),
            notices: VecDeque::new(),
            changes: 0,
            looks_again: false,
            has_seen_deaths: false,
            ticks: Ticks::default(),
            versions: Versions::default(),
            generation: generation.unwrap_or_default(),
            workers: Vec::new(),
            cursor: slot,
        };

        this.announce_change();

        Ok(this)
    }

    /// The endpoint.
    pub fn endpoint(&mut self) -> &mut Endpoint<M> {
        &mut self.endpoint
    }

    /// The slot of this process.
    pub fn slot(&self) -> u32 {
        self.endpoint.member().slot
    }

    pub(super) fn slots(&self) -> u32 {
        self.endpoint.member().layout.sizes.slots
    }

    /// Sets the generation of the processes that a set has. The master sets it to
    /// that of its newest workers.
    pub fn set_generation(&mut self, generation: u64) {
        self.generation = generation;
    }

    /// Reports the processes that run, and from now on those that start and die.
    pub fn watch(&mut self) {
        self.presence.watch();
        self.look_again();
    }

    /// Looks at all processes soon, and then whenever there is a change.
    pub(super) fn look_again(&mut self) {
        board::watch(&self.board, self.slot());
        self.looks_again = true;
    }

    /// Tells the other processes that a process has started or is dead.
    pub fn announce_change(&self) {
        board::count_change(&self.board);

        for slot in 0..self.slots() {
            if board::is_watching(&self.board, slot) {
                self.endpoint.member().wake(slot);
            }
        }
    }

    /// The time in nanoseconds of a clock that is never set back.
    pub fn now(&self) -> u64 {
        self.endpoint.member().memory.now()
    }

    /// Milliseconds until the first request is too late or periodic work is due;
    /// `None` if nothing is due.
    pub fn next_deadline(&self) -> Option<u64> {
        let next = [self.requests.next_deadline(), self.ticks.next()];

        next.into_iter()
            .flatten()
            .min()
            .map(|deadline| deadline.saturating_sub(self.now()).div_ceil(MILLISECOND))
    }

    /// Does the periodic work, if it is due. No message is being handled.
    pub fn tidy_if_due(&mut self) {
        let memory = &self.endpoint.member().memory;

        if self.ticks.take(|| memory.now()) {
            self.endpoint.tidy(IDLE);
        }
    }

    /// The process sends or receives something, so there is periodic work.
    #[inline]
    pub(super) fn used(&mut self) {
        let memory = &self.endpoint.member().memory;

        self.ticks.used(|| memory.now());
    }

    /// The message of a type that was kept before this process has registered the
    /// type, with its sender.
    pub fn take_kept(&mut self, number: u16) -> Option<(Kept, Peer)> {
        let kept = retained::read(&self.board, number)?;

        if !self.versions.is_new(number, kept.version) {
            return None;
        }

        let sender = self.sender(kept.sender.0, kept.sender.1);

        Some((kept, sender))
    }

    /// The process in a slot. `None` if no process has the slot.
    pub fn peer(&self, slot: u32) -> Option<Peer> {
        self.endpoint
            .peer(slot)
            .filter(|peer| peer.state != State::Vacant)
    }

    /// The process `incarnation` of a slot, which can be dead.
    fn sender(&self, slot: u32, incarnation: u32) -> Peer {
        let unknown = Peer {
            slot,
            state: State::Vacant,
            incarnation,
            line: incarnation,
            identity: Identity::default(),
        };
        let is_of_line = |peer: &Peer| (peer.line..=peer.incarnation).contains(&incarnation);

        match self.endpoint.peer(slot).filter(is_of_line) {
            // A predecessor has the identity of its replacement.
            Some(peer) => Peer {
                incarnation,
                ..peer
            },
            None => unknown,
        }
    }

    /// The next notice of a turn of at most `left` messages, from which each
    /// message is subtracted; `None` if there is none, or if the turn is over.
    pub fn next(&mut self, left: &mut u32) -> Option<Notice<T>> {
        loop {
            if let Some(notice) = self.notices.pop_front() {
                return Some(notice);
            }

            if let Some(data) = self.take_late() {
                return Some(Notice::Outcome(data, Outcome::TooLate, None));
            }

            // Deaths are looked for before the messages are received, so that all
            // that the dead have sent is found then.
            self.look();

            if *left == 0 {
                return None;
            }

            *left -= 1;

            let mut turn = self.endpoint.turn(1, 0);

            match self.endpoint.next(&mut turn) {
                Some(event) => self.found(event),
                None if self.has_seen_deaths => self.report_deaths(),
                None => return None,
            }
        }
    }

    fn take_late(&mut self) -> Option<T> {
        if self.requests.is_empty() {
            return None;
        }

        self.requests.take_late(self.now())
    }

    /// Whether there are changes that [`Exchange::look`] has not seen.
    fn is_behind(&self) -> bool {
        let is_interested = self.presence.is_watching() || !self.requests.is_empty();

        is_interested && (self.looks_again || self.changes != board::changes(&self.board))
    }

    /// Looks for processes that have started or are dead, unless some were found
    /// and not reported yet.
    fn look(&mut self) {
        if self.has_seen_deaths || !self.is_behind() {
            return;
        }

        self.looks_again = false;
        self.changes = board::changes(&self.board);

        let endpoint = &self.endpoint;
        let own = endpoint.member().slot;

        self.has_seen_deaths = self.presence.look(own, |slot| endpoint.peer(slot));

        self.has_seen_deaths |= self.requests.mark_dead(|slot, incarnation| {
            let (state, now) = endpoint.member().state(slot);

            now == incarnation && matches!(state, State::Starting | State::Running)
        });
    }

    /// Reports the deaths, after all messages were received.
    fn report_deaths(&mut self) {
        self.has_seen_deaths = false;

        while let Some(data) = self.requests.take_dead() {
            self.notices
                .push_back(Notice::Outcome(data, Outcome::Died, None));
        }

        let changes = self.presence.take_due().into_iter().map(Notice::Change);

        self.notices.extend(changes);
    }

    /// Makes notices of an event.
    fn found(&mut self, event: Event) {
        self.used();

        match event {
            Event::Message(message) => self.found_message(message),
            Event::Gap(gap) => {
                keys::free_all(&self.board, self.slot());

                let (_, incarnation) = self.endpoint.member().state(gap.sender);
                let sender = self.sender(gap.sender, incarnation);

                self.notices.push_back(Notice::Gap(gap, sender));
            }
            Event::Room(slot) => {
                if let Some(peer) = self.peer(slot) {
                    self.notices.push_back(Notice::Room(peer));
                }
            }
            // The board tells of processes that have sent nothing, too.
            Event::Up(_) | Event::Down(_) => {}
        }
    }

    fn found_message(&mut self, mut message: Message) {
        if message.user & KEYED != 0 {
            keys::handled(&self.board, message.user & !KEYED, self.slot());
            message.user = 0;
        } else if message.user & KEPT != 0 {
            let version = message.user & !KEPT;

            message.user = 0;

            if message.message_type != REPLY && !self.versions.is_new(message.message_type, version)
            {
                return;
            }
        }

        let sender = self.sender(message.sender, message.incarnation);

        if self.presence.is_watching() {
            let changes = self.presence.before_message(sender);

            self.notices.extend(changes.into_iter().map(Notice::Change));
        }

        if message.message_type != REPLY {
            self.notices.push_back(Notice::Message(message, sender));
            return;
        }

        let data = self
            .requests
            .answered(message.user, message.sender, message.incarnation);

        // A reply that is too late has no request any more.
        if let Some(data) = data {
            self.notices.push_back(Notice::Outcome(
                data,
                Outcome::Answered,
                Some((message, sender)),
            ));
        }
    }

    /// Prepares to sleep. Returns false if there is something to do.
    pub fn prepare_sleep(&mut self) -> bool {
        if !self.notices.is_empty() || self.has_seen_deaths || !self.endpoint.prepare_sleep() {
            return false;
        }

        // A process that counts a change looks whether this one sleeps afterwards.
        if self.is_behind() {
            self.endpoint.wake_up();
            return false;
        }

        true
    }

    /// Ends a sleep.
    pub fn wake_up(&mut self) {
        self.endpoint.wake_up();
    }

    /// The address of the payload of a message.
    pub fn payload(&self, message: &Message) -> Option<NonNull<u8>> {
        self.endpoint.payload(message)
    }

    /// Whether this process is the master.
    pub fn is_master(&self) -> bool {
        self.endpoint
            .peer(self.slot())
            .is_some_and(|peer| peer.identity.role == NGX_PROCESS_MASTER as u64)
    }
}
