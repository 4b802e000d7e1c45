//! Timers of the event loop, ordered by when they go off.

use std::collections::BTreeSet;

use crate::config::ngx_msec_t;

/// Timers, each of an event that is known by its address only.
#[derive(Default)]
pub struct Timers(BTreeSet<(ngx_msec_t, usize)>);

impl Timers {
    /// No timers.
    pub const fn new() -> Self {
        Self(BTreeSet::new())
    }

    /// Has the timer of `event` go off at `at`.
    pub fn add(&mut self, at: ngx_msec_t, event: usize) {
        self.0.insert((at, event));
    }

    /// Takes the timer of `event`, set to `at`, out.
    pub fn remove(&mut self, at: ngx_msec_t, event: usize) {
        self.0.remove(&(at, event));
    }

    /// Milliseconds until the next one, 0 if it is late; `None` without any.
    pub fn next_in(&self, now: ngx_msec_t) -> Option<ngx_msec_t> {
        self.0.first().map(|&(at, _)| at.saturating_sub(now))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether `is` holds for the event of any.
    pub fn any(&self, is: impl Fn(usize) -> bool) -> bool {
        self.0.iter().any(|&(_, event)| is(event))
    }

    /// Takes one out that is due.
    pub fn expired(&mut self, now: ngx_msec_t) -> Option<usize> {
        let &(at, event) = self.0.first()?;

        if at > now {
            return None;
        }

        self.remove(at, event);

        Some(event)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn go_off_in_order() {
        let mut timers = Timers::new();

        assert_eq!(timers.next_in(0), None);

        timers.add(30, 3);
        timers.add(10, 1);
        timers.add(20, 2);
        timers.remove(20, 2);

        assert_eq!(timers.next_in(4), Some(6));
        assert_eq!(timers.next_in(11), Some(0));
        assert_eq!(timers.expired(9), None);
        assert_eq!(timers.expired(30), Some(1));
        assert_eq!(timers.expired(30), Some(3));
        assert_eq!(timers.expired(30), None);
    }
}
