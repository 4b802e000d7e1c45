//! Allocates runs of pages in a pool whose parts this process knows, as
//! [`pages::alloc`](super::pages::alloc) does, with a short record.
//!
//! The functions return `None`, and have changed nothing, if a link leads to no page, and if
//! there is no memory and the log wants a line about it.

use std::sync::atomic::Ordering::{Relaxed, Release};

use super::layout::{KIND_PAGE, RUN_BUSY, RUN_FREE, RUN_START};
use super::no_memory::is_logged;
use super::runs::{Pages, Run, set, values};
use super::short::{self, count};
use crate::sys::parts::{Parts, Record, address_of};

/// Whether the pool has no free run.
pub fn is_empty(parts: &Parts) -> bool {
    Pages::of(parts).is_some_and(|pages| pages.is_head(pages.first()))
}

/// Allocates `size` bytes, the first pages of the first free run that is long enough. Returns
/// their address; 0 if there is no such run, which needs no log line.
#[inline(always)]
pub fn alloc(parts: &Parts, record: &Record, size: usize) -> Option<usize> {
    let n = ((size - 1) >> parts.shift()) + 1;
    let pages = Pages::of(parts)?;
    let mut link = pages.first();

    // A list that a process has overwritten can have a loop. The head is no page.
    for _ in 0..pages.table.count() {
        let Some((number, node)) = pages.table.entry(link) else {
            break;
        };
        let node = node.get();
        let free = values(node);

        if free[0] >= n {
            let run = pages.run(node, free)?;

            take(&pages, record, (number, n), &run)?;
            return Some(parts.address(number));
        }

        link = free[1];
    }

    if pages.is_head(link) {
        lack(*parts)
    } else {
        None
    }
}

/// Counts a request for which no run is long enough. Pages have no counters, so it counts as
/// one for the largest chunks.
#[inline(never)]
fn lack(parts: Parts) -> Option<usize> {
    let (_, counters) = parts.slot_and_counters(parts.slot_count().checked_sub(1)?)?;
    let [_, _, _, failures] = counters.get();

    if is_logged(&parts) {
        return None;
    }

    count(failures);

    Some(0)
}

/// Allocates the first `n` pages of the free run whose first page has the number `number`.
#[inline(always)]
fn take(
    pages: &Pages<'_>,
    record: &Record,
    (number, n): (usize, usize),
    run: &Run<'_>,
) -> Option<()> {
    let [len, next, prev] = run.free;
    let table = &pages.table;
    let pfree = pages.pfree.load(Relaxed);

    if !table.has(number, len) {
        return None;
    }

    short::begin_taken(record, address_of(&run.node[0]), n, run.free, pfree);

    if len > n
        && let (Some(rest), Some(last)) = (table.nth(number + n), table.nth(number + len - 1))
    {
        let (rest, last) = (rest.get(), last.get());
        let at = address_of(&rest[0]);

        last[2].store(at, Release);
        set(rest, [len - n, next, prev]);
        run.set_neighbours(at, at);
    } else {
        run.set_neighbours(next, prev);
    }

    set(run.node, [n | RUN_START, 0, KIND_PAGE]);
    pages.pfree.store(pfree.wrapping_sub(n), Release);

    for n in number + 1..number + n {
        let Some(node) = table.nth(n) else { break };
        let [slab, _, prev] = node.get();

        // Ends in a damaged pool only. Without this look, the compiler would make the loop one
        // for many pages at a time, which takes longer for a few.
        if slab.load(Relaxed) != RUN_FREE {
            break;
        }

        // `next` of a page within a free run is 0 already.
        slab.store(RUN_BUSY, Release);
        prev.store(KIND_PAGE, Release);
    }

    short::end(record);

    Some(())
}
