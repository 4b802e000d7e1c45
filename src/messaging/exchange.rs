//! Sends and receives the messages of one process for the layer above: finds the
//! process that has an address, and makes notices of what has happened.

use std::cell::{Cell, RefCell};
use std::ops::Range;
use std::ptr::NonNull;

use super::board;
use super::counting::Counting;
use super::kind::MILLISECOND;
use super::presence::{Change, Presence};
use super::requests::{Outcome, Requests};
use super::statistics::Source;
use super::ticks::Ticks;
use super::versions::Versions;

use crate::message::bits::Bits;
use crate::message::endpoint::Endpoint;
use crate::message::event::Message;
use crate::message::lanes::Lanes;
use crate::message::memory::Memory;
use crate::message::peers::Peer;
use crate::message::taken::Gap;
use crate::message::used;
use crate::sys::heap;
use crate::table::role::NGX_PROCESS_MASTER;

/// After this many ticks an idle lane is closed.
const IDLE: u32 = 1;

/// What has happened. `T` is the data of a request.
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
    pub(super) presence: Presence,
    pub(super) requests: Requests<T>,
    /// Reports that come before `next`.
    pub(super) changes_before: [Option<Change>; 4],
    /// The notice that was found and not returned yet.
    pub(super) next: Option<Notice<T>>,
    /// Whether some notices may have been found and not returned yet.
    pub(super) has_found: bool,
    /// The number of changes in the board that were looked at.
    changes: u64,
    /// Whether the processes are looked at even if there are no changes.
    looks_again: bool,
    /// Whether deaths were seen that are reported when all messages were
    /// received.
    pub(super) has_seen_deaths: bool,
    /// Whether these deaths are being reported.
    pub(super) is_reporting: bool,
    /// Whether the layer above calls [`Exchange::take_changed`].
    follows: bool,
    /// Whether there was a change since it has called this function last.
    pub(super) has_changed: bool,
    pub(super) ticks: Ticks,
    pub(super) versions: Versions,
    pub(super) counting: Counting,
    /// The generation of the processes that a set has.
    pub(super) generation: u64,
    /// The master of this process: its slot and its incarnation.
    pub(super) master: (u32, u32),
    /// The slots of the workers, by their number. An entry can be stale.
    pub(super) workers: Vec<u32>,
    /// The processes of a set.
    pub(super) members: Vec<Peer>,
    /// The ranks of `members`, see `choosing`.
    pub(super) ranks: Vec<u64>,
    /// The slot of the process that got the last message to one process of a set.
    pub(super) cursor: u32,
    /// The messages that were received and not handled, see `unhandled`.
    pub(super) unhandled: u64,
    /// See [`Exchange::used_slots`].
    used: Cell<u32>,
    /// What was read of the slots, see [`Exchange::read`].
    pub(super) known: RefCell<Lanes<Peer>>,
    /// In a master: the slots without a process at which it looks next.
    pub(super) vacant: Bits,
    /// Whether this process looks at such slots.
    pub(super) looks_at_vacant: bool,
    is_master: bool,
}

impl<M: Memory + Clone, T> Exchange<M, T> {
    /// Begins to use the slot of an endpoint. Returns `None` if there is no memory.
    pub fn new(endpoint: Endpoint<M>, board: M) -> Option<Self> {
        let member = endpoint.member();
        let (slot, slots) = (member.slot, member.layout.sizes.slots);
        let words = member.layout.words();
        let (incarnation, identity) = (member.incarnation, member.identity);
        // Another process can have made the number of used slots too small.
        let used = (0..slots)
            .rfind(|&slot| member.state(slot).0.takes_messages())
            .map_or(0, |last| last + 1);
        let mut members = Vec::new();
        let mut ranks = Vec::new();

        members.try_reserve_exact(slots as usize).ok()?;
        ranks.try_reserve_exact(slots as usize).ok()?;

        let mut this = Self {
            endpoint,
            counting: Counting::new(&board, slot),
            board,
            presence: Presence::new(slots)?,
            requests: Requests::new(incarnation),
            changes_before: [None; 4],
            next: None,
            has_found: false,
            changes: 0,
            looks_again: false,
            has_seen_deaths: false,
            is_reporting: false,
            follows: false,
            has_changed: false,
            ticks: Ticks::default(),
            versions: Versions::default(),
            generation: identity.generation,
            master: identity.master,
            workers: heap::collect((0..slots).map(|_| u32::MAX)).ok()?,
            members,
            ranks,
            cursor: slot,
            unhandled: 0,
            used: Cell::new(used),
            known: RefCell::new(Lanes::new(slots).ok()?),
            vacant: Bits::new(words),
            looks_at_vacant: identity.place.is_none(),
            is_master: identity.role == NGX_PROCESS_MASTER as u64,
        };

        this.announce_change();

        // The lanes that the predecessor has left open are closed later.
        if incarnation > 1 {
            this.tick_soon();
        }

        Some(this)
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

    /// The slots that can have a process. Their number never becomes smaller: if another
    /// process has made it smaller, this process repairs it.
    #[inline]
    pub(super) fn used_slots(&self) -> Range<u32> {
        let member = self.endpoint.member();
        let shared = used::slots(&member.memory, &member.layout);
        let used = shared.max(self.used.get());

        if shared < used {
            used::note(&member.memory, used - 1);
        }

        self.used.set(used);
        0..used
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

    /// Wakes up this process from now on when another one has started or is dead,
    /// see [`Exchange::take_changed`].
    pub fn follow(&mut self) {
        if !self.follows {
            self.follows = true;
            self.look_again();
        }
    }

    /// Whether a process has started or died, or messages were lost, since the last
    /// call. When [`Exchange::next`] returns `None` before the turn is over, this
    /// process has received all messages of the dead process.
    pub fn take_changed(&mut self) -> bool {
        std::mem::take(&mut self.has_changed)
    }

    /// Makes this process look at all slots soon, and then at each change.
    pub(super) fn look_again(&mut self) {
        board::watch(&self.board, self.slot());
        self.looks_again = true;
    }

    /// Tells the other processes that a process has started or is dead.
    pub fn announce_change(&self) {
        board::count_change(&self.board);

        for slot in 0..self.slots() {
            if board::is_watching(&self.board, slot) {
                self.endpoint.member().wake_if_alive(slot);
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
    /// Returns whether it was due and was done.
    pub fn tidy_if_due(&mut self) -> bool {
        // The work ends the handling of the message that was received last.
        if self.has_untold() {
            return false;
        }

        let memory = &self.endpoint.member().memory;
        let is_due = self.ticks.take(|| memory.now());

        if is_due {
            if self.endpoint.tidy(IDLE) {
                self.ticks.again();
            }

            self.publish_unhandled();
            self.look_how_many_wait();
        }

        is_due
    }

    /// Keeps the largest number of messages that wait, for each type that this
    /// process has sent.
    fn look_how_many_wait(&mut self) {
        let source = Source {
            board: &self.board,
            slots: self.slots(),
        };

        for index in self.counting.take_sent(&self.board) {
            source.deepest(index);
        }
    }

    /// Makes periodic work due in a second, because this process sends or receives
    /// something, or because the layer above has such work.
    #[inline]
    pub fn tick_soon(&mut self) {
        let memory = &self.endpoint.member().memory;

        self.ticks.start(|| memory.now());
    }

    /// Whether there are changes that [`Exchange::look`] has not seen.
    fn is_behind(&self) -> bool {
        let is_interested =
            self.follows || self.presence.is_watching() || !self.requests.is_empty();

        is_interested && (self.looks_again || self.changes != board::changes(&self.board))
    }

    /// Looks for processes that have started or are dead, unless some were found
    /// and not reported yet.
    pub(super) fn look(&mut self) {
        if self.has_seen_deaths || !self.is_behind() {
            return;
        }

        self.looks_again = false;
        self.has_changed = true;
        self.changes = board::changes(&self.board);

        let endpoint = &self.endpoint;
        let own = endpoint.member().slot;

        self.has_seen_deaths = self.presence.look(own, |slot| endpoint.peer(slot));

        self.has_seen_deaths |= self.requests.mark_dead(|slot, incarnation| {
            let (state, now) = endpoint.member().state(slot);

            now == incarnation && state.is_alive()
        });
    }

    /// Ends all requests before their deadlines.
    pub fn end_requests(&mut self) -> impl Iterator<Item = T> + use<M, T> {
        self.requests.take_all()
    }

    /// Whether the process in a slot is not dead. `is_it` says whether an incarnation
    /// is the one that is meant.
    pub fn is_alive(&self, slot: u32, is_it: impl Fn(u32) -> bool) -> bool {
        self.endpoint
            .peer(slot)
            .is_some_and(|peer| peer.state.is_alive() && is_it(peer.incarnation))
    }

    /// Records that this process is about to exit and gets no replacement. Others
    /// cannot send to it any more. It can still receive what has been sent, and send.
    pub fn leave(&mut self) {
        self.endpoint.leave();
    }

    /// Prepares to sleep. Returns false if there is something to do.
    pub fn prepare_sleep(&mut self) -> bool {
        let is_busy = self.next.is_some()
            || self.has_seen_deaths
            || !self.vacant.is_empty()
            || self.changes_before.iter().any(Option::is_some);

        if is_busy || !self.endpoint.prepare_sleep() {
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
        self.is_master
    }
}
