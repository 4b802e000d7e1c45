//! How much of a pool is in use, and into how many runs its free memory is divided.

#![allow(non_camel_case_types)]

use super::layout::{PAGE, field, page, stat};
use super::pool::{Fault, Pool, Result};
use crate::config::ngx_uint_t;

/// How much of a pool is in use.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ngx_slab_usage_t {
    /// The size of the zone, in bytes.
    pub size: usize,
    /// The number of pages.
    pub pages: ngx_uint_t,
    /// The number of free pages.
    pub free: ngx_uint_t,
    /// The number of runs that the free pages form.
    pub runs: ngx_uint_t,
    /// The number of pages of the longest free run.
    pub longest: ngx_uint_t,
    /// The share of the free pages that are not in the longest free run, in percent. They are
    /// of no use for a request of as many pages as are free.
    pub fragmentation: ngx_uint_t,
    /// The size of all chunks, in bytes. A page of chunks has chunks of one size.
    pub chunks: usize,
    /// The size of the chunks that are in use, in bytes.
    pub used: usize,
}

/// The numbers of pages of the free runs, in the order of the free list. Ends with an error
/// if the list is damaged.
pub fn free_runs(pool: &Pool) -> impl Iterator<Item = Result<usize>> + '_ {
    let head = pool.at(field::FREE);
    let mut next = pool.page_field(head, page::NEXT);
    // A list that a process has overwritten can have a loop.
    let mut left = pool.most_pages();

    std::iter::from_fn(move || {
        let descriptor = match next {
            Ok(descriptor) if descriptor == head => return None,
            Ok(descriptor) => descriptor,
            Err(fault) => {
                next = Ok(head);
                return Some(Err(fault));
            }
        };

        if left == 0 {
            next = Ok(head);
            return Some(Err(Fault::Damaged));
        }

        left -= 1;
        next = pool.page_field(descriptor, page::NEXT);
        Some(pool.page_field(descriptor, page::SLAB))
    })
}

/// The number of pages of the longest free run.
pub fn longest(pool: &Pool) -> Result<usize> {
    free_runs(pool).try_fold(0, |longest, len| Ok(longest.max(len?)))
}

/// The number of pages of a pool.
fn pages(pool: &Pool) -> Result<usize> {
    let (pages, last) = (pool.field(field::PAGES)?, pool.field(field::LAST)?);
    let count = last.wrapping_sub(pages) / PAGE;

    if last > pages && count <= pool.most_pages() {
        Ok(count)
    } else {
        Err(Fault::Damaged)
    }
}

/// The counters of the chunks of one size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// The size of a chunk, in bytes.
    pub bytes: usize,
    /// The number of chunks.
    pub total: usize,
    /// The number of chunks that are in use.
    pub used: usize,
    /// The number of requests.
    pub reqs: usize,
    /// The number of requests that have failed.
    pub fails: usize,
}

/// The counters of each size of chunks, the smallest first. They are nginx's
/// `ngx_slab_stat_t`.
pub fn sizes(pool: &Pool) -> Result<impl Iterator<Item = Result<Size>> + '_> {
    let shift = pool.field(field::MIN_SHIFT)?;

    Ok((0..pool.slots()?).map(move |slot| {
        let stats = pool.stats(slot)?;
        let counter = |at| pool.get(stats.wrapping_add(at));

        Ok(Size {
            bytes: 1 << (shift + slot),
            total: counter(stat::TOTAL)?,
            used: counter(stat::USED)?,
            reqs: counter(stat::REQS)?,
            fails: counter(stat::FAILS)?,
        })
    }))
}

/// Reads how much of a pool is in use. Fails if a number or a link in it is impossible.
///
/// The bytes of the pool may be damaged in any way. If another process changes the pool at the
/// same time, the numbers can be of different moments.
pub fn usage(pool: &Pool) -> Result<ngx_slab_usage_t> {
    let pages = pages(pool)?;
    let mut usage = ngx_slab_usage_t {
        size: pool.words().size(),
        pages,
        ..Default::default()
    };

    for len in free_runs(pool) {
        let len = len?;

        usage.runs += 1;
        usage.free = usage.free.saturating_add(len);
        usage.longest = usage.longest.max(len);
    }

    if usage.free > pages {
        return Err(Fault::Damaged);
    }

    usage.fragmentation = (usage.free - usage.longest) * 100 / usage.free.max(1);

    for size in sizes(pool)? {
        let size = size?;

        usage.chunks = usage
            .chunks
            .saturating_add(size.total.saturating_mul(size.bytes));
        usage.used = usage
            .used
            .saturating_add(size.used.saturating_mul(size.bytes));
    }

    Ok(usage)
}
