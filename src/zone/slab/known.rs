//! The sizes of the pools that this process, or a parent of it, has made.
//!
//! A pool says in its own memory where it ends. A process that has been taken over can
//! write a larger end there. So a process also remembers the size in memory of its own.

use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;

/// The number of pools that are remembered. The ends of further ones are not checked.
const POOLS: usize = 64;

/// A pool; the address is 0 if the entry is empty.
struct Known {
    address: AtomicUsize,
    size: AtomicUsize,
}

static KNOWN: [Known; POOLS] = [const {
    Known {
        address: AtomicUsize::new(0),
        size: AtomicUsize::new(0),
    }
}; POOLS];

/// The entries of a pool, the most likely first.
fn entries(address: usize) -> impl Iterator<Item = &'static Known> {
    let (before, from) = KNOWN.split_at((address >> 12) % POOLS);

    from.iter().chain(before)
}

/// Remembers that the pool at `address` has `size` bytes.
pub fn remember(address: usize, size: usize) {
    let known = entries(address).find(|known| [0, address].contains(&known.address.load(Relaxed)));

    if let Some(known) = known {
        known.address.store(address, Relaxed);
        known.size.store(size, Relaxed);
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
    match KNOWN.get((address >> 12) % POOLS) {
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

        remember(one, 8192);
        remember(other, 4096);
        assert_eq!(bound(one, 1 << 40), 8192);
        assert_eq!(bound(other, 1 << 40), 4096);
        assert_eq!(bound(one, 100), 100);
        assert_eq!(bound(0x5000, 77), 77);
        remember(one, 65536);
        assert_eq!(bound(one, 1 << 40), 65536);
    }
}
