//! The chunks of a lane that the receiver has not freed yet. The sender counts them for
//! its quota.

use nix::errno::Errno;

use super::lane;
use super::letter::Refused;
use super::member::Member;
use super::memory::Memory;
use super::out_lane::{Held, OutLane};
use super::words::{Place, is_before};

/// The number of chunks after which the sender looks how far the receiver has come.
const SETTLE: u32 = 8;

impl OutLane {
    /// Makes room for `count` calls of [`OutLane::hold`]. Fails with `ENOMEM`.
    pub(super) fn make_room_to_hold(&mut self, count: usize) -> Result<(), Errno> {
        self.held.try_reserve(count).or(Err(Errno::ENOMEM))
    }

    pub(super) fn hold(&mut self, until: u32, chunk: u32, count: u32) {
        self.held.push_back(Held {
            until,
            chunk,
            count,
        });
        self.held_chunks += count;
    }

    /// Before `count` chunks are claimed: fails if they would exceed the quota of this
    /// sender.
    ///
    /// The receiver writes to the head of the lane for each message. So this function
    /// does not access it for each chunk, because that would move its cache line to
    /// and fro.
    pub(super) fn check_quota<M: Memory>(
        &mut self,
        m: &Member<M>,
        count: u32,
    ) -> Result<(), Refused> {
        self.unsettled += count;

        if self.unsettled > SETTLE || self.chunks() + count > m.layout.sizes.quota {
            self.settle(m);
        }

        // A record needs at most three entries: its block, and two links.
        self.make_room_to_hold(3).or(Err(Refused::NoMemory))?;

        if self.chunks() + count > m.layout.sizes.quota {
            return Err(Refused::Again);
        }

        Ok(())
    }

    /// Looks how far the receiver has come. If the receiver has found damage,
    /// the lane is closed here, so that the next record opens it again.
    pub fn settle<M: Memory>(&mut self, m: &Member<M>) {
        let place = lane::place(&m.memory, &m.layout, self.lane);

        self.unsettled = 0;

        // Before `first` the receiver has not come here yet. It finds the lane
        // closed behind `first` only if another process has written a `Close`.
        let is_damaged = match place {
            Place::Open(_) => false,
            Place::Closed(number) => is_before(self.first.number, number),
            Place::Damaged(number) => !is_before(number, self.first.number),
        };

        while let Some(&held) = self.held.front() {
            if is_before(place.number(), held.until) {
                break;
            }

            if held.count == 1 {
                self.spares.add(held.chunk);
            } else {
                self.block_hint = held.chunk;
            }

            self.held_chunks -= held.count;
            self.held.pop_front();
        }

        self.deepest = self.deepest.max(self.waiting(place));

        if is_damaged && self.is_open && !self.is_reserved {
            self.abandon(m);
        }
    }
}
