//! Chooses the lane from which a receiver takes the next message. `sleep` says when
//! the receiver may sleep.
//!
//! A receiver looks at the lanes whose bit is set, one after the other, and
//! takes at most a burst of messages from each. Control lanes come first: they
//! are looked at before each burst. A bit stays set while its lane is in use, so
//! a busy sender only reads it.

use std::mem::offset_of;
use std::sync::atomic::Ordering::Acquire;

use nix::errno::Errno;

use super::bits::Bits;
use super::event::{Event, Message, Origin, Sender, Turn};
use super::in_lane::InLane;
use super::lanes::Lanes;
use super::layout::{Bitmap, Class, Slot};
use super::member::Member;
use super::memory::Memory;
use super::senders::Senders;
use super::taken::{Cause, Handled, Taken};
use super::words::Position;

/// A lane that was found empty this many times in a row is no longer looked at,
/// until its sender sets its bit again.
const MOST_EMPTY: u32 = 32;
/// The number of records without a message that are passed over in one look at
/// a lane.
const MOST_PASSED: u32 = 8;

/// The lanes of one class.
#[derive(Clone, Debug)]
pub(super) struct Side {
    pub(super) lanes: Lanes<InLane>,
    /// The lanes that are looked at.
    pub(super) active: Bits,
    /// The lane that was looked at last.
    pub(super) cursor: u32,
}

/// What was found in a lane.
enum Pulled {
    /// A message or a gap.
    Event(Event),
    /// The next records are of this incarnation, which is not the one that was
    /// reported as up.
    Another(u32),
    /// More records to look at.
    More,
    /// Nothing.
    Nothing,
}

/// What a process receives.
#[derive(Clone, Debug)]
pub struct Incoming {
    pub(super) sides: [Side; 2],
    /// Pools that have room again and were not reported yet.
    pub(super) room: Bits,
    pub(super) senders: Senders,
    /// The class of the lane that a burst is taken from.
    pub(super) current: Class,
    pub(super) burst: u32,
    /// The largest number of messages in a burst.
    pub cap: u32,
    /// The message that was returned last.
    pub(super) handled: Option<Handled>,
    /// The time at which a message was sent, in nanoseconds; 0 if it is not known.
    /// The short path does not change it, see `timed`.
    pub(super) time: u64,
    /// The message to which `time` belongs: the head of its lane, and the number
    /// after its own.
    timed: (usize, u32),
    pub(super) sleeps: u64,
}

impl Incoming {
    /// Begins to receive. A process that is not the first one in its slot looks
    /// at all lanes that were ever opened. Fails with `ENOMEM`.
    pub fn new<M: Memory>(m: &Member<M>) -> Result<Self, Errno> {
        let words = m.layout.words();
        let side = |class| {
            let mut active = Bits::new(words);

            for word in 0..words {
                let at = m.layout.bitmap(m.slot, Bitmap::Known(class)) + word * 8;

                active.add_word(word, m.memory.load(at, Acquire) & m.layout.mask(word));
            }

            Ok::<_, Errno>(Side {
                lanes: Lanes::new(m.layout.sizes.slots)?,
                active,
                cursor: 0,
            })
        };
        let sleep = m.layout.slot(m.slot) + offset_of!(Slot, sleep);

        Ok(Self {
            sides: [side(Class::Control)?, side(Class::Data)?],
            room: Bits::new(words),
            senders: Senders::new(m.layout.sizes.slots, words)?,
            current: Class::Control,
            burst: 0,
            cap: 16,
            handled: None,
            time: 0,
            timed: (0, 0),
            sleeps: m.memory.load(sleep, Acquire) | 1,
        })
    }

    #[inline]
    pub(super) fn side(&mut self, class: Class) -> &mut Side {
        class.of_mut(&mut self.sides)
    }

    /// Ends the handling of the message that was returned last.
    #[inline]
    pub fn finish<M: Memory>(&mut self, m: &Member<M>) {
        if let Some(handled) = &self.handled {
            handled.finish(m);
            self.handled = None;
        }
    }

    /// The next event; `None` if there is none, or if the turn is over.
    #[inline(never)]
    pub fn next<M: Memory>(&mut self, m: &Member<M>, turn: &mut Turn) -> Option<Event> {
        self.finish(m);

        if !turn.spend(m) {
            return None;
        }

        if self.burst > 0 {
            self.burst -= 1;

            let (class, sender) = (self.current, self.side(self.current).cursor);

            if let Some(event) = self.take(m, class, sender) {
                return Some(event);
            }
        }

        self.search(m)
    }

    /// Looks at other lanes next.
    pub fn end_burst(&mut self) {
        self.burst = 0;
    }

    /// Looks at all active lanes once, beginning after the last one.
    fn search<M: Memory>(&mut self, m: &Member<M>) -> Option<Event> {
        self.refresh(m);

        if let Some(slot) = self.room.next(0) {
            self.room.remove(slot);
            return Some(Event::Room(slot));
        }

        if let Some(sender) = self.find_down(m) {
            return Some(Event::Down(sender));
        }

        for class in Class::ALL {
            let start = self.side(class).cursor + 1;

            if let Some(event) = self.search_from(m, class, start, m.layout.sizes.slots) {
                return Some(event);
            }

            if let Some(event) = self.search_from(m, class, 0, start) {
                return Some(event);
            }
        }

        None
    }

    fn search_from<M: Memory>(
        &mut self,
        m: &Member<M>,
        class: Class,
        from: u32,
        to: u32,
    ) -> Option<Event> {
        let mut from = from;

        while let Some(sender) = self.side(class).active.next(from).filter(|&slot| slot < to) {
            let small = self.take_small(m, class, sender).map(Event::Message);
            let event = small.or_else(|| self.take(m, class, sender));

            if event.is_some() {
                self.side(class).cursor = sender;
                self.current = class;
                self.burst = self.cap.saturating_sub(1);

                return event;
            }

            from = sender + 1;
        }

        None
    }

    /// Reads the shared bitmaps.
    pub(super) fn refresh<M: Memory>(&mut self, m: &Member<M>) {
        for word in 0..m.layout.words() {
            for class in Class::ALL {
                let at = m.layout.bitmap(m.slot, Bitmap::Ready(class)) + word * 8;
                let bits = m.memory.load(at, Acquire) & m.layout.mask(word);

                self.side(class).active.add_word(word, bits);
            }

            let at = m.layout.bitmap(m.slot, Bitmap::Room) + word * 8;

            if m.memory.load(at, Acquire) != 0 {
                let bits = m.memory.swap(at, 0) & m.layout.mask(word);

                self.room.add_word(word, bits);
            }
        }
    }

    #[inline(never)]
    fn take<M: Memory>(&mut self, m: &Member<M>, class: Class, sender: u32) -> Option<Event> {
        match self.pull(m, class, sender) {
            Pulled::Event(event) => Some(event),
            Pulled::Another(incarnation) => self.change(
                m,
                class,
                Sender {
                    slot: sender,
                    incarnation,
                },
            ),
            Pulled::Nothing | Pulled::More => None,
        }
    }

    /// Takes the next message or gap of a lane, if it comes from the process
    /// that is up.
    #[inline]
    fn pull<M: Memory>(&mut self, m: &Member<M>, class: Class, sender: u32) -> Pulled {
        let up = self.senders.up(sender);
        let side = self.side(class);
        let lane = side
            .lanes
            .load(sender, || Ok(InLane::load(m, m.from(class, sender))));
        // Without memory the lane stays active, so this is tried again.
        let Ok(lane) = lane else {
            return Pulled::Nothing;
        };

        for _ in 0..MOST_PASSED {
            let incarnation = lane.incarnation();

            if incarnation != up && incarnation != 0 {
                return Pulled::Another(incarnation);
            }

            match lane.take(m) {
                Taken::Message(record, number) => {
                    let handled = Handled::after_message(lane.head, number, &record);

                    self.time = lane.time_of(number);
                    self.timed = (handled.head, handled.number);
                    self.handled = Some(handled);

                    let origin = Origin {
                        class,
                        slot: sender,
                        incarnation,
                    };

                    return Pulled::Event(Event::Message(Message::new(origin, number, record)));
                }
                Taken::Gap(gap) => {
                    if gap.cause != Cause::Damaged {
                        self.handled = Some(Handled::after_gap(lane.head, gap));
                    }

                    return Pulled::Event(Event::Gap(gap));
                }
                Taken::Up(_) | Taken::More => (),
                Taken::Nothing => {
                    self.found_empty(m, class, sender);
                    return Pulled::Nothing;
                }
            }
        }

        Pulled::More
    }

    /// Reports another process in the slot of a sender. Before that it returns the
    /// messages that the predecessor has sent in the other lane, and then the
    /// predecessor's death.
    #[cold]
    fn change<M: Memory>(&mut self, m: &Member<M>, class: Class, new: Sender) -> Option<Event> {
        if self.senders.up(new.slot) == 0 {
            self.senders.set_up(new);
            return Some(Event::Up(new));
        }

        match self.pull(m, class.other(), new.slot) {
            Pulled::Event(event) => Some(event),
            Pulled::More => None,
            Pulled::Another(_) | Pulled::Nothing => Some(Event::Down(self.forget(m, new.slot))),
        }
    }

    /// Records that a lane is empty. Stops looking at a lane that was empty many times.
    fn found_empty<M: Memory>(&mut self, m: &Member<M>, class: Class, sender: u32) {
        if let Some(lane) = self.side(class).lanes.get_mut(sender)
            && lane.count_empty() >= MOST_EMPTY
        {
            self.retire(m, class, sender);
        }
    }

    /// Stores again how far this process has come.
    pub fn assert_places<M: Memory>(&self, m: &Member<M>) {
        for side in &self.sides {
            for lane in side.lanes.iter() {
                lane.assert_place(m);
            }
        }
    }

    /// Reports that a pool may have room.
    pub fn add_room(&mut self, slot: u32) {
        self.room.add(slot);
    }

    /// Takes the time of the message that was returned last; `None` if it is not
    /// known.
    #[inline]
    pub fn take_time(&mut self) -> Option<u64> {
        if self.time == 0 {
            return None;
        }

        let time = std::mem::take(&mut self.time);
        let handled = self.handled?;

        (self.timed == (handled.head, handled.number)).then_some(time)
    }

    /// Counts a message that was lost after it had been received.
    pub fn count_handled<M: Memory>(&mut self, m: &Member<M>, class: Class, sender: u32) {
        if let Some(lane) = self.side(class).lanes.get_mut(sender) {
            lane.count_handled(m);
        }
    }

    /// The next record of a lane; `None` if the lane was never looked at.
    pub fn position(&self, class: Class, sender: u32) -> Option<Position> {
        let lanes = &class.of(&self.sides).lanes;

        lanes.get(sender).map(InLane::position)
    }
}
