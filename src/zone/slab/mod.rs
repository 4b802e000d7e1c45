//! Pieces of a zone, nginx's `ngx_slab.c`. The structures and the addresses are
//! nginx's, and the pool stays consistent if a process is killed at any instruction.
//!
//! - [`layout`]: what lies where in a pool
//! - [`pool`]: the access to a pool
//! - [`change`]: the record that undoes the operation of a killed process
//! - [`pages`], [`small`], [`large`]: runs of pages, and the chunks of a page
//! - `freed`: what follows when a chunk is freed
//! - [`quick`], [`run_alloc`] and [`run_free`]: the usual cases of both, with the records of
//!   [`short`]
//! - `runs`: the runs of pages for these
//! - [`evict`]: requests that free other pieces when there is no memory
//! - [`init`]: makes a pool
//! - [`verify`]: checks a pool
//! - [`usage`]: tells how much of a pool is in use
//! - [`rebase`]: makes a copy of a pool usable at another address
//! - [`known`]: the sizes and parts of pools, in memory that no other process can change
//! - [`no_memory`]: how often a lack of memory is logged
//!
//! The functions of this file expect that the caller has locked the pool.

pub mod change;
pub mod evict;
mod freed;
pub mod init;
pub mod known;
pub mod large;
pub mod layout;
pub mod no_memory;
pub mod pages;
pub mod pool;
pub mod quick;
pub mod rebase;
pub mod run_alloc;
pub mod run_free;
mod runs;
pub mod short;
pub mod small;
pub mod usage;
pub mod verify;

use change::Change;
use large::Map;
use layout::{KIND_BIG, KIND_EXACT, KIND_PAGE, KIND_SMALL, RUN_BUSY, RUN_START, Sizes, page, stat};
use pool::{Fault, Pool, Result};

/// Allocates `size` bytes. Returns their address.
///
/// Fails with [`Fault::Interrupted`], and does nothing, if a process has died in an
/// operation; [`change::undo_interrupted`] undoes what it has done.
pub fn alloc(pool: &Pool, size: usize) -> Result<usize> {
    match pool.parts().and_then(|parts| quick::alloc(&parts, size)) {
        Some(0) => Err(Fault::NoMemory),
        Some(address) => Ok(address),
        None => alloc_any(pool, size),
    }
}

/// Does what [`alloc`] does, in all cases.
#[inline(never)]
pub fn alloc_any(pool: &Pool, size: usize) -> Result<usize> {
    alloc_with(pool, size, |_| Ok(()), |_| Ok(()))
}

/// Allocates `size` bytes, and changes other words of the pool in the same operation: if the
/// process dies, it has done both or nothing. `before` makes changes; `after` gets the address,
/// and writes to bytes that mean nothing without these changes. If one of them fails, nothing
/// has changed.
pub fn alloc_with(
    pool: &Pool,
    size: usize,
    before: impl FnOnce(&mut Change<'_>) -> Result,
    after: impl FnOnce(usize) -> Result,
) -> Result<usize> {
    let sizes = pool.sizes();

    if size > sizes.max() {
        return alloc_run(pool, size, before, after);
    }

    let min = pool.field(layout::field::MIN_SHIFT)?;
    let bits = usize::BITS - size.saturating_sub(1).leading_zeros();
    let shift = min.max(bits as usize);
    let slot = shift - min;
    let stats = pool.stats(slot)?;

    if shift >= sizes.shift {
        return Err(Fault::Damaged);
    }

    let result = change::run(pool, |mut change| {
        before(&mut change)?;
        pool.count(stats.wrapping_add(stat::REQS))?;

        let address = alloc_chunk(change, slot, stats, shift)?;

        finish(pool, address, 1 << shift, after)
    });

    result.or_else(|fault| failed(pool, slot, fault))
}

/// Ends the allocation of `size` bytes at `address`.
#[inline(always)]
fn finish(
    pool: &Pool,
    address: usize,
    size: usize,
    after: impl FnOnce(usize) -> Result,
) -> Result<usize> {
    // An address outside of the pool comes from a damaged pool.
    if !pool.words().contains(address, size) {
        return Err(Fault::Damaged);
    }

    after(address)?;

    Ok(address)
}

/// Counts a request that has found no memory.
#[cold]
#[inline(never)]
fn failed(pool: &Pool, slot: usize, fault: Fault) -> Result<usize> {
    if fault == Fault::NoMemory {
        pool.count(pool.stats(slot)?.wrapping_add(stat::FAILS))?;
    }

    Err(fault)
}

/// Allocates whole pages. A failure counts as one of the largest chunks, because
/// pages have no counters of their own. nginx does not count it, D27.
#[inline(never)]
fn alloc_run(
    pool: &Pool,
    size: usize,
    before: impl FnOnce(&mut Change<'_>) -> Result,
    after: impl FnOnce(usize) -> Result,
) -> Result<usize> {
    let pages = size.div_ceil(pool.sizes().page());
    let result = change::run(pool, |mut change| {
        before(&mut change)?;

        let descriptor = pages::alloc(&mut change, pages)?;

        finish(pool, pool.page(descriptor)?, size, after)
    });

    match result {
        Ok(address) => Ok(address),
        Err(fault) => failed(pool, pool.slots()?.wrapping_sub(1), fault),
    }
}

#[inline(always)]
fn alloc_chunk(change: Change<'_>, slot: usize, stats: usize, shift: usize) -> Result<usize> {
    let sizes = change.pool().sizes();
    let head = change.pool().slot(slot);
    let first = change.page_field(head, page::NEXT)?;

    // The head of an empty list points to itself.
    if first == head {
        return begin_page(change, head, stats, shift);
    }

    if shift < sizes.exact_shift() {
        small::take(change, first, stats, shift)
    } else if shift == sizes.exact_shift() {
        large::take(change, first, stats, Map::exact(sizes))
    } else {
        large::take(change, first, stats, Map::big(sizes, shift))
    }
}

/// Allocates a page for chunks, and takes the first of them.
#[inline(never)]
fn begin_page(mut change: Change<'_>, head: usize, stats: usize, shift: usize) -> Result<usize> {
    let sizes = change.pool().sizes();
    let change = &mut change;
    let descriptor = pages::alloc(change, 1)?;

    let (kind, (address, chunks)) = if shift < sizes.exact_shift() {
        (KIND_SMALL, small::begin(change, descriptor, shift)?)
    } else {
        let map = if shift == sizes.exact_shift() {
            Map::exact(sizes)
        } else {
            Map::big(sizes, shift)
        };

        (map.kind, large::begin(change, descriptor, map)?)
    };

    pages::link(change, head, descriptor, kind)?;
    change.add(stats.wrapping_add(stat::TOTAL), chunks)?;
    change.add(stats.wrapping_add(stat::USED), 1)?;

    Ok(address)
}

/// Frees the piece of memory at `address`.
///
/// Fails, and changes nothing, if no piece of memory begins there. Fails with
/// [`Fault::Interrupted`], and does nothing, if a process has died in an operation;
/// [`change::undo_interrupted`] undoes what it has done.
pub fn free(pool: &Pool, address: usize) -> Result {
    match pool.parts().and_then(|parts| quick::free(&parts, address)) {
        Some(()) => Ok(()),
        None => free_any(pool, address),
    }
}

/// Does what [`free`] does, in all cases.
#[inline(never)]
pub fn free_any(pool: &Pool, address: usize) -> Result {
    free_with(pool, address, |_| Ok(()))
}

/// Frees the piece of memory at `address`, and changes other words of the pool in the same
/// operation, as [`alloc_with`] does.
pub fn free_with(
    pool: &Pool,
    address: usize,
    before: impl FnOnce(&mut Change<'_>) -> Result,
) -> Result {
    change::run(pool, |mut change| {
        before(&mut change)?;

        let descriptor = pool.descriptor(address)?;

        match pool.kind(descriptor)? {
            KIND_PAGE => free_run(change, descriptor, address),
            KIND_SMALL => small::free(change, descriptor, address),
            KIND_EXACT => large::free(change, descriptor, address, KIND_EXACT),
            _ => large::free(change, descriptor, address, KIND_BIG),
        }
    })
}

#[inline(never)]
fn free_run(mut change: Change<'_>, descriptor: usize, address: usize) -> Result {
    let slab = change.page_field(descriptor, page::SLAB)?;

    if address & (change.pool().sizes().page() - 1) != 0 {
        return Err(Fault::WrongChunk);
    }

    if slab & RUN_START == 0 {
        return Err(Fault::PageIsFree);
    }

    if slab == RUN_BUSY {
        return Err(Fault::WrongPage);
    }

    pages::free(&mut change, descriptor, slab & !RUN_START)
}

/// `min_shift` of a zone: the smallest chunk has 8 bytes.
const MIN_SHIFT: usize = 3;

/// The smallest zone in which `n` pieces of `size` bytes fit, if nothing else is
/// allocated in it. `None` if no zone is so large.
pub fn zone_size(sizes: Sizes, n: usize, size: usize) -> Option<usize> {
    let pages = if size > sizes.max() {
        n.checked_mul(size.div_ceil(sizes.page()))?
    } else {
        let shift = size
            .max(1 << MIN_SHIFT)
            .next_power_of_two()
            .trailing_zeros() as usize;
        let own = if shift < sizes.exact_shift() {
            sizes.bitmap_chunks(shift)
        } else {
            0
        };

        n.div_ceil(sizes.chunks(shift) - own)
    };

    init::size_for(sizes, pages, MIN_SHIFT)
}
