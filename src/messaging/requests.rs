//! The requests of a process that have no outcome yet. Each request has exactly one
//! outcome.

use std::mem;

use nix::errno::Errno;

use super::kind::{KEPT, KEYED, WITH_DESCRIPTORS};

/// How a request has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The reply has arrived.
    Answered,
    /// No reply has arrived in time.
    TooLate,
    /// The process that was asked is dead.
    Died,
}

/// A request without an outcome. `T` is the data of the layer above.
#[derive(Clone)]
struct Pending<T> {
    number: u32,
    slot: u32,
    incarnation: u32,
    /// The time, in nanoseconds.
    deadline: u64,
    /// Whether the process that was asked is dead. Its reply can still be on the
    /// way.
    is_dead: bool,
    data: T,
}

/// A time, and the messages that had arrived until then.
#[derive(Clone, Copy)]
struct Limit {
    /// The time, in nanoseconds.
    time: u64,
    /// The most messages that had arrived and were not received yet.
    waiting: u32,
}

/// The requests of one process.
#[derive(Clone)]
pub struct Requests<T> {
    pending: Vec<Pending<T>>,
    last: u32,
    /// When a request became too late, until its reply cannot wait any more.
    limit: Option<Limit>,
}

impl<T> Requests<T> {
    /// An empty list. `seed` differs from that of earlier processes of the slot, so
    /// that a reply to such a process is not taken for a reply to this one.
    pub fn new(seed: u32) -> Self {
        Self {
            pending: Vec::new(),
            last: seed << 16,
            limit: None,
        }
    }

    /// Whether there are no requests.
    pub fn is_empty(&self) -> bool {
        self.pending.is_empty()
    }

    /// A number for the next request, which no pending request has. 0 is none.
    pub fn next_number(&mut self) -> u32 {
        loop {
            self.last = self.last.wrapping_add(1) & !(KEYED | KEPT | WITH_DESCRIPTORS);

            if self.last != 0
                && self
                    .pending
                    .iter()
                    .all(|pending| pending.number != self.last)
            {
                return self.last;
            }
        }
    }

    /// Makes room for one more request. Fails with `ENOMEM`.
    pub fn reserve(&mut self) -> Result<(), Errno> {
        self.pending.try_reserve(1).or(Err(Errno::ENOMEM))
    }

    /// Adds a request that was sent to a process, after [`Requests::reserve`].
    pub fn add(&mut self, number: u32, (slot, incarnation): (u32, u32), deadline: u64, data: T) {
        self.pending.push(Pending {
            number,
            slot,
            incarnation,
            deadline,
            is_dead: false,
            data,
        });
    }

    /// Ends the request that a process has answered; `None` if this process was
    /// not asked, or if the request has ended already.
    pub fn answered(&mut self, number: u32, slot: u32, incarnation: u32) -> Option<T> {
        self.take(|pending| {
            pending.number == number && pending.slot == slot && pending.incarnation == incarnation
        })
    }

    /// Ends a request that is too late at the time `now`, when all messages were
    /// received.
    pub fn take_late(&mut self, now: u64) -> Option<T> {
        self.limit = None;
        self.take(|pending| pending.deadline <= now)
    }

    /// Ends a request that is too late, while messages still wait: a reply that had
    /// arrived in time would have been received. `now` reads the clock, and `waiting`
    /// returns the most messages that can wait.
    pub fn take_overdue(
        &mut self,
        now: impl FnOnce() -> u64,
        waiting: impl FnOnce() -> u32,
    ) -> Option<T> {
        let first = self.next_deadline()?;

        match self.limit {
            None => {
                let time = now();

                if first <= time {
                    let waiting = waiting();

                    self.limit = Some(Limit { time, waiting });
                }

                None
            }
            Some(Limit { waiting: 1.., .. }) => None,
            Some(Limit { time, .. }) => {
                let late = self.take(|pending| pending.deadline <= time);

                if late.is_none() {
                    self.limit = None;
                }

                late
            }
        }
    }

    /// A message was received.
    #[inline]
    pub fn received(&mut self) {
        if let Some(limit) = &mut self.limit {
            limit.waiting = limit.waiting.saturating_sub(1);
        }
    }

    /// Ends a request whose process was marked as dead.
    pub fn take_dead(&mut self) -> Option<T> {
        self.take(|pending| pending.is_dead)
    }

    /// Ends all requests, whatever their deadlines are.
    pub fn take_all(&mut self) -> impl Iterator<Item = T> + use<T> {
        mem::take(&mut self.pending)
            .into_iter()
            .map(|pending| pending.data)
    }

    fn take(&mut self, is_wanted: impl Fn(&Pending<T>) -> bool) -> Option<T> {
        let index = self.pending.iter().position(is_wanted)?;

        Some(self.pending.swap_remove(index).data)
    }

    /// Marks the requests whose process is dead. Returns whether one was marked
    /// that was not marked before.
    pub fn mark_dead(&mut self, is_alive: impl Fn(u32, u32) -> bool) -> bool {
        let mut any = false;

        for pending in self.pending.iter_mut().filter(|pending| !pending.is_dead) {
            pending.is_dead = !is_alive(pending.slot, pending.incarnation);
            any |= pending.is_dead;
        }

        any
    }

    /// The first deadline.
    pub fn next_deadline(&self) -> Option<u64> {
        self.pending.iter().map(|pending| pending.deadline).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_request_ends_once() {
        let mut requests = Requests::new(1);
        let (one, two, three) = (
            requests.next_number(),
            requests.next_number(),
            requests.next_number(),
        );

        requests.add(one, (5, 1), 10, "one");
        requests.add(two, (5, 1), 20, "two");
        requests.add(three, (6, 1), 30, "three");

        assert_eq!(requests.next_deadline(), Some(10));
        assert_eq!(requests.answered(one, 6, 1), None, "another process");
        assert_eq!(requests.answered(one, 5, 1), Some("one"));
        assert_eq!(requests.answered(one, 5, 1), None);
        assert_eq!(requests.take_late(19), None);
        assert_eq!(requests.take_late(20), Some("two"));

        assert!(requests.mark_dead(|slot, _| slot != 6));
        assert!(!requests.mark_dead(|slot, _| slot != 6));
        assert_eq!(requests.take_dead(), Some("three"));
        assert!(requests.is_empty());
    }
}
