//! Timers of the event loop, ordered by when they go off.

use std::collections::{BTreeMap, BTreeSet};

use crate::config::ngx_msec_t;

/// When a timer goes off, and after which others of the same millisecond.
type When = (ngx_msec_t, u64);

/// Timers, each of an event that is known by its address only.
#[derive(Default)]
pub struct Timers {
    in_order: BTreeSet<(When, usize)>,
    of: BTreeMap<usize, When>,
    /// How many have been added so far.
    added: u64,
}

impl Timers {
    /// Has the timer of `event` go off at `at`.
    pub fn add(&mut self, at: ngx_msec_t, event: usize) {
        self.remove(event);

        let when = (at, self.added);

        self.added += 1;
        self.in_order.insert((when, event));
        self.of.insert(event, when);
    }

    /// Takes the timer of `event` out, if it has one.
    pub fn remove(&mut self, event: usize) {
        if let Some(when) = self.of.remove(&event) {
            self.in_order.remove(&(when, event));
        }
    }

    /// Whether `event` has one.
    pub fn has(&self, event: usize) -> bool {
        self.of.contains_key(&event)
    }

    /// Milliseconds until the next one, 0 if it is late; `None` without any.
    pub fn next_in(&self, now: ngx_msec_t) -> Option<ngx_msec_t> {
        self.in_order
            .first()
            .map(|&((at, _), _)| at.saturating_sub(now))
    }

    /// How many have been added so far: see `expired`.
    pub fn added(&self) -> u64 {
        self.added
    }

    /// Whether `is` holds for the event of any.
    pub fn any(&self, is: impl Fn(usize) -> bool) -> bool {
        self.of.keys().any(|&event| is(event))
    }

    /// Takes one out that is due, of the first `before` that were added.
    pub fn expired(&mut self, now: ngx_msec_t, before: u64) -> Option<usize> {
        let &(_, event) = self
            .in_order
            .iter()
            .take_while(|((at, _), _)| *at <= now)
            .find(|((_, nth), _)| *nth < before)?;

        self.remove(event);

        Some(event)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn go_off_in_order() {
        let mut timers = Timers::default();

        assert_eq!(timers.next_in(0), None);

        timers.add(30, 3);
        timers.add(10, 1);
        timers.add(20, 2);
        timers.remove(2);

        assert_eq!(timers.next_in(4), Some(6));
        assert_eq!(timers.next_in(11), Some(0));
        assert_eq!(timers.expired(9, u64::MAX), None);
        assert_eq!(timers.expired(30, u64::MAX), Some(1));
        assert_eq!(timers.expired(30, u64::MAX), Some(3));
        assert_eq!(timers.expired(30, u64::MAX), None);
    }

    #[test]
    fn one_that_is_added_meanwhile_waits() {
        let mut timers = Timers::default();

        timers.add(5, 2);
        timers.add(5, 1);

        let before = timers.added();

        assert_eq!(timers.expired(5, before), Some(2), "in the order added");
        timers.add(5, 2);
        assert_eq!(timers.expired(5, before), Some(1));
        assert_eq!(timers.expired(5, before), None);
        assert_eq!(timers.expired(5, timers.added()), Some(2));
    }
}
