//! The interface of this directory: sends and receives for one process.

use std::ptr::NonNull;

use super::event::{Event, Message, Turn};
use super::idle::Idle;
use super::lane::ALIGN;
use super::layout::{CHUNK, Layout, Mismatch};
use super::letter::{Broadcast, Letter, Load, Refused, Reservation, Target};
use super::member::Member;
use super::memory::Memory;
use super::peers::{self, Peer, State};
use super::receive::Incoming;
use super::send::Outgoing;
use super::sweep::Sweep;

/// Why a process cannot use a slot of the region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttachError {
    /// The region cannot be used.
    Mismatch(Mismatch),
    /// There is no such slot, or no process was appointed to it.
    Vacant,
    /// There is not enough memory.
    NoMemory,
}

/// Sends and receives messages for the process of one slot.
#[derive(Clone, Debug)]
pub struct Endpoint<M> {
    member: Member<M>,
    incoming: Incoming,
    outgoing: Outgoing,
    idle: Idle,
    sweep: Sweep,
    /// The number of times that the pool of this process was used.
    activity: u64,
    /// Whether events have arrived since this process has sent something.
    is_following: bool,
    /// Whether all of them were received.
    has_caught_up: bool,
    /// [`State::Running`] or [`State::Leaving`].
    state: State,
}

impl<M: Memory> Endpoint<M> {
    /// Begins to use a slot to which this process was appointed. A successor
    /// continues where its predecessor has stopped.
    pub fn attach(memory: M, slot: u32) -> Result<Self, AttachError> {
        let layout = Layout::attach(&memory).map_err(AttachError::Mismatch)?;
        let peer = peers::peer(&memory, &layout, slot).ok_or(AttachError::Vacant)?;

        if !peer.state.takes_messages() {
            return Err(AttachError::Vacant);
        }

        Self::begin(Member {
            memory,
            layout,
            slot,
            incarnation: peer.incarnation,
            line: peer.line,
            identity: peer.identity,
        })
    }

    /// Does the same in a process that knows from its master what it is, whatever its
    /// slot says. No other process has the slot.
    pub fn begin(member: Member<M>) -> Result<Self, AttachError> {
        let incoming = Incoming::new(&member).or(Err(AttachError::NoMemory))?;
        let outgoing = Outgoing::new(&member).or(Err(AttachError::NoMemory))?;

        member.assert_state(State::Running);

        Ok(Self {
            incoming,
            outgoing,
            idle: Idle::default(),
            sweep: Sweep::default(),
            activity: 0,
            is_following: false,
            has_caught_up: false,
            state: State::Running,
            member,
        })
    }

    /// The memory, the layout, the slot and the incarnation.
    pub fn member(&self) -> &Member<M> {
        &self.member
    }

    /// What this process is, whatever its slot says.
    pub fn own(&self) -> Peer {
        Peer {
            slot: self.member.slot,
            state: self.state,
            incarnation: self.member.incarnation,
            line: self.member.line,
            identity: self.member.identity,
        }
    }

    /// Reads what a slot contains; `None` if there is no such slot.
    pub fn peer(&self, slot: u32) -> Option<Peer> {
        peers::peer(&self.member.memory, &self.member.layout, slot)
    }

    /// Sets the largest payload that this process sends, in bytes. It is 1 MiB
    /// at first.
    pub fn set_max_payload(&mut self, bytes: usize) {
        self.outgoing.max_payload = bytes;
    }

    /// Fails if no payload of `len` bytes can be sent.
    pub fn check_len(&self, len: usize) -> Result<(), Refused> {
        self.outgoing.check_len(&self.member, len).map(drop)
    }

    /// Sets the largest number of messages that are received from one sender
    /// before others have their turn. It is 16 at first.
    pub fn set_burst(&mut self, messages: u32) {
        self.incoming.cap = messages.max(1);
    }

    /// Sends a copy of `payload`.
    ///
    /// # Errors
    ///
    /// [`Refused::Again`] if there is no room: [`Event::Room`] follows.
    /// [`Refused::TooLarge`], [`Refused::Gone`], [`Refused::Reserved`] and
    /// [`Refused::NoMemory`] if the message cannot be sent. Nothing was sent then.
    #[inline]
    pub fn send(&mut self, target: Target, letter: Letter, payload: &[u8]) -> Result<(), Refused> {
        self.stop_following();
        self.outgoing.send(&self.member, target, letter, payload)
    }

    /// Records that this process does not only receive. Then it does not pause, see
    /// [`Endpoint::fall_behind`].
    #[inline]
    fn stop_following(&mut self) {
        self.is_following = false;
        self.has_caught_up = false;
    }

    /// Makes room for a message of `len` bytes whose payload the caller builds at
    /// [`Endpoint::address`]. Fails like [`Endpoint::send`].
    ///
    /// A caller that is killed before it commits leaves nothing behind.
    pub fn reserve(
        &mut self,
        target: Target,
        letter: Letter,
        len: usize,
    ) -> Result<Reservation, Refused> {
        self.outgoing.reserve(&self.member, target, letter, len)
    }

    /// Where the payload of a reserved message is built; `None` if the memory has
    /// no addresses.
    pub fn address(&self, reservation: &Reservation) -> Option<NonNull<u8>> {
        self.member
            .memory
            .address(reservation.payload(), reservation.len() as usize)
    }

    /// Sends a reserved message with the first `len` bytes of its payload.
    pub fn commit(&mut self, reservation: Reservation, len: u32) {
        self.stop_following();
        self.outgoing.commit(&self.member, reservation, len);
    }

    /// Gives a reservation back. Nothing is sent.
    pub fn cancel(&mut self, reservation: Reservation) {
        self.outgoing.cancel(&self.member, reservation);
    }

    /// Sends a message to several processes, and calls `missed` for each of them
    /// that it could not be sent to, with the reason. Returns how many got it.
    pub fn broadcast(
        &mut self,
        targets: impl IntoIterator<Item = Target>,
        letter: Letter,
        payload: &[u8],
        missed: impl FnMut(Target, Refused),
    ) -> Broadcast {
        self.stop_following();
        self.activity = self.activity.wrapping_add(1);
        self.outgoing
            .broadcast(&self.member, targets, letter, payload, missed)
    }

    /// Makes a receiver tell this process when it has room, see
    /// [`Outgoing::await_room`].
    pub fn await_room(&mut self, receiver: u32) {
        self.outgoing.await_room(&self.member, receiver);
    }

    /// The number of records of this process that a receiver has not handled.
    pub fn unfinished(&self, receiver: u32) -> u32 {
        self.outgoing.unfinished(&self.member, receiver)
    }

    /// How much of the memory of a receiver is in use.
    pub fn load_of(&mut self, receiver: u32) -> Load {
        self.outgoing.load_of(&self.member, receiver)
    }

    /// The most messages that can wait for this process now.
    pub fn most_waiting(&self) -> u32 {
        self.member.used_chunks().saturating_mul(CHUNK / ALIGN)
    }

    /// Begins a turn of at most `messages` events and `nanoseconds`, 0 for no
    /// limit of time.
    pub fn turn(&self, messages: u32, nanoseconds: u64) -> Turn {
        Turn::new(&self.member, messages, nanoseconds)
    }

    /// The next event of a turn; `None` if there is none, or if the turn is over.
    ///
    /// The payload of a message stays in place until the next call. A process
    /// that dies before the next call has left the message unhandled: its
    /// successor gets a gap for it.
    #[inline(always)]
    pub fn next(&mut self, turn: &mut Turn) -> Option<Event> {
        // After a pause there is no burst.
        match self.incoming.next_small(&self.member, turn) {
            Some(message) => {
                self.activity = self.activity.wrapping_add(1);
                self.is_following = true;

                Some(Event::Message(message))
            }
            None => self.next_any(turn),
        }
    }

    /// Records that the message that was returned last was handled.
    pub fn finish(&mut self) {
        self.incoming.finish(&self.member);
    }

    #[inline(never)]
    fn next_any(&mut self, turn: &mut Turn) -> Option<Event> {
        if self.has_caught_up {
            self.fall_behind();
        }

        let mut event = self.incoming.next(&self.member, turn);

        match event {
            Some(Event::Room(receiver)) => {
                if !self.outgoing.room(&self.member, receiver) {
                    event = Some(Event::Looked(receiver));
                }

                // See `Member::ask_for_identity`.
                self.member.assert_state(self.state);
            }
            Some(_) => {
                self.activity = self.activity.wrapping_add(1);
                self.is_following = true;
            }
            // Nothing is left, or the turn is over.
            None => {
                self.has_caught_up = self.is_following && !turn.is_over();

                if self.has_caught_up {
                    self.incoming.end_burst();
                }
            }
        }

        event
    }

    /// Pauses once after all messages were received, if this process has sent
    /// nothing since. If it read each record as soon as it is there, the
    /// processors would exchange cache lines for each message, and both processes
    /// would be slower.
    #[cold]
    fn fall_behind(&mut self) {
        self.stop_following();
        self.member.memory.pause();
    }

    /// The time at which the message that was returned last was sent, by the clock
    /// of [`Memory::now`]; `None` if the sender has not measured it. A second call for
    /// the same message returns `None`.
    #[inline]
    pub fn take_time(&mut self) -> Option<u64> {
        self.incoming.take_time()
    }

    /// Counts a message that was received from a process and is lost, because a
    /// part of it is missing.
    pub fn count_lost(&mut self, message: &Message) {
        self.incoming
            .count_handled(&self.member, message.class, message.sender);
    }

    /// The address of the payload of a message; `None` if the memory has no
    /// addresses. A process that does not keep to the protocol can change the bytes at
    /// any time. So a caller that checks a payload first copies it.
    pub fn payload(&self, message: &Message) -> Option<NonNull<u8>> {
        self.member
            .memory
            .address(message.payload, message.len as usize)
    }

    /// Copies the payload of a message, as much as fits into `to`. Returns the
    /// number of bytes.
    pub fn copy_payload(&self, message: &Message, to: &mut [u8]) -> usize {
        let len = to.len().min(message.len as usize);
        let to = to.get_mut(..len).unwrap_or_default();

        self.member.memory.read(message.payload, to);
        len
    }

    /// Prepares to sleep. If the result is true, nothing has arrived: the caller
    /// waits until its wake-up descriptor is readable, and then calls
    /// [`Endpoint::wake_up`]. If it is false, there is something to receive.
    pub fn prepare_sleep(&mut self) -> bool {
        self.stop_following();
        self.incoming.prepare_sleep(&self.member)
    }

    /// Ends a sleep.
    pub fn wake_up(&mut self) {
        self.incoming.wake_up(&self.member);
    }

    /// Looks for an event for at most `nanoseconds`, without a system call other
    /// than to read the clock.
    pub fn spin(&mut self, nanoseconds: u64) -> Option<Event> {
        let deadline = self.member.memory.now().saturating_add(nanoseconds);

        loop {
            for _ in 0..16 {
                let mut turn = Turn::new(&self.member, 1, 0);

                if let Some(event) = self.next(&mut turn) {
                    return Some(event);
                }

                std::hint::spin_loop();
            }

            if self.member.memory.now() >= deadline {
                return None;
            }
        }
    }

    /// Records that this process is about to exit: others cannot send to it any more.
    /// It can still receive what was sent before, and send.
    pub fn leave(&mut self) {
        self.state = State::Leaving;
        self.member.assert_state(self.state);
    }

    /// Stores the numbers of what this process has sent, before it exits.
    pub fn publish(&self) {
        self.outgoing.publish(&self.member);
    }

    /// Does the work that is due from time to time, for example each second:
    /// closes lanes that were idle for `rounds` calls, frees shared blocks, gives
    /// the memory of a pool that was idle for three times as long back to the
    /// kernel, and repairs what a process that does not keep to the protocol has
    /// damaged. Returns whether a lane or a block is in use, so there will be work
    /// even if nothing is sent or received.
    pub fn tidy(&mut self, rounds: u32) -> bool {
        let member = &self.member;

        member.layout.assert_head(&member.memory);
        member.assert_state(self.state);
        self.incoming.finish(member);
        self.incoming.assert_places(member);
        self.sweep.round(
            member,
            |class, sender| self.incoming.position(class, sender),
            |chunk| self.outgoing.has_shared(chunk),
        );
        self.outgoing.tidy(member, rounds);

        self.idle
            .round(member, self.activity, rounds.saturating_mul(3));

        for slot in self.outgoing.waits().iter() {
            self.incoming.add_room(slot);
        }

        self.outgoing.is_in_use()
    }
}
