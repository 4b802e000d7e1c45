//! Frees runs of pages in a pool whose parts this process knows, as
//! [`pages::free`](super::pages::free) does, with a short record.
//!
//! The functions return `None`, and have changed nothing, if no run begins at the page, and if a
//! link leads to no page.

use std::sync::atomic::Ordering::{Relaxed, Release};

use super::layout::{KIND_MASK, KIND_PAGE, RUN_BUSY, RUN_FREE, RUN_START};
use super::runs::{Pages, Run, set, values};
use super::short;
use crate::sys::parts::{Node, Page, Parts, Record, address_of};

/// Frees the run that begins at `address`, in the page `page`.
#[inline(always)]
pub fn free(parts: Parts, record: &Record, page: &Page<'_>, address: usize) -> Option<()> {
    if page.start == address {
        free_at(parts, record, page.number, page.node.get())
    } else {
        None
    }
}

/// The number of pages of the allocated run that begins with the page `number`, whose descriptor is
/// `first`. `None` if no run begins there.
#[inline(always)]
fn length(pages: &Pages<'_>, number: usize, [slab, next, _]: &Node) -> Option<usize> {
    // No pool has as many pages as RUN_BUSY, or a `slab` without RUN_START, stand for.
    let n = slab.load(Relaxed) ^ RUN_START;

    (n != 0 && next.load(Relaxed) == 0 && pages.table.has(number, n)).then_some(n)
}

/// Makes the pages of an allocated run free, but the first one, whose number is `number`.
#[inline(always)]
fn clear(pages: &Pages<'_>, number: usize, n: usize) {
    for n in number + 1..number + n {
        let Some(node) = pages.table.nth(n) else {
            break;
        };
        let [slab, ..] = node.get();

        // As in `run_alloc`, ends in a damaged pool only.
        if slab.load(Relaxed) != RUN_BUSY {
            break;
        }

        // `next` and `prev` of a page within an allocated run are 0 already.
        slab.store(RUN_FREE, Release);
    }
}

/// Frees the run whose first page has the number `number`.
#[inline(always)]
fn free_at(parts: Parts, record: &Record, number: usize, first: &Node) -> Option<()> {
    let pages = Pages::of(&parts)?;
    let n = length(&pages, number, first)?;

    if !is_free(&pages, number.wrapping_sub(1)) {
        // Often the pages behind it are the first free run, from which the run was taken.
        if let Some(behind) = pages.table.nth(number + n)
            && pages.is_head(behind.get()[2].load(Relaxed))
        {
            return join_first(&pages, record, first, (number, n), behind.get());
        }

        if !is_free(&pages, number + n) {
            return free_alone(&pages, record, first, (number, n));
        }
    }

    join(parts, record, first, number, n)
}

/// Whether the page with the number `n` is free. A page that the pool does not have is not.
#[inline(always)]
fn is_free(pages: &Pages<'_>, n: usize) -> bool {
    let Some(node) = pages.table.nth(n) else {
        return false;
    };
    let [slab, _, prev] = node.get();

    prev.load(Relaxed) & KIND_MASK == KIND_PAGE && slab.load(Relaxed) & RUN_START == 0
}

/// Frees a run of `n` pages, which becomes the first free run.
#[inline(always)]
fn free_alone(
    pages: &Pages<'_>,
    record: &Record,
    first: &Node,
    (number, n): (usize, usize),
) -> Option<()> {
    let next = pages.first();
    let second = pages.at(next)?;
    let last = pages.table.nth(number + n - 1)?.get();
    let pfree = pages.pfree.load(Relaxed);
    let at = address_of(&first[0]);

    short::begin_alone(record, (at, n), (pfree, next));
    pages.pfree.store(pfree.wrapping_add(n), Release);
    clear(pages, number, n);
    last[2].store(at, Release);
    set(first, [n, next, address_of(&pages.head[0])]);
    second[2].store(at, Release);
    pages.head[1].store(at, Release);
    short::end(record);

    Some(())
}

/// Frees a run, which is joined with the first free run, behind it. The joined run becomes the
/// first one.
#[inline(always)]
fn join_first(
    pages: &Pages<'_>,
    record: &Record,
    first: &Node,
    (number, n): (usize, usize),
    behind: &Node,
) -> Option<()> {
    let (len, next) = (behind[0].load(Relaxed), behind[1].load(Relaxed));

    if len == 0 || !pages.table.has(number + n, len) {
        return None;
    }

    let last = pages.table.nth(number + n + len - 1)?.get();
    let second = pages.at(next)?;
    let pfree = pages.pfree.load(Relaxed);
    let at = address_of(&first[0]);

    short::begin_joined(record, (at, n), pfree, [len, next]);
    pages.pfree.store(pfree.wrapping_add(n), Release);
    clear(pages, number, n);
    set(behind, [RUN_FREE, 0, KIND_PAGE]);
    last[2].store(at, Release);
    set(first, [n + len, next, address_of(&pages.head[0])]);
    second[2].store(at, Release);
    pages.head[1].store(at, Release);
    short::end(record);

    Some(())
}

/// Frees a run of `n` pages, which is joined with the free runs behind and before it. The joined
/// run becomes the first one.
#[inline(never)]
fn join(parts: Parts, record: &Record, first: &Node, number: usize, n: usize) -> Option<()> {
    let pages = Pages::of(&parts)?;
    let behind = behind(&pages, number + n)?;
    let before = before(&pages, number)?;
    let pfree = pages.pfree.load(Relaxed);

    short::begin_freed(
        record,
        (address_of(&first[0]), n),
        (pfree, pages.first()),
        behind.free,
        before.free,
    );
    pages.pfree.store(pfree.wrapping_add(n), Release);
    clear(&pages, number, n);

    let (mut begin, mut start, mut len) = (number, first, n);

    if behind.free[0] != 0 {
        len += behind.free[0];
        set(behind.node, [RUN_FREE, 0, KIND_PAGE]);
        behind.set_neighbours(behind.free[1], behind.free[2]);
    }

    if before.free[0] != 0 {
        // The run behind can have been a neighbour in the list.
        unlink(&pages, before.node);
        set(first, [RUN_FREE, 0, KIND_PAGE]);
        begin -= before.free[0];
        start = before.node;
        len += before.free[0];
    }

    insert(&pages, start, (begin, len));
    short::end(record);

    Some(())
}

/// Takes a free run out of the list.
#[inline(always)]
fn unlink(pages: &Pages<'_>, [_, next, prev]: &Node) {
    let (next, prev) = (next.load(Relaxed), prev.load(Relaxed) & !KIND_MASK);

    if let (Some([_, after, _]), Some([_, _, before])) = (pages.at(prev), pages.at(next)) {
        after.store(next, Release);
        before.store(prev, Release);
    }
}

/// Makes a run of `len` pages from the number `begin` on the first one of the list.
#[inline(always)]
fn insert(pages: &Pages<'_>, start: &Node, (begin, len): (usize, usize)) {
    let next = pages.first();
    let at = address_of(&start[0]);

    if let Some(second) = pages.at(next) {
        // The link from the last page to the first one.
        if let Some(last) = pages.table.nth(begin + len - 1) {
            last.get()[2].store(at, Release);
        }

        set(start, [len, next, address_of(&pages.head[0])]);
        second[2].store(at, Release);
        pages.head[1].store(at, Release);
    }
}

/// No run.
#[inline(always)]
fn none<'a>(pages: &Pages<'a>) -> Run<'a> {
    Run {
        free: [0; 3],
        node: pages.head,
        prev: pages.head,
        next: pages.head,
    }
}

/// The free run that begins at the page `number`. `None` if the pool is damaged.
#[inline(always)]
fn behind<'a>(pages: &Pages<'a>, number: usize) -> Option<Run<'a>> {
    let Some(node) = pages.table.nth(number) else {
        return Some(none(pages));
    };
    let node = node.get();
    let free = values(node);

    if free[2] & KIND_MASK != KIND_PAGE || free[1] == 0 {
        return Some(none(pages));
    }

    if free[0] == 0 || free[0] > pages.table.count() - number {
        return None;
    }

    pages.run(node, free)
}

/// The free run that ends before the page `number`. `None` if the pool is damaged.
#[inline(always)]
fn before<'a>(pages: &Pages<'a>, number: usize) -> Option<Run<'a>> {
    let Some(last) = number.checked_sub(1).and_then(|n| pages.table.nth(n)) else {
        return Some(none(pages));
    };
    let last = last.get();
    let [slab, _, prev] = values(last);

    if prev & KIND_MASK != KIND_PAGE {
        return Some(none(pages));
    }

    // The last page of a run has a link to the first one.
    let (at, node) = if slab == RUN_FREE {
        let (at, node) = pages.table.entry(prev)?;

        (at, node.get())
    } else {
        (number - 1, last)
    };
    let free = values(node);

    if free[1] == 0 {
        return Some(none(pages));
    }

    if free[0] == 0 || number.checked_sub(at) != Some(free[0]) {
        return None;
    }

    pages.run(node, free)
}
