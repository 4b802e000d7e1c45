//! The pools that this process, or a parent of it, has made.
//!
//! A pool says in its own memory where it ends, and where its parts are. A process that
//! has been taken over can write other numbers there. So a process also remembers the
//! size and the parts in memory of its own.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicUsize};

use super::layout::{WORD, field};
use crate::sys::parts::{Division, Parts, Places};
use crate::sys::words::Words;

/// The number of pools that are remembered. The ends of further ones are not checked.
const POOLS: usize = 64;

/// A pool; the address is 0 if the entry was never used, and `FREED` if it is not used any
/// more.
#[repr(align(128))]
struct Known {
    address: AtomicUsize,
    size: AtomicUsize,
    /// The fields `end` and `min_shift` of the header. All parts depend on these fields.
    end: AtomicUsize,
    min_shift: AtomicUsize,
    /// Whether `mutex` of the pool uses the words of the pool.
    has_own_lock: AtomicBool,
    /// The parts, if the pool has pages.
    division: Division,
}

/// The address of no pool.
const FREED: usize = 1;

static KNOWN: [Known; POOLS] = [const {
    Known {
        address: AtomicUsize::new(0),
        size: AtomicUsize::new(0),
        end: AtomicUsize::new(0),
        min_shift: AtomicUsize::new(0),
        has_own_lock: AtomicBool::new(false),
        division: Division::none(),
    }
}; POOLS];

/// The index of the entry that a pool has, unless another pool has it. Zones that survive an
/// upgrade begin at multiples of 2 MiB.
#[inline(always)]
fn index(address: usize) -> usize {
    ((address ^ (address >> 9)) >> 12) % POOLS
}

/// The entries of a pool, the most likely first.
fn entries(address: usize) -> impl Iterator<Item = &'static Known> {
    let (before, from) = KNOWN.split_at(index(address));

    from.iter().chain(before)
}

/// The entry of a pool.
#[inline(always)]
fn entry(address: usize) -> Option<&'static Known> {
    let known = KNOWN.get(index(address))?;

    match known.address.load(Relaxed) {
        // The entries of a pool end at one that was never used.
        0 => None,
        found if found == address => Some(known),
        _ => search(address),
    }
}

#[cold]
#[inline(never)]
fn search(address: usize) -> Option<&'static Known> {
    entries(address)
        .take_while(|known| known.address.load(Relaxed) != 0)
        .find(|known| known.address.load(Relaxed) == address)
}

/// Makes an entry for a pool. Of two threads that make pools, only one gets an entry.
fn claim(address: usize) -> Option<&'static Known> {
    let is_claimed = |known: &&Known| {
        [0, FREED].iter().any(|&unused| {
            known
                .address
                .compare_exchange(unused, address, Relaxed, Relaxed)
                .is_ok()
        })
    };

    entries(address).find(is_claimed)
}

/// Remembers that the pool at `address` has `size` bytes, and whether its lock uses its own
/// words.
pub fn remember(address: usize, size: usize, has_own_lock: bool) {
    if let Some(known) = entry(address).or_else(|| claim(address)) {
        known.division.clear();
        known.size.store(size, Relaxed);
        known.has_own_lock.store(has_own_lock, Relaxed);
    }
}

/// Remembers whether the lock of the pool at `address`, which is made again, uses the words of
/// the pool. Does nothing if there is no such pool.
pub fn remember_lock(address: usize, has_own_lock: bool) {
    if let Some(known) = entry(address) {
        known.has_own_lock.store(has_own_lock, Relaxed);
    }
}

/// Whether the lock of the pool at `address` uses the words of the pool. False if this
/// process does not know the pool.
#[inline(always)]
pub fn has_own_lock(address: usize) -> bool {
    entry(address).is_some_and(|known| known.has_own_lock.load(Relaxed))
}

/// Remembers the parts of a pool that is made, and the fields of its header on which they
/// depend. [`remember`] was called for it.
pub fn remember_parts(pool: &Words, end: usize, min_shift: usize, places: &Places) {
    if let Some(known) = entry(pool.start()) {
        known.end.store(end, Relaxed);
        known.min_shift.store(min_shift, Relaxed);
        known.division.set(pool, places);
    }
}

/// Gives back the entry of the pool at `address`, whose memory is freed.
pub fn free(address: usize) {
    if let Some(known) = entry(address) {
        known.division.clear();
        known.address.store(FREED, Relaxed);
    }
}

/// Forgets the size and the parts of the pool at `address`, which is made again.
pub fn forget(address: usize) {
    if let Some(known) = entry(address) {
        known.division.clear();
        known.size.store(usize::MAX, Relaxed);
    }
}

/// The size of the pool at `address`, which says that it has `size` bytes.
#[inline(always)]
pub fn bound(address: usize, size: usize) -> usize {
    entry(address).map_or(size, |known| size.min(known.size.load(Relaxed)))
}

/// Finds the parts of the pool at `address`. `open` gets the division of a pool with this
/// address.
///
/// `None` if no parts are remembered. Also `None` if the header differs: another process
/// has made the pool again, or overwritten it.
#[inline(always)]
pub fn parts_of(
    address: usize,
    open: impl Fn(&'static Division) -> Option<Parts>,
) -> Option<Parts> {
    let (_, parts) = opened(address, open)?;

    Some(parts)
}

/// Finds the parts of a pool as [`parts_of`] does, if its lock uses the words of the pool.
#[inline(always)]
pub fn parts_with_own_lock(
    address: usize,
    open: impl Fn(&'static Division) -> Option<Parts>,
) -> Option<Parts> {
    let (known, parts) = opened(address, open)?;

    known.has_own_lock.load(Relaxed).then_some(parts)
}

/// Finds the parts of a pool as [`parts_with_own_lock`] does, unless another pool has its entry.
#[inline(always)]
pub fn likely_parts_with_own_lock(
    address: usize,
    open: impl Fn(&'static Division) -> Option<Parts>,
) -> Option<Parts> {
    let likely = KNOWN.get(index(address))?;
    let parts = open(&likely.division)?;

    (likely.has_header(&parts) && likely.has_own_lock.load(Relaxed)).then_some(parts)
}

#[inline(always)]
fn opened(
    address: usize,
    open: impl Fn(&'static Division) -> Option<Parts>,
) -> Option<(&'static Known, Parts)> {
    let likely = KNOWN.get(index(address))?;
    let (known, parts) = match open(&likely.division) {
        Some(parts) => (likely, parts),
        None => {
            let known = search(address)?;

            (known, open(&known.division)?)
        }
    };

    known.has_header(&parts).then_some((known, parts))
}

impl Known {
    /// Whether the header of the pool has the values on which its parts depend.
    #[inline(always)]
    fn has_header(&self, parts: &Parts) -> bool {
        let has = |field: usize, value: &AtomicUsize| {
            parts
                .header()
                .get(field / WORD)
                .is_some_and(|word| word.load(Relaxed) == value.load(Relaxed))
        };

        has(field::END, &self.end) && has(field::MIN_SHIFT, &self.min_shift)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pool_does_not_become_larger() {
        // No pool of a test begins in the first pages.
        let (one, other) = (0x1000, 0x1000 + 0x1000 * POOLS);

        assert_eq!(index(one), index(other));

        remember(one, 8192, false);
        remember(other, 4096, true);
        assert_eq!(bound(one, 1 << 40), 8192);
        assert_eq!(bound(other, 1 << 40), 4096);
        assert_eq!([one, other, 0x5000].map(has_own_lock), [false, true, false]);
        assert_eq!(bound(one, 100), 100);
        assert_eq!(bound(0x5000, 77), 77);
        remember(one, 65536, false);
        assert_eq!(bound(one, 1 << 40), 65536);

        // The entry of a pool that is freed is used again, and hides no other one.
        free(one);
        assert_eq!(bound(one, 1 << 40), 1 << 40);
        assert_eq!(bound(other, 1 << 40), 4096);
        remember(other, 2048, true);
        assert_eq!(bound(other, 1 << 40), 2048);
    }
}
