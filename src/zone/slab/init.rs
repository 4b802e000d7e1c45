//! Makes a pool, nginx's `ngx_slab_init()`.

use super::change::RECORD;
use super::known;
use super::layout::{HEADER, KIND_PAGE, PAGE, STAT, Sizes, field, has_own_lock, page};
use super::pool::{Fault, Pool, Result};
use crate::sys::parts::Places;

/// What lies where in a pool, as offsets from its start, and its number of pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    slots: usize,
    stats: usize,
    pages: usize,
    start: usize,
    count: usize,
}

impl Plan {
    /// The plan of a pool of `size` bytes whose smallest chunks have the size `min_shift`
    /// as a power of two. The pool begins at a multiple of the page size. `None` if the
    /// pool is too small for one page.
    pub fn new(sizes: Sizes, size: usize, min_shift: usize) -> Option<Self> {
        Self::at(sizes, 0, size, min_shift)
    }

    /// The plan of a pool of `size` bytes at the address `base`.
    fn at(sizes: Sizes, base: usize, size: usize, min_shift: usize) -> Option<Self> {
        let slots = sizes.shift.checked_sub(min_shift).filter(|&n| n > 0)?;
        let stats = HEADER + slots * PAGE;
        let pages = stats + slots * STAT;
        // As many pages as fit if each had its descriptor beside it. The first page is
        // aligned, so one less can fit.
        let most = size.checked_sub(pages)? / (sizes.page() + PAGE);
        let first = (base + pages + most * PAGE).checked_next_multiple_of(sizes.page())? - base;
        let mut count = most.min(size.saturating_sub(first) >> sizes.shift);
        let room = |count| {
            let before = first - (pages + count * PAGE);
            let behind = size.saturating_sub(first + (count << sizes.shift));

            before >= RECORD || behind >= RECORD + PAGE
        };

        if !room(count) {
            count = count.checked_sub(1)?;
        }

        (count > 0).then_some(Self {
            slots,
            stats,
            pages,
            start: first,
            count,
        })
    }

    /// The number of pages.
    pub fn count(self) -> usize {
        self.count
    }
}

/// The smallest size of a pool with `count` pages, as a multiple of the page size;
/// `None` if no pool is so large.
pub fn size_for(sizes: Sizes, count: usize, min_shift: usize) -> Option<usize> {
    // The pages, their descriptors, the header and the record, rounded up.
    let most = count
        .checked_mul(sizes.page() + PAGE)?
        .checked_add(HEADER + sizes.shift * (PAGE + STAT) + RECORD + 3 * sizes.page())?;
    let mut size = count.checked_mul(sizes.page())?;

    while size <= most {
        let has_room =
            Plan::new(sizes, size, min_shift).is_some_and(|plan| plan.count >= count.max(1));

        if has_room {
            return Some(size);
        }

        size += sizes.page();
    }

    None
}

/// Makes a pool of the memory behind its header. The caller has set `end` and
/// `min_shift`; `lock`, `mutex`, `data` and `addr` are not changed.
///
/// Fails with [`Fault::Damaged`] if the memory is too small for one page. Then all
/// allocations of this pool fail.
pub fn init(pool: &Pool) -> Result {
    let min_shift = pool.field(field::MIN_SHIFT)?;
    let size = pool.words().size();

    known::remember(pool.at(0), size, has_own_lock(pool.words()));

    let plan = Plan::at(pool.sizes(), pool.at(0), size, min_shift);
    let set = |field, value| pool.put(pool.at(field), value);

    // Without pages, each operation fails before it uses another field.
    set(field::PAGES, 0)?;
    set(field::LAST, 0)?;
    set(field::PFREE, 0)?;
    set(field::LOG_CTX, pool.at(field::ZERO))?;
    set_flags(pool)?;

    let plan = plan.ok_or(Fault::Damaged)?;
    let (pages, free) = (pool.at(plan.pages), pool.at(field::FREE));

    set(field::MIN_SIZE, 1 << min_shift)?;

    for slot in 0..plan.slots {
        let head = pool.slot(slot);

        pool.set_page(head, [0, head, 0])?;
    }

    for at in (plan.stats..plan.pages + plan.count * PAGE).step_by(size_of::<usize>()) {
        set(at, 0)?;
    }

    pool.set_page(free, [0, pages, 0])?;
    pool.set_page(pages, [plan.count, free, free | KIND_PAGE])?;

    // nginx leaves this field 0 until the first page is allocated. No code reads it
    // before.
    if plan.count > 1 {
        let last = pages + (plan.count - 1) * PAGE;

        pool.put(last + page::PREV, pages)?;
    }

    set(field::STATS, pool.at(plan.stats))?;
    set(field::PAGES, pages)?;
    set(field::PFREE, plan.count)?;
    set(field::START, pool.at(plan.start))?;

    // The number of entries of the record.
    let last = pages + plan.count * PAGE;
    let record = super::change::place(last, pool.at(plan.start), pool.field(field::END)?);

    pool.put(record, 0)?;
    set(field::LAST, last)?;
    remember(pool);

    Ok(())
}

/// Remembers the parts of a pool whose header is right.
pub fn remember(pool: &Pool) {
    let _ = try_remember(pool);
}

fn try_remember(pool: &Pool) -> Result {
    let (base, shift) = (pool.at(0), pool.sizes().shift);
    let (end, min_shift) = (pool.field(field::END)?, pool.field(field::MIN_SHIFT)?);
    let plan =
        Plan::at(pool.sizes(), base, pool.words().size(), min_shift).ok_or(Fault::Damaged)?;
    let (pages, first) = (base + plan.pages, base + plan.start);
    let last = pages + plan.count * PAGE;
    let places = Places {
        slots: pool.slot(0),
        stats: base + plan.stats,
        slot_count: plan.slots,
        pages,
        count: plan.count,
        first,
        shift,
        record: super::change::place(last, first, end),
    };

    // A pool of another version of the library could have another plan.
    if (pool.field(field::START)?, pool.field(field::LAST)?) == (first, last) {
        known::remember_parts(pool.words(), end, min_shift, &places);
    }

    Ok(())
}

/// Sets `zero` and `log_nomem`.
fn set_flags(pool: &Pool) -> Result {
    use std::sync::atomic::Ordering::Relaxed;

    for (field, value) in [(field::ZERO, 0), (field::FLAGS, super::layout::LOG_NOMEM)] {
        pool.words()
            .byte(pool.at(field))
            .ok_or(Fault::Damaged)?
            .store(value, Relaxed);
    }

    Ok(())
}
