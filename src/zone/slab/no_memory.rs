//! Whether, and how often, a process logs that a pool has no memory: once in a second for each
//! pool, if `log_nomem` of the pool is set.
//! nginx logs each request that fails, with the lock held, D28.

use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;

use super::pool::Pool;
use crate::sys::parts::Parts;
use crate::zone::mixed::mixed;

/// How long a process logs nothing more about a pool, in milliseconds.
const QUIET: usize = 1000;

/// The number of pools whose lines are counted apart.
const POOLS: usize = 16;

/// The last line about a pool.
struct Line {
    pool: AtomicUsize,
    /// The time of the line, in milliseconds.
    at: AtomicUsize,
    /// The number of requests that have failed since, without a line.
    quiet: AtomicUsize,
}

static LINES: [Line; POOLS] = [const {
    Line {
        pool: AtomicUsize::new(0),
        at: AtomicUsize::new(0),
        quiet: AtomicUsize::new(0),
    }
}; POOLS];

/// Whether a request that finds no memory is logged.
#[inline(always)]
pub fn is_logged(parts: &Parts) -> bool {
    parts
        .words()
        .map(Pool::new)
        .is_none_or(|pool| pool.logs_no_memory())
}

/// The line of the pool at `address`, or one that it can take over.
fn line_of(address: usize) -> Option<&'static Line> {
    let of_pool = |pool| LINES.iter().find(|line| line.pool.load(Relaxed) == pool);

    of_pool(address)
        .or_else(|| of_pool(0))
        .or_else(|| LINES.get(mixed(address, POOLS)))
}

/// Whether a request of the pool at `address` that finds no memory is logged, at the
/// time `now` in milliseconds. Then the result is the number of requests that have
/// failed since the last line.
pub fn is_due(address: usize, now: usize) -> Option<usize> {
    let line = line_of(address)?;
    let is_same = line.pool.load(Relaxed) == address;

    if is_same && now.wrapping_sub(line.at.load(Relaxed)) < QUIET {
        line.quiet.fetch_add(1, Relaxed);
        return None;
    }

    let quiet = line.quiet.swap(0, Relaxed);

    line.pool.store(address, Relaxed);
    line.at.store(now, Relaxed);

    Some(if is_same { quiet } else { 0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_in_a_second() {
        // Zones that survive an upgrade are at multiples of 2 MiB.
        let (one, other) = (0x20_0000, 0x40_0000);

        assert_eq!(is_due(one, 5000), Some(0));
        assert_eq!(is_due(one, 5999), None);
        assert_eq!(is_due(other, 5999), Some(0));
        assert_eq!(is_due(one, 5999), None);
        assert_eq!(is_due(one, 6000), Some(2));
        assert_eq!(is_due(one, 6001), None);
    }
}
