//! The sizes of the pools that this process, or a parent of it, has made.
//!
//! A pool says in its own memory where it ends. A process that has been taken over can
//! write a larger end there. So a process also remembers the size in memory of its own.

use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;

/// The number of pools that are remembered. The ends of further ones are not checked.
const POOLS: usize = 64;

/// A pool; the address is 0 if the entry was never used, and `FREED` if it is not used any
/// more.
struct Known {
    address: AtomicUsize,
    size: AtomicUsize,
}

/// The address of no pool.
const FREED: usize = 1;

static KNOWN: [Known; POOLS] = [const {
    Known {
        address: AtomicUsize::new(0),
        size: AtomicUsize::new(0),
    }
}; POOLS];

/// The index of the entry that a pool has, unless another pool has it. Zones that survive an
/// upgrade begin at multiples of 2 MiB.
#[inline(always)]
fn index(address: usize) -> usize {
    ((address >> 12) ^ (address >> 21)) % POOLS
}

/// The entries of a pool, the most likely first.
fn entries(address: usize) -> impl Iterator<Item = &'static Known> {
    let (before, from) = KNOWN.split_at(index(address));

    from.iter().chain(before)
}

/// Remembers that the pool at `address` has `size` bytes.
pub fn remember(address: usize, size: usize) {
    let with = |wanted: &[usize]| {
        entries(address).find(|known| wanted.contains(&known.address.load(Relaxed)))
    };

    if let Some(known) = with(&[address]).or_else(|| with(&[0, FREED])) {
        known.address.store(address, Relaxed);
        known.size.store(size, Relaxed);
    }
}

/// Gives back the entry of the pool at `address`, whose memory is freed.
pub fn free(address: usize) {
    let known = entries(address).find(|known| known.address.load(Relaxed) == address);

    if let Some(known) = known {
        known.address.store(FREED, Relaxed);
    }
}

/// Forgets the size of the pool at `address`, which is made again.
pub fn forget(address: usize) {
    let known = entries(address).find(|known| known.address.load(Relaxed) == address);

    if let Some(known) = known {
        known.size.store(usize::MAX, Relaxed);
    }
}

/// The size of the pool at `address`, which says that it has `size` bytes.
#[inline(always)]
pub fn bound(address: usize, size: usize) -> usize {
    match KNOWN.get(index(address)) {
        Some(known) if known.address.load(Relaxed) == address => size.min(known.size.load(Relaxed)),
        _ => search(address, size),
    }
}

#[cold]
#[inline(never)]
fn search(address: usize, size: usize) -> usize {
    for known in entries(address) {
        match known.address.load(Relaxed) {
            0 => break,
            found if found == address => return size.min(known.size.load(Relaxed)),
            _ => {}
        }
    }

    size
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pool_does_not_become_larger() {
        // No pool of a test begins in the first pages.
        let (one, other) = (0x1000, 0x1000 + 0x1000 * POOLS);

        assert_eq!(index(one), index(other));

        remember(one, 8192);
        remember(other, 4096);
        assert_eq!(bound(one, 1 << 40), 8192);
        assert_eq!(bound(other, 1 << 40), 4096);
        assert_eq!(bound(one, 100), 100);
        assert_eq!(bound(0x5000, 77), 77);
        remember(one, 65536);
        assert_eq!(bound(one, 1 << 40), 65536);

        // The entry of a pool that is freed is used again, and hides no other one.
        free(one);
        assert_eq!(bound(one, 1 << 40), 1 << 40);
        assert_eq!(bound(other, 1 << 40), 4096);
        remember(other, 2048);
        assert_eq!(bound(other, 1 << 40), 2048);
    }
}
