//! When the work is due that a process does from time to time, such as closing
//! idle lanes.
//!
//! A process that does nothing has no such work. After it has sent or received
//! something, the work is due after a second, and then less and less often.

/// A second, in nanoseconds.
const SECOND: u64 = 1_000_000_000;
/// The longest time between two ticks.
const LONGEST: u64 = 10 * SECOND;
/// The number of ticks after which nothing is left to do: lanes are closed at the
/// second tick, and the memory of the pool is given back at the tenth.
const COUNT: u32 = 12;

/// The ticks of one process.
#[derive(Clone, Debug, Default)]
pub struct Ticks {
    next: u64,
    interval: u64,
    left: u32,
}

impl Ticks {
    /// The process has sent or received something. `now` reads the clock.
    #[inline]
    pub fn used(&mut self, now: impl FnOnce() -> u64) {
        if self.left == 0 {
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
        self.interval = self.interval.saturating_mul(2).min(LONGEST);
        self.next = now.saturating_add(self.interval);

        true
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
        ticks.used(|| now);
        assert_eq!(ticks.next(), Some(SECOND + 5));
        assert!(!ticks.take(|| now));

        while let Some(next) = ticks.next() {
            now = next;
            count += 1;
            assert!(ticks.take(|| now));
        }

        assert_eq!(count, COUNT);
        assert!(now < 120 * SECOND);
        assert!(!ticks.take(|| now + LONGEST));
    }
}
