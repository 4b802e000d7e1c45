//! Broadcasts: one message to several processes.
//!
//! A small payload is copied into each lane. A large one is copied once, into a
//! block that the receivers share.

use nix::errno::Errno;

use super::lane::{self, Block, MAX_SMALL};
use super::layout::Class;
use super::letter::{Broadcast, Letter, Refused, Target};
use super::member::Member;
use super::memory::Memory;
use super::out_small::Before;
use super::pool;
use super::send::Outgoing;
use super::shared_block::SharedBlock;
use super::words::{Owner, Use, is_before};

/// The number of processes whose cache lines are prepared in advance.
const NEXT: usize = 8;

/// Receivers that have a new record and were not told of it.
#[derive(Default)]
struct Untold {
    slots: [u32; NEXT],
    len: usize,
}

impl Untold {
    /// Adds a slot. Returns whether there is no room for another one.
    #[inline]
    fn add(&mut self, slot: u32) -> bool {
        if let Some(place) = self.slots.get_mut(self.len) {
            *place = slot;
            self.len += 1;
        }

        self.len >= NEXT
    }

    /// Removes all slots and returns them.
    #[inline]
    fn take(&mut self) -> impl Iterator<Item = u32> {
        self.slots.into_iter().take(std::mem::take(&mut self.len))
    }
}

impl Outgoing {
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

        let mut targets = targets.into_iter().fuse();
        let mut untold = Untold::default();
        let mut next = [(); NEXT].map(|()| self.prepare(m, letter.class, targets.next()));

        for index in (0..NEXT).cycle() {
            let after = self.prepare(m, letter.class, targets.next());
            let target = next
                .get_mut(index)
                .and_then(|next| std::mem::replace(next, after));
            let Some(target) = target else { break };

            let is_written = block.is_none()
                && self
                    .write_small(m, target, letter, payload, Before::Fence)
                    .is_some();
            let sent = match block {
                Some(shared) => self.send_shared(m, target, letter, shared, payload.len() as u32),
                None if is_written => Ok(()),
                None => self.send(m, target, letter, payload),
            };

            if is_written && untold.add(target.slot) {
                self.tell(m, letter.class, &mut untold);
            }

            match sent {
                Ok(()) => result.sent += 1,
                Err(refused) => {
                    result.missed += 1;
                    missed(target, refused);
                }
            }
        }

        self.tell(m, letter.class, &mut untold);

        if block.is_some() && result.sent == 0 {
            self.reclaim(m);
        }

        result
    }

    /// Tells receivers of the records that were committed for them. One fence is enough
    /// for all of them.
    fn tell<M: Memory>(&self, m: &Member<M>, class: Class, untold: &mut Untold) {
        m.memory.fence();

        for lane in untold.take().filter_map(|slot| self.used_lane(class, slot)) {
            lane.tell(m);
        }
    }

    /// Prepares the cache lines to which the record for a process will be written.
    #[inline]
    fn prepare<M: Memory>(
        &self,
        m: &Member<M>,
        class: Class,
        target: Option<Target>,
    ) -> Option<Target> {
        if let Some(target) = target
            && m.has_slot(target.slot)
            && let Some(lane) = self.used_lane(class, target.slot)
        {
            lane.prepare(m);
        }

        target
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
        self.shared.try_reserve(1).ok()?;
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
        let mut spot = self.reserve_spot(m, target, letter, 8)?;

        // The receiver is entered before the record is committed: a block
        // without an entry is free.
        let lane = self.lane(m, letter.class, target.slot)?;

        shared.enter(m, target.slot, lane.number());
        spot.len = len;
        spot.block = Some(shared.block);
        spot.is_shared = true;
        lane.commit(m, spot, envelope);

        Ok(())
    }

    /// Frees the shared blocks that all receivers have finished with, and tells the
    /// senders that wait for room.
    pub fn reclaim<M: Memory>(&mut self, m: &Member<M>) {
        let count = self.shared.len();

        self.shared.retain(|shared| {
            let Block { chunk, count, .. } = shared.block;
            let is_used = shared.is_used(m);

            if !is_used {
                let chunks = chunk..chunk + count;

                pool::release(&m.memory, &m.layout, m.slot, chunks, shared.owner);
            }

            is_used
        });

        if self.shared.len() < count {
            m.tell_waiters();
        }
    }

    /// Takes over the shared blocks of the predecessor. Fails with `ENOMEM`.
    pub(super) fn adopt<M: Memory>(&mut self, m: &Member<M>) -> Result<(), Errno> {
        let blocks = SharedBlock::all(m)?;

        for shared in &blocks {
            for receiver in 0..m.layout.sizes.slots {
                if shared.entered(m, receiver).is_some() {
                    self.lane(m, shared.class, receiver)
                        .or(Err(Errno::ENOMEM))?;
                }
            }
        }

        self.shared = blocks;
        // The predecessor may have entered a receiver and not sent the record.
        self.drop_wrong_entries(m);

        Ok(())
    }

    /// Removes the entries of shared blocks that name no record of this process.
    pub(super) fn drop_wrong_entries<M: Memory>(&self, m: &Member<M>) {
        for &shared in &self.shared {
            self.drop_entries(m, shared);
        }
    }

    /// Removes the entries of records that were not sent.
    fn drop_entries<M: Memory>(&self, m: &Member<M>, shared: SharedBlock) {
        for receiver in 0..m.layout.sizes.slots {
            let Some(number) = shared.entered(m, receiver) else {
                continue;
            };
            let is_sent = self
                .used_lane(shared.class, receiver)
                .is_some_and(|lane| is_before(number, lane.number()));

            if !is_sent {
                shared.remove(m, receiver);
            }
        }
    }

    /// Whether a chunk of this process's pool belongs to a shared block.
    pub fn has_shared(&self, chunk: u32) -> bool {
        self.shared.iter().any(|shared| {
            let Block {
                chunk: first,
                count,
                ..
            } = shared.block;

            (first..first + count).contains(&chunk)
        })
    }
}
