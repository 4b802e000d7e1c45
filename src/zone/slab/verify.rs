//! Checks everything in a pool. Each number and each link is checked before it is
//! followed, so a pool of any bytes can be checked.

use std::fmt;

use super::change;
use super::large::Map;
use super::layout::{
    BITS, HEADER, KIND_EXACT, KIND_MASK, KIND_PAGE, KIND_SMALL, PAGE, RUN_BUSY, RUN_FREE,
    RUN_START, SHIFT_MASK, STAT, WORD, field, page, stat,
};
use super::pool::{Fault, Pool, Result};

/// The largest number of sizes: a page has 64 KiB at most, and the smallest chunk 1 byte.
const SLOTS: usize = 16;

/// What the descriptors say about one size of chunks.
#[derive(Clone, Copy, Default)]
struct Sums {
    /// The pages that are in the list.
    listed: usize,
    total: usize,
    used: usize,
}

/// What a pool contains.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Contents {
    /// The number of free pages.
    pub free: usize,
    /// The number of free runs of pages.
    pub free_runs: usize,
    /// The number of pages of the longest free run.
    pub largest: usize,
    /// The number of pages of allocated runs.
    pub run_pages: usize,
    /// The number of chunks in use.
    pub chunks: usize,
    /// The number of findings.
    pub findings: usize,
}

struct Check<'a> {
    pool: &'a Pool,
    report: &'a mut dyn FnMut(fmt::Arguments<'_>),
    pages: usize,
    last: usize,
    sums: [Sums; SLOTS],
    contents: Contents,
    was_free: bool,
}

/// Checks a pool, and calls `report` with a text for each finding.
pub fn verify(pool: &Pool, report: &mut dyn FnMut(fmt::Arguments<'_>)) -> Contents {
    let mut check = Check {
        pool,
        report,
        pages: 0,
        last: 0,
        sums: [Sums::default(); SLOTS],
        contents: Contents::default(),
        was_free: false,
    };

    // A number that cannot be read makes the rest useless.
    if check.header().is_err() {
        check.find(format_args!("the header of the pool is damaged"));
    } else if check.descriptors().and_then(|()| check.lists()).is_err() {
        check.find(format_args!("a link leads out of the pool"));
    }

    check.contents
}

impl Check<'_> {
    fn find(&mut self, text: fmt::Arguments<'_>) {
        self.contents.findings += 1;
        (self.report)(text);
    }

    fn expect(&mut self, is_right: bool, text: fmt::Arguments<'_>) {
        if !is_right {
            self.find(text);
        }
    }

    /// The number of a descriptor, for texts.
    fn number(&self, descriptor: usize) -> usize {
        descriptor.wrapping_sub(self.pages) / PAGE
    }

    /// The fields on which all others depend. If one is wrong, the others are not looked at.
    fn header(&mut self) -> Result {
        let pool = self.pool;
        let slots = pool.slots()?;

        self.pages = pool.field(field::PAGES)?;
        self.last = pool.field(field::LAST)?;

        let (start, stats) = (pool.field(field::START)?, pool.field(field::STATS)?);
        let count = self.last.wrapping_sub(self.pages) / PAGE;
        let is_right = (1..=SLOTS).contains(&slots)
            && stats == pool.at(HEADER + slots * PAGE)
            && self.pages == stats + slots * STAT
            && count <= pool.most_pages()
            && self.last == self.pages.wrapping_add(count * PAGE)
            && count > 0
            && self.last <= start
            && start & (pool.sizes().page() - 1) == 0
            && pool.words().contains(start, count << pool.sizes().shift)
            && pool.field(field::MIN_SIZE)? == 1 << pool.field(field::MIN_SHIFT)?;

        if !is_right {
            return Err(Fault::Damaged);
        }

        if change::is_interrupted(pool)? {
            self.find(format_args!("a process has died in an operation"));
        }

        Ok(())
    }

    /// All descriptors, from the first to the last.
    fn descriptors(&mut self) -> Result {
        let mut descriptor = self.pages;

        while descriptor < self.last {
            let len = if self.pool.kind(descriptor)? == KIND_PAGE {
                self.run(descriptor)?
            } else {
                self.was_free = false;
                self.chunks(descriptor)?;
                1
            };

            descriptor += len * PAGE;
        }

        let (free, counted) = (self.contents.free, self.pool.field(field::PFREE)?);

        self.expect(
            free == counted,
            format_args!("{free} pages are free, pfree is {counted}"),
        );

        Ok(())
    }

    /// A run of pages that is allocated or free. Returns its length.
    fn run(&mut self, first: usize) -> Result<usize> {
        let slab = self.pool.page_field(first, page::SLAB)?;
        let is_free = self.pool.page_field(first, page::NEXT)? != 0;
        let len = if is_free { slab } else { slab & !RUN_START };
        let number = self.number(first);

        if len == 0 || len > (self.last - first) / PAGE || (!is_free && slab & RUN_START == 0) {
            self.find(format_args!("page {number}: {slab:#x} is no run of pages"));
            self.was_free = false;
            return Ok(1);
        }

        self.inner_pages(first, len, is_free)?;

        if is_free {
            self.expect(
                !self.was_free,
                format_args!("page {number}: two free runs are not joined"),
            );
            self.check_links(first)?;
            self.contents.free += len;
            self.contents.free_runs += 1;
            self.contents.largest = self.contents.largest.max(len);
        } else {
            let prev = self.pool.page_field(first, page::PREV)?;

            self.expect(
                prev == KIND_PAGE,
                format_args!("page {number}: an allocated run has a link"),
            );
            self.contents.run_pages += len;
        }

        self.was_free = is_free;

        Ok(len)
    }

    /// The descriptors of a run but the first one.
    fn inner_pages(&mut self, first: usize, len: usize, is_free: bool) -> Result {
        let slab = if is_free { RUN_FREE } else { RUN_BUSY };

        for i in 1..len {
            let descriptor = first + i * PAGE;
            let prev = self.pool.page_field(descriptor, page::PREV)?;
            let is_linked = match is_free {
                false => prev == 0,
                true if i == len - 1 => prev == first,
                true => prev & KIND_MASK == 0,
            };
            let is_right = is_linked
                && self.pool.page_field(descriptor, page::SLAB)? == slab
                && self.pool.page_field(descriptor, page::NEXT)? == 0;
            let number = self.number(descriptor);

            self.expect(
                is_right,
                format_args!("page {number} does not continue its run"),
            );
        }

        Ok(())
    }

    /// The size of the chunks of a page; `None` if it is one of a run.
    fn slot_of(&self, descriptor: usize) -> Result<Option<usize>> {
        let sizes = self.pool.sizes();
        let slab = self.pool.page_field(descriptor, page::SLAB)?;
        let shift = match self.pool.kind(descriptor)? {
            KIND_PAGE => return Ok(None),
            KIND_EXACT => sizes.exact_shift(),
            _ => slab & SHIFT_MASK,
        };

        self.pool.slot_of(shift).map(Some)
    }

    /// A page of chunks.
    fn chunks(&mut self, descriptor: usize) -> Result {
        let pool = self.pool;
        let sizes = pool.sizes();
        let number = self.number(descriptor);
        let slab = pool.page_field(descriptor, page::SLAB)?;
        let kind = pool.kind(descriptor)?;
        let map = Map::of_page(sizes, kind, slab);
        let (shift, is_right) = match kind {
            KIND_SMALL => (slab & SHIFT_MASK, slab < sizes.exact_shift()),
            KIND_EXACT => (sizes.exact_shift(), true),
            _ => (
                map.shift(),
                map.shift() > sizes.exact_shift()
                    && map.shift() < sizes.shift
                    && slab == map.bits(slab) | map.shift(),
            ),
        };

        let (Some(slot), true) = (pool.slot_of(shift).ok(), is_right) else {
            self.find(format_args!(
                "page {number}: {slab:#x} is no page of chunks"
            ));
            return Ok(());
        };

        let (total, used) = if kind == KIND_SMALL {
            self.small(descriptor, shift)?
        } else {
            (map.chunks(), map.used(slab))
        };
        let is_listed = pool.page_field(descriptor, page::NEXT)? != 0;

        self.expect(used > 0, format_args!("page {number} has only free chunks"));
        self.expect(
            is_listed == (used < total),
            format_args!(
                "page {number}: {used} of {total} chunks are used, in the list: {is_listed}"
            ),
        );

        if is_listed {
            self.check_links(descriptor)?;
        }

        if let Some(sums) = self.sums.get_mut(slot) {
            sums.listed += usize::from(is_listed);
            sums.total += total;
            sums.used += used;
        }

        Ok(())
    }

    /// The number of chunks of a page with small chunks, and how many are in use.
    fn small(&mut self, descriptor: usize, shift: usize) -> Result<(usize, usize)> {
        let pool = self.pool;
        let number = self.number(descriptor);
        let bitmap = pool.page(descriptor)?;
        let chunks = pool.sizes().chunks(shift);
        let own = pool.sizes().bitmap_chunks(shift);
        let (mut set, mut own_set) = (0, 0);

        for n in 0..chunks / BITS {
            let bits = pool.get(bitmap.wrapping_add(n * WORD))?;
            let own = own.saturating_sub(n * BITS).min(BITS);
            let mask = usize::MAX.checked_shr((BITS - own) as u32).unwrap_or(0);

            set += bits.count_ones() as usize;
            own_set += (bits & mask).count_ones() as usize;
        }

        self.expect(
            own_set == own,
            format_args!("page {number}: chunks with the bits are free"),
        );

        Ok((chunks - own, set - own_set))
    }

    /// Checks that the neighbours of a page in its list point back to it.
    fn check_links(&mut self, descriptor: usize) -> Result {
        let pool = self.pool;
        let kind = pool.kind(descriptor)?;
        let prev = pool.page_field(descriptor, page::PREV)? & !KIND_MASK;
        let next = pool.page_field(descriptor, page::NEXT)?;
        let back = pool.page_field(next, page::PREV);
        let forth = pool.page_field(prev, page::NEXT);
        let number = self.number(descriptor);

        // A head's own link back is not used.
        let is_right =
            forth == Ok(descriptor) && (next < self.pages || back == Ok(descriptor | kind));

        self.expect(
            is_right,
            format_args!("page {number}: its neighbours do not point back"),
        );

        Ok(())
    }

    /// The lists, and the counters of each size.
    fn lists(&mut self) -> Result {
        let pool = self.pool;
        let free_runs = self.contents.free_runs;

        self.list(
            pool.at(field::FREE),
            free_runs,
            None,
            format_args!("the free list"),
        )?;

        for (slot, sums) in self.sums.into_iter().enumerate().take(pool.slots()?) {
            let stats = pool.stats(slot)?;
            let total = pool.get(stats.wrapping_add(stat::TOTAL))?;
            let used = pool.get(stats.wrapping_add(stat::USED))?;

            self.contents.chunks += sums.used;
            self.list(
                pool.slot(slot),
                sums.listed,
                Some(slot),
                format_args!("list {slot}"),
            )?;
            self.expect(
                (total, used) == (sums.total, sums.used),
                format_args!(
                    "size {slot}: {} of {} chunks are used, the counters say {used} of {total}",
                    sums.used, sums.total
                ),
            );
        }

        Ok(())
    }

    /// Checks that a list has `len` pages, all with chunks of the size `slot`, or all the
    /// first page of a free run. As many such pages have right links, so these are they.
    fn list(
        &mut self,
        head: usize,
        len: usize,
        slot: Option<usize>,
        name: fmt::Arguments<'_>,
    ) -> Result {
        let mut descriptor = self.pool.page_field(head, page::NEXT)?;
        let mut found = 0;

        while descriptor != head && found <= len {
            let is_page = self.pages <= descriptor
                && descriptor < self.last
                && (descriptor - self.pages).is_multiple_of(PAGE)
                && self.slot_of(descriptor)? == slot;

            if !is_page {
                self.find(format_args!("{name}: {descriptor:#x} is no page of it"));
                return Ok(());
            }

            found += 1;
            descriptor = self.pool.page_field(descriptor, page::NEXT)?;
        }

        self.expect(
            found == len,
            format_args!("{name} does not have the {len} pages that are in it"),
        );

        Ok(())
    }
}
