//! Sending: to one process, and to many.

use super::bits::Bits;
use super::lane::{self, Block, MAX_SMALL};
use super::layout::{CHUNK, Class, MAX_PAYLOAD};
use super::letter::{Broadcast, Envelope, Letter, Refused, Reservation, Spot, Target};
use super::member::Member;
use super::memory::Memory;
use super::out_lane::OutLane;
use super::peers::State;
use super::pool;
use super::shared_block::SharedBlock;
use super::words::{Owner, Use, is_before};

/// What a process sends.
#[derive(Clone, Debug)]
pub struct Outgoing {
    lanes: [Vec<Option<Box<OutLane>>>; 2],
    shared: Vec<SharedBlock>,
    /// Receivers that had no room, and have not told yet that they have.
    waits: Bits,
    shares: u32,
    round: u32,
    /// The largest payload in bytes.
    pub max_payload: usize,
}

impl Outgoing {
    /// Begins to send.
    pub fn new<M: Memory>(m: &Member<M>) -> Self {
        let slots = m.layout.sizes.slots as usize;
        let mut this = Self {
            lanes: [vec![None; slots], vec![None; slots]],
            shared: Vec::new(),
            waits: Bits::new(m.layout.words()),
            shares: m.incarnation << 20,
            round: 0,
            max_payload: 1024 * 1024,
        };

        if m.incarnation > 1 {
            this.adopt(m);
            this.reclaim(m);
        }

        this
    }

    /// The lane to a receiver, whose slot exists.
    #[inline]
    fn lane<M: Memory>(
        &mut self,
        m: &Member<M>,
        class: Class,
        receiver: u32,
    ) -> Result<&mut OutLane, Refused> {
        let round = self.round;
        let [control, data] = &mut self.lanes;
        let lanes = if class.is_control() { control } else { data };
        let lane = lanes.get_mut(receiver as usize).ok_or(Refused::Gone)?;
        let lane = lane.get_or_insert_with(|| Box::new(OutLane::load(m, m.to(class, receiver))));

        lane.touch(round);

        Ok(lane)
    }

    /// Finds out which incarnation a message is for.
    #[inline]
    fn address<M: Memory>(
        m: &Member<M>,
        target: Target,
        letter: Letter,
    ) -> Result<Envelope, Refused> {
        if !m.has_slot(target.slot) {
            return Err(Refused::Gone);
        }

        let (state, incarnation) = m.state(target.slot);
        let is_exact = target.incarnation.is_some();
        let is_there = match state {
            State::Vacant => false,
            State::Awaited => !is_exact,
            State::Starting | State::Running => true,
        };

        if !is_there || target.incarnation.is_some_and(|meant| meant != incarnation) {
            return Err(Refused::Gone);
        }

        Ok(Envelope {
            message_type: letter.message_type,
            user: letter.user,
            incarnation,
            exact: is_exact,
        })
    }

    /// After there was no room: makes the receiver tell when there is, and tries
    /// once more, because the receiver may have freed something in between.
    #[cold]
    fn again<M: Memory>(
        &mut self,
        m: &Member<M>,
        class: Class,
        receiver: u32,
        len: u32,
    ) -> Result<Spot, Refused> {
        m.await_room(receiver);

        let lane = self.lane(m, class, receiver)?;
        let again = lane.reserve(m, len);

        if again.is_err() {
            lane.count_refused();
            self.waits.add(receiver);
        }

        again
    }

    #[inline]
    fn check_len<M: Memory>(&self, m: &Member<M>, len: usize) -> Result<u32, Refused> {
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
    #[inline]
    pub fn send<M: Memory>(
        &mut self,
        m: &Member<M>,
        target: Target,
        letter: Letter,
        payload: &[u8],
    ) -> Result<(), Refused> {
        let len = self.check_len(m, payload.len())?;
        let envelope = Self::address(m, target, letter)?;
        let lane = self.lane(m, letter.class, target.slot)?;

        let spot = match lane.reserve(m, len) {
            Ok(spot) => {
                m.memory.write(spot.payload, payload);
                lane.commit(m, spot, envelope);

                return Ok(());
            }
            Err(Refused::Again) => self.again(m, letter.class, target.slot, len)?,
            Err(refused) => return Err(refused),
        };

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
        let lane = self.lane(m, letter.class, target.slot)?;
        let spot = match lane.reserve(m, len) {
            Err(Refused::Again) => self.again(m, letter.class, target.slot, len)?,
            other => other?,
        };

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

    /// Sends a message to several processes. Calls `missed` for each process
    /// that it could not be sent to.
    ///
    /// A large payload is copied once, into a block of this process's own pool.
    /// If that pool has no room, each receiver gets a copy.
    pub fn broadcast<M: Memory>(
        &mut self,
        m: &Member<M>,
        targets: impl IntoIterator<Item = Target>,
        letter: Letter,
        payload: &[u8],
        mut missed: impl FnMut(Target, Refused),
    ) -> Broadcast {
        let mut result = Broadcast::default();
        let block = self.share(m, letter.class, payload);

        for target in targets {
            let sent = match block {
                Some(shared) => self.send_shared(m, target, letter, shared, payload.len() as u32),
                None => self.send(m, target, letter, payload),
            };

            match sent {
                Ok(()) => result.sent += 1,
                Err(refused) => {
                    result.missed += 1;
                    missed(target, refused);
                }
            }
        }

        result
    }

    /// Copies a large payload into a block of this process's own pool.
    fn share<M: Memory>(
        &mut self,
        m: &Member<M>,
        class: Class,
        payload: &[u8],
    ) -> Option<SharedBlock> {
        let len = self.check_len(m, payload.len()).ok()?;

        if len <= MAX_SMALL {
            return None;
        }

        self.reclaim(m);
        self.shares = self.shares.wrapping_add(1) & (u32::MAX >> 1);

        let owner = Owner {
            usage: Use::Shared,
            control: class.is_control(),
            slot: m.slot,
            incarnation: m.incarnation,
            number: self.shares,
        };
        let table = lane::table_chunks(&m.layout);
        let count = table + lane::chunks(len);
        // The hint is the end of the pool, which is never a block.
        let hint = (u32::MAX, count);
        let chunk = pool::claim_run(&m.memory, &m.layout, m.slot, Class::Data, hint, owner)?;
        let block = Block {
            pool: m.slot,
            chunk,
            count,
        };
        let shared = SharedBlock {
            block,
            class,
            owner,
        };

        for receiver in 0..m.layout.sizes.slots {
            shared.remove(m, receiver);
        }

        m.memory
            .write(m.layout.chunk(m.slot, chunk + table), payload);
        self.shared.push(shared);

        Some(shared)
    }

    fn send_shared<M: Memory>(
        &mut self,
        m: &Member<M>,
        target: Target,
        letter: Letter,
        shared: SharedBlock,
        len: u32,
    ) -> Result<(), Refused> {
        let envelope = Self::address(m, target, letter)?;
        let lane = self.lane(m, letter.class, target.slot)?;
        let mut spot = match lane.reserve(m, 8) {
            Err(Refused::Again) => self.again(m, letter.class, target.slot, 8)?,
            other => other?,
        };

        // The receiver is entered before the record is committed: a block
        // without an entry is free.
        let lane = self.lane(m, letter.class, target.slot)?;

        shared.enter(m, target.slot, lane.number());
        spot.len = len;
        spot.block = Some(shared.block);
        lane.commit(m, spot, envelope);

        Ok(())
    }

    /// Frees the shared blocks that all receivers have finished with.
    pub fn reclaim<M: Memory>(&mut self, m: &Member<M>) {
        self.shared.retain(|shared| {
            let Block { chunk, count, .. } = shared.block;
            let is_used = shared.is_used(m);

            if !is_used {
                let chunks = chunk..chunk + count;

                pool::release(&m.memory, &m.layout, m.slot, chunks, shared.owner);
            }

            is_used
        });
    }

    /// Takes over the shared blocks of the predecessor.
    fn adopt<M: Memory>(&mut self, m: &Member<M>) {
        for shared in SharedBlock::all(m) {
            self.drop_lost_entries(m, shared);
            self.shared.push(shared);
        }
    }

    /// Removes the entries whose records the predecessor has not committed.
    fn drop_lost_entries<M: Memory>(&mut self, m: &Member<M>, shared: SharedBlock) {
        for receiver in 0..m.layout.sizes.slots {
            let Some(number) = shared.entered(m, receiver) else {
                continue;
            };
            let is_lost = match self.lane(m, shared.class, receiver) {
                Ok(lane) => !is_before(number, lane.number()),
                Err(_) => true,
            };

            if is_lost {
                shared.remove(m, receiver);
            }
        }
    }

    /// Receivers that had no room when this process has sent last.
    pub fn waits(&self) -> &Bits {
        &self.waits
    }

    /// Reacts to room in the pool of a receiver.
    pub fn room<M: Memory>(&mut self, m: &Member<M>, receiver: u32) {
        self.waits.remove(receiver);

        for lanes in &mut self.lanes {
            if let Some(Some(lane)) = lanes.get_mut(receiver as usize) {
                lane.repair(m);
            }
        }
    }

    /// Begins another round of tidying: frees shared blocks, publishes the
    /// counters, and closes the lanes that were not used in the last `rounds`
    /// rounds.
    pub fn tidy<M: Memory>(&mut self, m: &Member<M>, rounds: u32) {
        self.reclaim(m);
        self.round = self.round.wrapping_add(1);

        for lane in self.lanes.iter_mut().flatten().flatten() {
            if lane.is_open() && lane.is_idle(self.round, rounds) {
                lane.close(m);
            } else {
                lane.remind(m);
                lane.publish(m);
            }
        }
    }
}
