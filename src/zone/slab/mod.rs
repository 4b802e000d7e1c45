//! Pieces of a zone, nginx's `ngx_slab.c`. The structures and the addresses are
//! nginx's, and the pool stays consistent if a process is killed at any instruction.
//!
//! - [`layout`]: what lies where in a pool
//! - [`pool`]: the access to a pool
//! - [`change`]: the record that undoes the operation of a killed process
//! - [`pages`], [`small`], [`large`]: runs of pages, and the chunks of a page
//! - [`init`]: makes a pool
//! - [`verify`]: checks a pool
//! - [`known`]: the sizes of pools, in memory that no other process can change
//! - [`no_memory`]: how often a lack of memory is logged
//!
//! The functions of this file expect that the caller has locked the pool.

pub mod change;
pub mod init;
pub mod known;
pub mod large;
pub mod layout;
pub mod no_memory;
pub mod pages;
pub mod pool;
pub mod small;
pub mod verify;

use change::Change;
use large::Map;
use layout::{KIND_PAGE, KIND_SMALL, RUN_BUSY, RUN_START, Sizes, page, stat};
use pool::{Fault, Pool, Result};

/// nginx's text for a pointer into the middle of a chunk.
const WRONG_CHUNK: &str = "ngx_slab_free(): pointer to wrong chunk";
/// nginx's text for a chunk that is free.
const ALREADY_FREE: &str = "ngx_slab_free(): chunk is already free";

/// Allocates `size` bytes. Returns their address.
///
/// Fails with [`Fault::Interrupted`], and does nothing, if a process has died in an
/// operation; [`change::undo_interrupted`] undoes what it has done.
#[inline]
pub fn alloc(pool: &Pool, size: usize) -> Result<usize> {
    if size > pool.sizes().max() {
        return alloc_run(pool, size);
    }

    let min = pool.field(layout::field::MIN_SHIFT)?;
    let bits = usize::BITS - size.saturating_sub(1).leading_zeros();
    let shift = min.max(bits as usize);
    let slot = pool.slot_of(shift)?;
    let stats = pool.stats(slot)?;

    if shift >= pool.sizes().shift {
        return Err(Fault::Damaged);
    }

    let result = change::run(pool, |change| {
        change.pool().count(stats.wrapping_add(stat::REQS))?;
        alloc_chunk(change, slot, shift)
    });

    if result.is_err() {
        count_failure(pool, &result, slot);
    }

    checked(pool, result, 1 << shift)
}

#[cold]
fn count_failure(pool: &Pool, result: &Result<usize>, slot: usize) {
    if let (Err(Fault::NoMemory { .. }), Ok(stats)) = (result, pool.stats(slot)) {
        // Of a damaged pool nothing is counted.
        let _ = pool.count(stats.wrapping_add(stat::FAILS));
    }
}

/// Allocates whole pages. A failure counts as one of the largest chunks, because
/// pages have no counters of their own. nginx does not count it, D27.
fn alloc_run(pool: &Pool, size: usize) -> Result<usize> {
    let pages = size.div_ceil(pool.sizes().page());
    let result = change::run(pool, |change| {
        let descriptor = pages::alloc(change, pages)?;

        change.pool().page(descriptor)
    });

    if result.is_err() {
        count_failure(pool, &result, pool.slots()?.wrapping_sub(1));
    }

    checked(pool, result, size)
}

/// An address outside of the pool comes from a damaged pool.
#[inline]
fn checked(pool: &Pool, result: Result<usize>, size: usize) -> Result<usize> {
    let address = result?;

    if pool.words().contains(address, size) {
        Ok(address)
    } else {
        Err(Fault::Damaged)
    }
}

fn alloc_chunk(change: &mut Change<'_>, slot: usize, shift: usize) -> Result<usize> {
    let sizes = change.pool().sizes();
    let head = change.pool().slot(slot);
    let first = change.page_field(head, page::NEXT)?;
    let is_small = shift < sizes.exact_shift();
    let map = if shift == sizes.exact_shift() {
        Map::exact(sizes)
    } else {
        Map::big(sizes, shift)
    };

    // The head of an empty list points to itself.
    if first != head {
        return if is_small {
            small::take(change, first, slot, shift)
        } else {
            large::take(change, first, slot, map)
        };
    }

    let descriptor = pages::alloc(change, 1)?;
    let (address, chunks) = if is_small {
        small::begin(change, descriptor, shift)?
    } else {
        large::begin(change, descriptor, map)?
    };
    let stats = change.pool().stats(slot)?;

    pages::link(
        change,
        head,
        descriptor,
        if is_small { KIND_SMALL } else { map.kind },
    )?;
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
    change::run(pool, |change| {
        let descriptor = pool.descriptor(address)?;
        let freed = match pool.kind(descriptor)? {
            KIND_PAGE => return free_run(change, descriptor, address),
            KIND_SMALL => small::free(change, descriptor, address)?,
            kind => large::free(change, descriptor, address, kind)?,
        };

        chunk_is_free(change, descriptor, freed)
    })
}

/// Frees the page of a chunk if all its chunks are free, and updates the counters.
fn chunk_is_free(
    change: &mut Change<'_>,
    descriptor: usize,
    (slot, chunks): (usize, Option<usize>),
) -> Result {
    let stats = change.pool().stats(slot)?;

    if let Some(chunks) = chunks {
        pages::free(change, descriptor, 1)?;
        change.add(stats.wrapping_add(stat::TOTAL), chunks.wrapping_neg())?;
    }

    change.add(stats.wrapping_add(stat::USED), usize::MAX)
}

fn free_run(change: &mut Change<'_>, descriptor: usize, address: usize) -> Result {
    let slab = change.page_field(descriptor, page::SLAB)?;

    if address & (change.pool().sizes().page() - 1) != 0 {
        return Err(Fault::Pointer(WRONG_CHUNK));
    }

    if slab & RUN_START == 0 {
        return Err(Fault::Pointer("ngx_slab_free(): page is already free"));
    }

    if slab == RUN_BUSY {
        return Err(Fault::Pointer("ngx_slab_free(): pointer to wrong page"));
    }

    pages::free(change, descriptor, slab & !RUN_START)
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
