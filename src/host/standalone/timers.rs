//! Keeps timers in the order in which they expire.

use std::collections::{BTreeMap, BTreeSet};

use crate::config::ngx_msec_t;

/// The key of a timer in the order: the time at which the timer expires, and
/// the number of timers that were added before it. So timers that expire in the
/// same millisecond expire in the order in which they were added.
type Order = (ngx_msec_t, u64);

/// Timers of events; `E` identifies an event, which has at most one timer.
pub struct Timers<E> {
    in_order: BTreeSet<(Order, E)>,
    by_event: BTreeMap<E, Order>,
    /// The number of timers that have been added so far.
    added: u64,
}

impl<E: Copy + Ord> Timers<E> {
    /// Makes a set without timers.
    pub const fn empty() -> Self {
        Self {
            in_order: BTreeSet::new(),
            by_event: BTreeMap::new(),
            added: 0,
        }
    }

    /// Adds a timer for `event` that expires at the time `at`. Replaces the
    /// timer of `event`, if there is one.
    pub fn add(&mut self, at: ngx_msec_t, event: E) {
        self.remove(event);

        let order = (at, self.added);

        self.added += 1;
        self.in_order.insert((order, event));
        self.by_event.insert(event, order);
    }

    /// Removes the timer of `event`, if there is one.
    pub fn remove(&mut self, event: E) {
        if let Some(order) = self.by_event.remove(&event) {
            self.in_order.remove(&(order, event));
        }
    }

    /// Whether `event` has a timer.
    pub fn has(&self, event: E) -> bool {
        self.by_event.contains_key(&event)
    }

    /// The number of milliseconds from `now` until the next timer expires; 0 if
    /// a timer has expired already; `None` if there is no timer.
    pub fn next_in(&self, now: ngx_msec_t) -> Option<ngx_msec_t> {
        self.in_order
            .first()
            .map(|&((at, _), _)| at.saturating_sub(now))
    }

    /// The number of timers that have been added so far: a `limit` for
    /// [`Timers::take_expired`].
    pub fn added(&self) -> u64 {
        self.added
    }

    /// Whether `condition` is true for at least one event that has a timer.
    pub fn any(&self, condition: impl Fn(E) -> bool) -> bool {
        self.by_event.keys().any(|&event| condition(event))
    }

    /// Removes a timer that has expired at the time `now`, and returns its
    /// event. Considers only the first `limit` timers that were added, so that
    /// a handler which adds expired timers cannot keep its caller in a loop.
    pub fn take_expired(&mut self, now: ngx_msec_t, limit: u64) -> Option<E> {
        let &(_, event) = self
            .in_order
            .iter()
            .take_while(|((at, _), _)| *at <= now)
            .find(|((_, nth), _)| *nth < limit)?;

        self.remove(event);

        Some(event)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timers_expire_in_order() {
        let mut timers = Timers::empty();

        assert_eq!(timers.next_in(0), None);

        timers.add(30, 3);
        timers.add(10, 1);
        timers.add(20, 2);
        timers.remove(2);

        assert_eq!(timers.next_in(4), Some(6));
        assert_eq!(timers.next_in(11), Some(0));
        assert_eq!(timers.take_expired(9, u64::MAX), None);
        assert_eq!(timers.take_expired(30, u64::MAX), Some(1));
        assert_eq!(timers.take_expired(30, u64::MAX), Some(3));
        assert_eq!(timers.take_expired(30, u64::MAX), None);
    }

    #[test]
    fn a_timer_that_a_handler_adds_waits() {
        let mut timers = Timers::empty();

        timers.add(5, 2);
        timers.add(5, 1);

        let limit = timers.added();

        assert_eq!(timers.take_expired(5, limit), Some(2), "in the order added");
        timers.add(5, 2);
        assert_eq!(timers.take_expired(5, limit), Some(1));
        assert_eq!(timers.take_expired(5, limit), None);
        assert_eq!(timers.take_expired(5, timers.added()), Some(2));
    }
}
