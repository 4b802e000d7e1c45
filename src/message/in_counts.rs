//! What a receiver counts, and the time that comes before some messages.

use std::mem::offset_of;
use std::sync::atomic::Ordering::Relaxed;

use super::in_lane::InLane;
use super::layout::LaneHead;
use super::member::Member;
use super::memory::Memory;
use super::statistics::HANDLED;
use super::taken::{Cause, Gap, Taken};

impl InLane {
    /// The time at which the message with a number was sent, in nanoseconds; 0 if
    /// it is not known.
    pub(super) fn time_of(&self, number: u32) -> u64 {
        let (timed, time) = self.time;

        if timed == number { time } else { 0 }
    }

    pub(super) fn gap(&self, number: u32, count: u32, cause: Cause) -> Gap {
        Gap {
            sender: self.lane.sender,
            incarnation: self.incarnation,
            class: self.lane.class,
            number,
            count,
            cause,
            message_type: None,
        }
    }

    pub(super) fn count<M: Memory>(&mut self, m: &Member<M>, gap: Gap) -> Taken {
        if gap.cause == Cause::Handling {
            self.count_handled(m);
        } else {
            self.add_gaps(m, gap.count.into());
        }

        Taken::Gap(gap)
    }

    /// Counts a message that was lost after it had been received.
    pub(super) fn count_handled<M: Memory>(&mut self, m: &Member<M>) {
        self.add_gaps(m, HANDLED);
    }

    fn add_gaps<M: Memory>(&mut self, m: &Member<M>, gaps: u64) {
        self.gaps = self.gaps.wrapping_add(gaps);
        m.memory
            .store(self.head + offset_of!(LaneHead, gaps), self.gaps, Relaxed);
    }
}
