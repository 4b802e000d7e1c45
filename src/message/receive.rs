//! Receiving: which lane is next, and when the process may sleep.
//!
//! A receiver looks at the lanes whose bit is set, one after the other, and
//! takes at most a burst of messages from each. Control lanes come first: they
//! are looked at before each burst. A bit stays set while its lane is in use, so
//! a busy sender only reads it.

use std::mem::offset_of;
use std::sync::atomic::Ordering::{Acquire, SeqCst};

use super::bits::Bits;
use super::event::{Event, Message, Origin, Turn};
use super::in_lane::InLane;
use super::layout::{Bitmap, Class, Slot};
use super::member::Member;
use super::memory::Memory;
use super::peers::State;
use super::taken::{Handled, Taken};
use super::words::Position;

/// A lane that was found empty this many times in a row is no longer looked at,
/// until its sender sets its bit again.
const MOST_EMPTY: u32 = 32;
/// The number of records without a message that are passed over in one look at
/// a lane.
const MOST_PASSED: u32 = 8;

/// The lanes of one class.
#[derive(Clone, Debug)]
struct Side {
    lanes: Vec<Option<Box<InLane>>>,
    /// The lanes that are looked at.
    active: Bits,
    /// The lane that was looked at last.
    cursor: u32,
}

/// What a process receives.
#[derive(Clone, Debug)]
pub struct Incoming {
    sides: [Side; 2],
    /// Pools that have room again and were not reported yet.
    room: Bits,
    /// Senders that are dead and were not reported yet.
    down: Vec<Origin>,
    /// The class of the lane that a burst is taken from.
    current: Class,
    burst: u32,
    /// The largest number of messages in a burst.
    pub cap: u32,
    /// The message that was returned last.
    handled: Option<Handled>,
    sleeps: u64,
}

impl Incoming {
    /// Begins to receive. A process that is not the first one in its slot looks
    /// at all lanes that were ever opened.
    pub fn new<M: Memory>(m: &Member<M>) -> Self {
        let words = m.layout.words();
        let side = |class| {
            let mut active = Bits::new(words);

            for word in 0..words {
                let at = m.layout.bitmap(m.slot, Bitmap::Known(class)) + word * 8;

                active.add_word(word, m.memory.load(at, Acquire) & m.layout.mask(word));
            }

            Side {
                lanes: vec![None; m.layout.sizes.slots as usize],
                active,
                cursor: 0,
            }
        };
        let sleep = m.layout.slot(m.slot) + offset_of!(Slot, sleep);

        Self {
            sides: [side(Class::Control), side(Class::Data)],
            room: Bits::new(words),
            down: Vec::new(),
            current: Class::Control,
            burst: 0,
            cap: 16,
            handled: None,
            sleeps: m.memory.load(sleep, Acquire) | 1,
        }
    }

    #[inline]
    fn side(&mut self, class: Class) -> &mut Side {
        let [control, data] = &mut self.sides;

        match class {
            Class::Control => control,
            Class::Data => data,
        }
    }

    /// Ends the handling of the message that was returned last.
    #[inline]
    pub fn finish<M: Memory>(&mut self, m: &Member<M>) {
        if let Some(handled) = self.handled.take() {
            handled.finish(m);
        }
    }

    /// The next event; `None` if there is none, or if the turn is over.
    #[inline]
    pub fn next<M: Memory>(&mut self, m: &Member<M>, turn: &mut Turn) -> Option<Event> {
        self.finish(m);

        if !turn.spend(m) {
            return None;
        }

        if self.burst > 0 {
            self.burst -= 1;

            let sender = self.side(self.current).cursor;

            if let Some(event) = self.take(m, self.current, sender) {
                return Some(event);
            }
        }

        self.search(m)
    }

    /// Looks at all active lanes once, beginning after the last one.
    fn search<M: Memory>(&mut self, m: &Member<M>) -> Option<Event> {
        self.refresh(m);

        if let Some(slot) = self.room.next(0) {
            self.room.remove(slot);
            return Some(Event::Room(slot));
        }

        if let Some(origin) = self.down.pop() {
            return Some(Event::Down(origin));
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
            let event = self.take(m, class, sender);

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
    fn refresh<M: Memory>(&mut self, m: &Member<M>) {
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

    #[inline]
    fn take<M: Memory>(&mut self, m: &Member<M>, class: Class, sender: u32) -> Option<Event> {
        let side = self.side(class);
        let Some(slot) = side.lanes.get_mut(sender as usize) else {
            side.active.remove(sender);
            return None;
        };
        let lane = slot.get_or_insert_with(|| Box::new(InLane::load(m, m.from(class, sender))));

        for _ in 0..MOST_PASSED {
            match lane.take(m) {
                Taken::Message(record, number) => {
                    let incarnation = lane.incarnation();

                    lane.empty = 0;
                    self.handled = Some(lane.handled(number, record));

                    let origin = Origin {
                        class,
                        slot: sender,
                        incarnation,
                    };

                    return Some(Event::Message(Message::new(origin, number, record)));
                }
                Taken::Gap(gap) => return Some(Event::Gap(gap)),
                Taken::Up(incarnation) => {
                    return Some(Event::Up(Origin {
                        class,
                        slot: sender,
                        incarnation,
                    }));
                }
                Taken::More => lane.empty = 0,
                Taken::Nothing => {
                    self.found_empty(m, class, sender);
                    break;
                }
            }
        }

        None
    }

    /// Stops to look at a lane that was empty for a while.
    fn found_empty<M: Memory>(&mut self, m: &Member<M>, class: Class, sender: u32) {
        let lane = self.side(class).lanes.get_mut(sender as usize);

        if let Some(Some(lane)) = lane {
            lane.empty += 1;

            if lane.empty >= MOST_EMPTY {
                self.retire(m, class, sender);
            }
        }
    }

    /// Clears the bit of a lane, and looks at the lane once more. Returns whether
    /// the lane is empty.
    fn retire<M: Memory>(&mut self, m: &Member<M>, class: Class, sender: u32) -> bool {
        let side = self.side(class);

        side.active.remove(sender);

        if !m.has_slot(sender) {
            return true;
        }

        let (at, bit) = m.layout.bit(m.slot, Bitmap::Ready(class), sender);

        m.memory.clear_bits(at, bit);

        let lane = side.lanes.get_mut(sender as usize).and_then(Option::as_mut);
        let Some(lane) = lane else { return true };

        lane.empty = 0;

        // The state is read before the last look at the lane: what a dead process
        // has sent is visible then.
        let incarnation = lane.incarnation();
        let (state, now) = m.state(sender);
        let is_dead = now != incarnation || matches!(state, State::Vacant | State::Awaited);

        if lane.has_more(m) {
            m.memory.set_bits(at, bit);
            side.active.add(sender);
            return false;
        }

        if incarnation != 0 && is_dead {
            lane.forget();
            self.down.push(Origin {
                class,
                slot: sender,
                incarnation,
            });
        }

        true
    }

    /// Stores again how far this process has come.
    pub fn assert_places<M: Memory>(&self, m: &Member<M>) {
        for side in &self.sides {
            for lane in side.lanes.iter().flatten() {
                lane.assert_place(m);
            }
        }
    }

    /// Reports that a pool may have room.
    pub fn add_room(&mut self, slot: u32) {
        self.room.add(slot);
    }

    /// The next record of a lane; `None` if the lane was never looked at.
    pub fn position(&self, class: Class, sender: u32) -> Option<Position> {
        let [control, data] = &self.sides;
        let side = if class.is_control() { control } else { data };
        let lane = side.lanes.get(sender as usize)?.as_ref()?;

        Some(lane.position())
    }

    /// Prepares to sleep. Returns true if nothing has arrived: then the process
    /// waits until its wake-up descriptor is readable, and calls
    /// [`Incoming::wake_up`]. Returns false if there is something to receive.
    pub fn prepare_sleep<M: Memory>(&mut self, m: &Member<M>) -> bool {
        self.finish(m);
        self.refresh(m);

        let mut is_idle = self.room.is_empty();

        for class in Class::ALL {
            let mut from = 0;

            while let Some(sender) = self.side(class).active.next(from) {
                from = sender + 1;
                is_idle &= self.load_and_retire(m, class, sender);
            }
        }

        if !is_idle || !self.down.is_empty() {
            return false;
        }

        let at = m.layout.slot(m.slot) + offset_of!(Slot, sleep);

        self.sleeps = self.sleeps.wrapping_add(2);
        m.memory.swap(at, self.sleeps);

        if self.has_bits(m) {
            self.wake_up(m);
            return false;
        }

        true
    }

    /// A lane that was never looked at can have something in it.
    fn load_and_retire<M: Memory>(&mut self, m: &Member<M>, class: Class, sender: u32) -> bool {
        let lane = self.side(class).lanes.get_mut(sender as usize);

        if let Some(lane @ None) = lane {
            *lane = Some(Box::new(InLane::load(m, m.from(class, sender))));
        }

        self.retire(m, class, sender)
    }

    /// Ends a sleep, so that the senders no longer wake up this process.
    pub fn wake_up<M: Memory>(&self, m: &Member<M>) {
        let at = m.layout.slot(m.slot) + offset_of!(Slot, sleep);

        if m.memory.load(at, Acquire) & 1 != 0 {
            m.memory.swap(at, self.sleeps & !1);
        }
    }

    /// Whether a bit of a shared bitmap is set.
    pub fn has_bits<M: Memory>(&self, m: &Member<M>) -> bool {
        let maps = [
            Bitmap::Ready(Class::Control),
            Bitmap::Ready(Class::Data),
            Bitmap::Room,
        ];

        (0..m.layout.words()).any(|word| {
            maps.iter()
                .map(|&map| {
                    m.memory
                        .load(m.layout.bitmap(m.slot, map) + word * 8, SeqCst)
                })
                .any(|bits| bits & m.layout.mask(word) != 0)
        })
    }
}
