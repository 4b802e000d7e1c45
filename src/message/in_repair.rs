//! What a receiver does when another process has overwritten the shared words of
//! a lane.

use std::mem::offset_of;
use std::sync::atomic::Ordering::Relaxed;

use super::in_lane::InLane;
use super::lane;
use super::layout::LaneHead;
use super::member::Member;
use super::memory::Memory;

impl InLane {
    /// Stores the position again if another process has changed it. No message is
    /// being handled.
    pub fn assert_place<M: Memory>(&self, m: &Member<M>) {
        if lane::place(&m.memory, &m.layout, self.lane) != self.place() {
            self.store(m);
        }

        let at = self.head + offset_of!(LaneHead, done);

        if self.left.is_none() && m.memory.load(at, Relaxed) != u64::from(self.at.number) {
            self.done(m);
        }
    }
}
