//! Keeps timers in the order in which they expire.
//!
//! The events that have timers are the nodes of a binary tree, as in nginx, so
//! adding a timer allocates no memory and cannot fail. From left to right, the
//! events are in the order in which they expire. Events that expire in the same
//! millisecond are in the order in which they were added.
//!
//! The tree is a treap: each event gets a random priority, and the parent of an
//! event has no lower priority than the event. So the height of a tree with n
//! events is some 3 log2(n), in whatever order the timers are added.

use std::iter;

use super::event::{Event, Side};
use crate::config::ngx_msec_t;

/// Timers of events. An event has at most one timer.
pub struct Timers {
    root: Option<Event>,
    /// The number of this tree. It is stored in the events of the tree, so that
    /// the set knows its events without a search.
    tree: u32,
    /// The number of calls of [`Timers::begin_round`].
    round: u16,
    /// The state of the generator of priorities.
    random: u32,
}

impl Timers {
    /// Makes a set without timers.
    pub const fn empty() -> Self {
        Self {
            root: None,
            tree: 1,
            round: 0,
            random: 1,
        }
    }

    /// Makes the set empty in a forked child. The events of the parent are not
    /// changed, because the child can have freed its copies of them.
    pub fn forget(&mut self) {
        self.root = None;
        // A parent never has the number of the tree of its child. So an event
        // that is a copy of an event of the parent is not an event of the child.
        self.tree = self.tree.wrapping_add(1).max(1);
    }

    /// Adds a timer for `event` that expires at the time `at`. Replaces the
    /// timer of `event`, if there is one.
    pub fn add(&mut self, at: ngx_msec_t, event: Event) {
        self.remove(event);

        event.set_timer(at, self.next_priority(), self.round, self.tree);

        let mut above = None;
        let mut next = self.root;
        let mut side = Side::Left;

        while let Some(other) = next {
            side = if at < other.expires() {
                Side::Left
            } else {
                Side::Right
            };
            above = Some(other);
            next = other.child(side);
        }

        event.set_parent(above);

        match above {
            Some(above) => above.set_child(side, Some(event)),
            None => self.root = Some(event),
        }

        while event
            .parent()
            .is_some_and(|parent| parent.priority() < event.priority())
        {
            self.rotate_up(event);
        }
    }

    /// Removes the timer of `event`, if there is one.
    pub fn remove(&mut self, event: Event) {
        if !self.has(event) {
            return;
        }

        // The child with the higher priority takes the place of the event, until
        // the event has at most one child.
        while let (Some(left), Some(right)) = (event.child(Side::Left), event.child(Side::Right)) {
            self.rotate_up(if left.priority() < right.priority() {
                right
            } else {
                left
            });
        }

        let child = event.child(Side::Left).or(event.child(Side::Right));

        self.replace(event, child);
        event.clear_timer();
    }

    /// Whether `event` has a timer.
    pub fn has(&self, event: Event) -> bool {
        event.tree() == self.tree
    }

    /// The number of milliseconds from `now` until the next timer expires; 0 if
    /// a timer has expired already; `None` if there is no timer.
    pub fn next_in(&self, now: ngx_msec_t) -> Option<ngx_msec_t> {
        self.first()
            .map(|event| event.expires().saturating_sub(now))
    }

    /// Whether `condition` is true for at least one event that has a timer.
    pub fn any(&self, condition: impl Fn(Event) -> bool) -> bool {
        iter::successors(self.first(), |&event| next(event)).any(condition)
    }

    /// Begins a round of the event loop. Until the next call of this function,
    /// [`Timers::take_expired`] leaves the timers that are added meanwhile, so
    /// that a handler which adds expired timers cannot keep its caller in a
    /// loop.
    pub fn begin_round(&mut self) {
        self.round = self.round.wrapping_add(1);
    }

    /// Removes the first timer if it has expired at the time `now` and was added
    /// before this round. Returns its event.
    pub fn take_expired(&mut self, now: ngx_msec_t) -> Option<Event> {
        // A timer that is added in this round expires at `now` or later, so it
        // is behind all expired timers of earlier rounds.
        let first = self
            .first()
            .filter(|event| event.expires() <= now && event.round() != self.round)?;

        self.remove(first);

        Some(first)
    }

    fn first(&self) -> Option<Event> {
        self.root.map(|root| end(root, Side::Left))
    }

    /// Puts `new` in the place of `old` below the parent of `old`.
    fn replace(&mut self, old: Event, new: Option<Event>) {
        let parent = old.parent();

        match parent {
            Some(parent) => parent.set_child(side_of(old, parent), new),
            None => self.root = new,
        }

        if let Some(new) = new {
            new.set_parent(parent);
        }
    }

    /// Puts `event` in the place of its parent, and the parent below `event`.
    /// The order from left to right stays. Does nothing at the root.
    fn rotate_up(&mut self, event: Event) {
        let Some(parent) = event.parent() else {
            return;
        };
        let side = side_of(event, parent);
        let moved = event.child(side.other());

        self.replace(parent, Some(event));

        event.set_child(side.other(), Some(parent));
        parent.set_parent(Some(event));
        parent.set_child(side, moved);

        if let Some(moved) = moved {
            moved.set_parent(Some(parent));
        }
    }

    /// A random number, by Marsaglia's xorshift. It need not be secret: only the
    /// program itself adds timers.
    fn next_priority(&mut self) -> u16 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 17;
        self.random ^= self.random << 5;

        (self.random >> 16) as u16
    }
}

/// The side on which `event` is below `parent`.
fn side_of(event: Event, parent: Event) -> Side {
    if parent.child(Side::Left) == Some(event) {
        Side::Left
    } else {
        Side::Right
    }
}

/// The last event on the side `side` below `event`, or `event` itself.
fn end(mut event: Event, side: Side) -> Event {
    while let Some(below) = event.child(side) {
        event = below;
    }

    event
}

/// The event that expires after `event`.
fn next(event: Event) -> Option<Event> {
    if let Some(right) = event.child(Side::Right) {
        return Some(end(right, Side::Left));
    }

    let mut below = event;
    let mut above = event.parent();

    while let Some(parent) = above
        && side_of(below, parent) == Side::Right
    {
        below = parent;
        above = parent.parent();
    }

    above
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::standalone::event;

    fn events<const N: usize>() -> [Event; N] {
        [(); N].map(|()| event::tests::new())
    }

    #[test]
    fn timers_expire_in_order() {
        let mut timers = Timers::empty();
        let [a, b, c] = events();

        assert_eq!(timers.next_in(0), None);

        timers.add(30, c);
        timers.add(10, a);
        timers.add(20, b);
        timers.remove(b);
        timers.begin_round();

        assert_eq!(timers.next_in(4), Some(6));
        assert_eq!(timers.next_in(11), Some(0));
        assert_eq!(timers.take_expired(9), None);
        assert_eq!(timers.take_expired(30), Some(a));
        assert_eq!(timers.take_expired(30), Some(c));
        assert_eq!(timers.take_expired(30), None);
    }

    #[test]
    fn a_timer_that_a_handler_adds_waits() {
        let mut timers = Timers::empty();
        let [a, b] = events();

        timers.add(5, b);
        timers.add(5, a);
        timers.begin_round();

        assert_eq!(timers.take_expired(5), Some(b), "in the order added");
        timers.add(5, b);
        assert_eq!(timers.take_expired(5), Some(a));
        assert_eq!(timers.take_expired(5), None);
        timers.begin_round();
        assert_eq!(timers.take_expired(5), Some(b));
    }

    #[test]
    fn a_child_has_no_timers_of_its_parent() {
        let mut timers = Timers::empty();
        let [a, b] = events();

        timers.add(1, a);
        timers.add(2, b);
        timers.forget();

        assert!(!timers.has(a));
        timers.remove(a);
        timers.add(3, b);
        assert_eq!(timers.next_in(0), Some(3));
        assert!(!timers.any(|event| event == a));
    }

    /// The events that the model has, in the order in which they expire.
    fn check(timers: &Timers, model: &[(ngx_msec_t, usize, Event)]) {
        let in_order: Vec<_> = iter::successors(timers.first(), |&event| next(event)).collect();
        let expected: Vec<_> = model.iter().map(|&(_, _, event)| event).collect();

        assert_eq!(in_order, expected);

        for event in in_order {
            for side in [Side::Left, Side::Right] {
                let Some(child) = event.child(side) else {
                    continue;
                };

                assert_eq!(child.parent(), Some(event));
                assert!(child.priority() <= event.priority());
            }
        }
    }

    /// Adds, moves, removes and takes timers as a sorted list does.
    #[test]
    fn the_tree_behaves_as_a_sorted_list() {
        let mut timers = Timers::empty();
        let events = events::<40>();
        let mut model: Vec<(ngx_msec_t, usize, Event)> = Vec::new();
        let mut random = 7_usize;

        for n in 0..20_000 {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);

            let event = events[(random >> 33) % events.len()];
            let at = (random >> 50) % 20;

            match (random >> 45) % 8 {
                0 => {
                    timers.begin_round();

                    let taken = timers.take_expired(at);
                    let first = model.first().filter(|&&(first, ..)| first <= at);

                    assert_eq!(taken, first.map(|&(_, _, event)| event));
                    model.retain(|&(_, _, event)| Some(event) != taken);
                }
                1 | 2 => {
                    timers.remove(event);
                    model.retain(|&(_, _, other)| other != event);
                }
                _ => {
                    timers.add(at, event);
                    model.retain(|&(_, _, other)| other != event);
                    model.push((at, n, event));
                    model.sort_by_key(|&(at, n, _)| (at, n));
                }
            }

            assert_eq!(timers.has(event), model.iter().any(|m| m.2 == event));
            check(&timers, &model);
        }
    }

    #[test]
    fn the_tree_is_not_high() {
        fn height(event: Option<Event>) -> usize {
            event.map_or(0, |event| {
                1 + height(event.child(Side::Left)).max(height(event.child(Side::Right)))
            })
        }

        let mut timers = Timers::empty();

        for at in 0..10_000 {
            timers.add(at, event::tests::new());
        }

        assert!(height(timers.root) < 60);
    }
}
