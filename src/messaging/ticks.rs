//! The times of periodic work, such as closing idle lanes.
//!
//! An idle process has no periodic work. After it has sent or received
//! something, the work is due each second, until nothing is left to do after some
//! seconds. If a receiver has not taken all messages then, the work is due less and
//! less often.

/// A second, in nanoseconds.
const SECOND: u64 = 1_000_000_000;
/// The longest time between two ticks.
const LONGEST: u64 = 64 * SECOND;
/// The number of ticks after which nothing is left to do: lanes are closed at the
/// second tick, and the memory of the pool is given back at the fourth.
pub const COUNT: u32 = 4;

/// The ticks of one process.
#[derive(Clone, Debug, Default)]
pub struct Ticks {
    next: u64,
    interval: u64,
    left: u32,
}

impl Ticks {
    /// Makes a tick due in a second, because the process has sent or received
    /// something. `now` reads the clock.
    #[inline]
    pub fn start(&mut self, now: impl FnOnce() -> u64) {
        if self.left == 0 || self.interval > SECOND {
            self.next = now().saturating_add(SECOND);
        }

        self.interval = SECOND;
        self.left = COUNT;
    }

    /// The time of the next tick.
    pub fn next(&self) -> Option<u64> {
        (self.left > 0).then_some(self.next)
    }

    /// Whether a tick is due. If one is, the next one is set.
    pub fn take(&mut self, now: impl FnOnce() -> u64) -> bool {
        if self.left == 0 {
            return false;
        }

        let now = now();

        if now < self.next {
            return false;
        }

        self.left -= 1;
        self.next = now.saturating_add(self.interval);

        true
    }

    /// Records that work is left after a tick. Then there is another tick after the
    /// last one, at a longer interval than before.
    pub fn again(&mut self) {
        if self.left == 0 {
            self.left = 1;
            self.interval = self.interval.saturating_mul(2).min(LONGEST);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_idle_process_has_no_ticks() {
        let mut ticks = Ticks::default();
        let mut now = 5;
        let mut count = 0;

        assert_eq!(ticks.next(), None);
        ticks.start(|| now);
        assert_eq!(ticks.next(), Some(SECOND + 5));
        assert!(!ticks.take(|| now));

        while let Some(next) = ticks.next() {
            now = next;
            count += 1;
            assert!(ticks.take(|| now));
        }

        assert_eq!(count, COUNT);
        assert!(now < 5 * SECOND);
        assert!(!ticks.take(|| now + LONGEST));
    }

    #[test]
    fn ticks_become_rare_while_something_is_left() {
        let mut ticks = Ticks::default();
        let mut now = 0;
        let mut count = 0;

        ticks.start(|| now);

        while now < 3600 * SECOND {
            now = ticks.next().unwrap();
            count += 1;
            assert!(ticks.take(|| now));
            ticks.again();
        }

        assert!((50..80).contains(&count), "{count}");

        // The next message does not wait for the next tick.
        ticks.start(|| now);
        assert_eq!(ticks.next(), Some(now + SECOND));
    }
}
