//! Sending to one process; `broadcast` sends to many.

use std::sync::atomic::Ordering::Acquire;

use nix::errno::Errno;

use super::bits::Bits;
use super::known::is_known;
use super::lane::MAX_SMALL;
use super::lanes::Lanes;
use super::layout::{CHUNK, Class, MAX_PAYLOAD};
use super::letter::{Envelope, Letter, Refused, Reservation, Spot, Target};
use super::member::Member;
use super::memory::Memory;
use super::out_lane::OutLane;
use super::out_small::Before;
use super::peers::State;
use super::shared_block::SharedBlock;
use super::words::unpair;

/// What a process sends.
#[derive(Clone, Debug)]
pub struct Outgoing {
    pub(super) lanes: [Lanes<OutLane>; 2],
    pub(super) shared: Vec<SharedBlock>,
    /// Receivers that had no room, and have not told yet that they have.
    waits: Bits,
    /// The number of the shared block that was made last.
    pub(super) shares: u32,
    /// Whether the lanes that a predecessor has opened are loaded.
    has_all_lanes: bool,
    round: u32,
    /// The largest payload in bytes.
    pub max_payload: usize,
}

impl Outgoing {
    /// Begins to send. Fails with `ENOMEM`.
    pub fn new<M: Memory>(m: &Member<M>) -> Result<Self, Errno> {
        let slots = m.layout.sizes.slots;
        let mut this = Self {
            lanes: [Lanes::new(slots)?, Lanes::new(slots)?],
            shared: Vec::new(),
            waits: Bits::new(m.layout.words()),
            shares: m.incarnation << 20,
            round: 0,
            has_all_lanes: m.incarnation == 1,
            max_payload: 1024 * 1024,
        };

        if m.incarnation > 1 {
            this.adopt(m)?;
            this.reclaim(m);
        }

        Ok(this)
    }

    /// The lane to a receiver; `None` if it was never used.
    #[inline]
    pub(super) fn used_lane(&self, class: Class, receiver: u32) -> Option<&OutLane> {
        class.of(&self.lanes).get(receiver)
    }

    /// The lane to a receiver, whose slot exists.
    #[inline]
    pub(super) fn lane<M: Memory>(
        &mut self,
        m: &Member<M>,
        class: Class,
        receiver: u32,
    ) -> Result<&mut OutLane, Refused> {
        let round = self.round;
        let lane = class
            .of_mut(&mut self.lanes)
            .load(receiver, || OutLane::load(m, m.to(class, receiver)))
            .or(Err(Refused::NoMemory))?;

        lane.touch(round);

        Ok(lane)
    }

    /// Finds out which incarnation a message is for.
    #[inline]
    pub(super) fn address<M: Memory>(
        m: &Member<M>,
        target: Target,
        letter: Letter,
    ) -> Result<Envelope, Refused> {
        if !m.has_slot(target.slot) {
            return Err(Refused::Gone);
        }

        let (state, incarnation) = m.state(target.slot);
        let is_there = match state {
            State::Vacant | State::Leaving | State::Claimed | State::Dead => false,
            State::Awaited => target.incarnation.is_none(),
            State::Starting | State::Running => true,
        };

        if !is_there || !target.is_for(incarnation) {
            return Err(Refused::Gone);
        }

        Ok(Envelope::new(target, letter, incarnation))
    }

    /// Makes room for a record to a process. If there is none, the process tells this
    /// one when there is room.
    pub(super) fn reserve_spot<M: Memory>(
        &mut self,
        m: &Member<M>,
        target: Target,
        letter: Letter,
        len: u32,
    ) -> Result<Spot, Refused> {
        let lane = self.lane(m, letter.class, target.slot)?;

        match lane.reserve(m, len, letter.timed) {
            Err(Refused::Again) => self.reserve_again(m, target, letter, len),
            reserved => reserved,
        }
    }

    /// After there was no room: makes the receiver tell this process when there is
    /// room. Then reserves once more, because the receiver may have freed a chunk in
    /// between.
    #[cold]
    fn reserve_again<M: Memory>(
        &mut self,
        m: &Member<M>,
        target: Target,
        letter: Letter,
        len: u32,
    ) -> Result<Spot, Refused> {
        m.await_room(target.slot);

        let lane = self.lane(m, letter.class, target.slot)?;
        let again = lane.reserve(m, len, letter.timed);

        if again.is_err() {
            lane.count_refused();
            self.waits.add(target.slot);
        }

        again
    }

    #[inline]
    pub(super) fn check_len<M: Memory>(&self, m: &Member<M>, len: usize) -> Result<u32, Refused> {
        let sizes = m.layout.sizes;
        let chunks = sizes.quota.saturating_sub(1);
        let chunks = chunks.min((sizes.chunks - sizes.control_chunks).saturating_sub(1));
        let most = (chunks * CHUNK).max(MAX_SMALL) as usize;

        if len > self.max_payload.min(MAX_PAYLOAD).min(most) {
            return Err(Refused::TooLarge);
        }

        Ok(len as u32)
    }

    /// Sends a message whose payload is copied.
    #[inline(always)]
    pub fn send<M: Memory>(
        &mut self,
        m: &Member<M>,
        target: Target,
        letter: Letter,
        payload: &[u8],
    ) -> Result<(), Refused> {
        if let Some(lane) = self.write_small(m, target, letter, payload, Before::Tell) {
            lane.tell(m);
            return Ok(());
        }

        self.send_any(m, target, letter, payload)
    }

    /// Commits a small message to a process that runs, if its lane was used before and
    /// has room. Returns the lane if it has. The caller tells the receiver, see
    /// [`OutLane::write_small`].
    #[inline(always)]
    pub(super) fn write_small<M: Memory>(
        &mut self,
        m: &Member<M>,
        target: Target,
        letter: Letter,
        payload: &[u8],
        before: Before,
    ) -> Option<&OutLane> {
        let lane = letter.class.of_mut(&mut self.lanes).get_mut(target.slot)?;
        let (state, incarnation) = unpair(m.memory.load(lane.state, Acquire));

        if letter.timed
            || state != State::Running as u32
            || !target.is_for(incarnation)
            || payload.len() > self.max_payload.min(MAX_SMALL as usize)
        {
            return None;
        }

        lane.touch(self.round);

        let envelope = Envelope::new(target, letter, incarnation);

        if lane.write_small(m, envelope, payload, before) {
            Some(lane)
        } else {
            None
        }
    }

    /// Sends a message whose payload is copied.
    #[inline(never)]
    fn send_any<M: Memory>(
        &mut self,
        m: &Member<M>,
        target: Target,
        letter: Letter,
        payload: &[u8],
    ) -> Result<(), Refused> {
        let len = self.check_len(m, payload.len())?;
        let envelope = Self::address(m, target, letter)?;
        let spot = self.reserve_spot(m, target, letter, len)?;

        m.memory.write(spot.payload, payload);
        self.lane(m, letter.class, target.slot)?
            .commit(m, spot, envelope);

        Ok(())
    }

    /// Makes room for a message of `len` bytes, whose payload the caller builds
    /// in place. Until it is committed or cancelled no other message can be sent
    /// to this receiver in this class.
    pub fn reserve<M: Memory>(
        &mut self,
        m: &Member<M>,
        target: Target,
        letter: Letter,
        len: usize,
    ) -> Result<Reservation, Refused> {
        let len = self.check_len(m, len)?;
        let envelope = Self::address(m, target, letter)?;
        let spot = self.reserve_spot(m, target, letter, len)?;

        Ok(Reservation {
            receiver: target.slot,
            letter,
            envelope,
            spot,
        })
    }

    /// Sends a reserved message. `len` is the length of its payload in bytes, at
    /// most what was reserved.
    pub fn commit<M: Memory>(&mut self, m: &Member<M>, reservation: Reservation, len: u32) {
        let Reservation {
            receiver,
            letter,
            envelope,
            mut spot,
        } = reservation;

        if let Ok(lane) = self.lane(m, letter.class, receiver) {
            lane.shorten(m, &mut spot, len);
            lane.commit(m, spot, envelope);
        }
    }

    /// Gives a reservation back.
    pub fn cancel<M: Memory>(&mut self, m: &Member<M>, reservation: Reservation) {
        if let Ok(lane) = self.lane(m, reservation.letter.class, reservation.receiver) {
            lane.cancel(m, reservation.spot);
        }
    }

    /// Makes a receiver tell this process when it has room for something that the
    /// pool does not contain. The caller must look for room once more afterwards.
    pub fn await_room<M: Memory>(&mut self, m: &Member<M>, receiver: u32) {
        if m.has_slot(receiver) {
            m.await_room(receiver);
            self.waits.add(receiver);
        }
    }

    /// Receivers that had no room when this process has sent last.
    pub fn waits(&self) -> &Bits {
        &self.waits
    }

    /// Reacts to room in the pool of a receiver. Returns whether this process waits for
    /// it: others use the same bit for other reasons.
    pub fn room<M: Memory>(&mut self, m: &Member<M>, receiver: u32) -> bool {
        let waits = self.waits.has(receiver);

        self.waits.remove(receiver);

        for lanes in &mut self.lanes {
            if let Some(lane) = lanes.get_mut(receiver) {
                lane.repair(m);
            }
        }

        waits
    }

    /// Loads the lanes that a predecessor has opened, so that they are closed if
    /// this process does not use them. Without memory the next round does it.
    fn load_all_lanes<M: Memory>(&mut self, m: &Member<M>) {
        if self.has_all_lanes {
            return;
        }

        let all = (0..m.layout.sizes.slots)
            .flat_map(|receiver| Class::ALL.map(|class| (class, receiver)));

        self.has_all_lanes = all
            .filter(|&(class, receiver)| is_known(&m.memory, &m.layout, m.to(class, receiver)))
            .all(|(class, receiver)| self.lane(m, class, receiver).is_ok());
    }

    /// Whether a lane is open, a shared block is in use, or a message was refused.
    pub fn is_in_use(&self) -> bool {
        let mut lanes = self.lanes.iter().flat_map(Lanes::iter);

        !self.shared.is_empty() || !self.waits.is_empty() || lanes.any(OutLane::is_open)
    }

    /// Begins another round of tidying: frees shared blocks, publishes the
    /// counters, and closes the lanes that were not used in the last `rounds`
    /// rounds.
    pub fn tidy<M: Memory>(&mut self, m: &Member<M>, rounds: u32) {
        self.load_all_lanes(m);
        self.drop_wrong_entries(m);
        self.reclaim(m);
        self.round = self.round.wrapping_add(1);

        for lane in self.lanes.iter_mut().flat_map(Lanes::iter_mut) {
            if lane.is_open() && lane.is_idle(self.round, rounds) && lane.close(m) {
                continue;
            }

            lane.remind(m);
            lane.publish(m);
        }

        self.sweep(m);
    }

    /// Publishes the counters of all lanes.
    pub fn publish<M: Memory>(&self, m: &Member<M>) {
        for lane in self.lanes.iter().flat_map(Lanes::iter) {
            lane.publish(m);
        }
    }

    /// Frees chunks of one lane that this process has not claimed. Each round
    /// looks at another lane.
    fn sweep<M: Memory>(&mut self, m: &Member<M>) {
        let lanes = || self.lanes.iter().flat_map(Lanes::iter);
        let count = lanes().count();

        if count > 0
            && let Some(lane) = lanes().nth(self.round as usize % count)
        {
            lane.sweep(m);
        }
    }
}
