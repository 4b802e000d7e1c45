//! How a receiver begins to look at a lane, and continues one of its predecessor.

use std::mem::offset_of;
use std::sync::atomic::Ordering::{Acquire, Relaxed};

use super::in_lane::{InLane, Status};
use super::incarnation;
use super::lane;
use super::layout::{Lane, LaneHead};
use super::member::Member;
use super::memory::Memory;
use super::taken::{Cause, Gap};
use super::words::{First, Place, Position, is_before};

impl InLane {
    /// Continues a lane where the previous process of the slot has stopped.
    pub fn load<M: Memory>(m: &Member<M>, lane: Lane) -> Self {
        let head = m.layout.lane(lane);
        let place = lane::place(&m.memory, &m.layout, lane);
        let done = m.memory.load(head + offset_of!(LaneHead, done), Acquire) as u32;
        let number = place.number();
        let (status, at) = match place {
            Place::Open(at) if lane::is_valid(&m.layout, at) => (Status::Open, at),
            Place::Closed(number) => (Status::Closed, Position::nowhere(number)),
            Place::Open(Position { number, .. }) | Place::Damaged(number) => {
                (Status::Damaged, Position::nowhere(number))
            }
        };

        // `done` is one record behind if a message was being handled.
        let left = (done == number.wrapping_sub(1)).then_some(Gap {
            sender: lane.sender,
            incarnation: match status {
                Status::Open => incarnation::before(m, lane, at),
                _ => 0,
            },
            class: lane.class,
            number: done,
            count: 1,
            cause: Cause::Handling,
            message_type: None,
        });

        let word = m.memory.load(head + offset_of!(LaneHead, first), Acquire);
        let is_new = First::unpack(word).is_some_and(|first| {
            is_before(number, first.number) || status == Status::Closed && first.number == number
        });

        let mut this = Self {
            lane,
            head,
            status,
            at,
            opened: if is_new { 0 } else { word },
            incarnation: 0,
            time: (0, 0),
            received: m
                .memory
                .load(head + offset_of!(LaneHead, received), Relaxed),
            gaps: m.memory.load(head + offset_of!(LaneHead, gaps), Relaxed),
            left,
            ready: None,
            missing: number,
            empty: 0,
        };

        this.find_incarnation(m);
        this
    }

    /// In a successor: finds out which incarnation has sent the next record.
    fn find_incarnation<M: Memory>(&mut self, m: &Member<M>) {
        if self.status != Status::Open {
            return;
        }

        let incarnation = incarnation::before(m, self.lane, self.at);
        let (state, present) = m.state(self.lane.sender);
        let is_alive = state.is_alive() && incarnation == present;

        if is_alive || self.left.is_some() || self.has_record(m) {
            self.incarnation = incarnation;
        }
    }
}
