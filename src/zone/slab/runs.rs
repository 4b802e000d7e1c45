//! Runs of pages in a pool whose parts this process knows: what [`pages`](super::pages)
//! does, with a short record.
//!
//! The functions return `None`, and have changed nothing, if a link leads to no page, and if
//! there is no memory and the log wants a line about it.

use std::ptr;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::{Relaxed, Release};

use super::layout::{KIND_MASK, KIND_PAGE, RUN_BUSY, RUN_FREE, RUN_START, WORD, field};
use super::no_memory::is_logged;
use super::short::{self, Free, count};
use crate::sys::parts::{Node, Page, Parts, Record, address_of};

/// The head of the list of free runs, and the number of free pages.
struct Head<'a> {
    node: &'a Node,
    pfree: &'a AtomicUsize,
}

impl<'a> Head<'a> {
    #[inline(always)]
    fn of(parts: &'a Parts) -> Option<Self> {
        let (_, free) = parts.header().split_at(field::FREE / WORD);
        let (node, rest) = free.split_first_chunk()?;

        Some(Self {
            node,
            pfree: rest.get((field::PFREE - field::FREE) / WORD - node.len())?,
        })
    }

    /// Whether a link leads to the head.
    #[inline(always)]
    fn is(&self, link: usize) -> bool {
        link == address_of(&self.node[0])
    }

    /// The descriptor or head to which a link leads.
    #[inline(always)]
    fn at(&self, parts: &'a Parts, link: usize) -> Option<&'a Node> {
        if self.is(link) {
            return Some(self.node);
        }

        parts.entry(link).map(|(_, node)| node.get())
    }

    /// Takes a free run out of the list.
    #[inline(always)]
    fn unlink(&self, parts: &'a Parts, [_, next, prev]: &Node) {
        let (next, prev) = (next.load(Relaxed), prev.load(Relaxed) & !KIND_MASK);

        if let (Some([_, after, _]), Some([_, _, before])) =
            (self.at(parts, prev), self.at(parts, next))
        {
            after.store(next, Release);
            before.store(prev, Release);
        }
    }
}

#[inline(always)]
fn set([slab, next, prev]: &Node, values: [usize; 3]) {
    slab.store(values[0], Release);
    next.store(values[1], Release);
    prev.store(values[2], Release);
}

#[inline(always)]
fn values([slab, next, prev]: &Node) -> Free {
    [slab.load(Relaxed), next.load(Relaxed), prev.load(Relaxed)]
}

/// A free run, and the descriptors or heads before and behind it in the list. The length 0
/// stands for no run.
struct Run<'a> {
    free: Free,
    node: &'a Node,
    prev: &'a Node,
    next: &'a Node,
}

impl<'a> Run<'a> {
    #[inline(always)]
    fn new(parts: &'a Parts, head: &Head<'a>, node: &'a Node, free: Free) -> Option<Self> {
        Some(Self {
            free,
            node,
            prev: head.at(parts, free[2])?,
            next: head.at(parts, free[1])?,
        })
    }

    /// No run.
    #[inline(always)]
    fn none(head: &Head<'a>) -> Self {
        Self {
            free: [0; 3],
            node: head.node,
            prev: head.node,
            next: head.node,
        }
    }

    /// Makes the neighbours in the list point to `next` and `prev`.
    #[inline(always)]
    fn set_neighbours(&self, next: usize, prev: usize) {
        self.prev[1].store(next, Release);
        self.next[2].store(prev, Release);
    }
}

/// Whether the pool has no free run.
pub fn are_none(parts: &Parts) -> bool {
    Head::of(parts).is_some_and(|head| head.is(head.node[1].load(Relaxed)))
}

/// Allocates `size` bytes, the first pages of the first free run that is long enough. Returns
/// their address; 0 if there is no such run, which needs no log line.
#[inline(never)]
pub fn alloc(parts: Parts, record: &Record, size: usize) -> Option<usize> {
    let parts = &parts;
    let n = ((size - 1) >> parts.shift()) + 1;
    let head = Head::of(parts)?;
    let mut link = head.node[1].load(Relaxed);

    // A list that a process has overwritten can have a loop. The head is no page.
    for _ in 0..parts.count() {
        let Some((number, node)) = parts.entry(link) else {
            break;
        };
        let node = node.get();
        let free = values(node);

        if free[0] >= n {
            let run = Run::new(parts, &head, node, free)?;

            take(parts, &head, record, (number, n), &run)?;
            return Some(parts.address(number));
        }

        link = free[1];
    }

    if !head.is(link) || is_logged(parts) {
        return None;
    }

    // Pages have no counters. A request for them counts as one for the largest chunks.
    let (_, counters) = parts.slot_and_counters(parts.slot_count().checked_sub(1)?)?;
    let [_, _, _, failures] = counters.get();

    count(failures);

    Some(0)
}

/// Allocates the first `n` pages of the free run whose first page has the number `number`.
#[inline(always)]
fn take(
    parts: &Parts,
    head: &Head<'_>,
    record: &Record,
    (number, n): (usize, usize),
    run: &Run<'_>,
) -> Option<()> {
    let [len, next, prev] = run.free;
    let nodes = parts.run(number, len)?.get();
    let pfree = head.pfree.load(Relaxed);

    short::begin_taken(record, address_of(&run.node[0]), n, run.free, pfree);

    if let (Some(rest), Some(last)) = (nodes.get(n), nodes.last()) {
        let at = address_of(&rest[0]);

        last[2].store(at, Release);
        set(rest, [len - n, next, prev]);
        run.set_neighbours(at, at);
    } else {
        run.set_neighbours(next, prev);
    }

    set(run.node, [n | RUN_START, 0, KIND_PAGE]);
    head.pfree.store(pfree.wrapping_sub(n), Release);

    // `next` of a page within a free run is 0 already.
    for n in 1..n {
        if let Some([slab, _, prev]) = nodes.get(n) {
            slab.store(RUN_BUSY, Release);
            prev.store(KIND_PAGE, Release);
        }
    }

    short::end(record);

    Some(())
}

/// Frees the run that begins at `address`, in the page `page`, and joins it with the free
/// runs before and behind it.
#[inline(always)]
pub fn free(parts: Parts, record: &Record, page: &Page<'_>, address: usize) -> Option<()> {
    if page.start == address {
        free_at(parts, record, page.number, page.node.get())
    } else {
        None
    }
}

/// Frees the run whose first page has the number `number`.
#[inline(never)]
fn free_at(parts: Parts, record: &Record, number: usize, first: &Node) -> Option<()> {
    let parts = &parts;
    let head = Head::of(parts)?;
    let slab = first[0].load(Relaxed);
    let n = slab & !RUN_START;

    if slab & RUN_START == 0 || slab == RUN_BUSY || n == 0 || first[1].load(Relaxed) != 0 {
        return None;
    }

    let run = parts.run(number, n)?.get();
    let behind = behind(parts, &head, number + n)?;
    let before = before(parts, &head, number)?;
    let pfree = head.pfree.load(Relaxed);

    short::begin_freed(
        record,
        (address_of(&first[0]), n),
        (pfree, head.node[1].load(Relaxed)),
        behind.free,
        before.free,
    );
    head.pfree.store(pfree.wrapping_add(n), Release);

    // `next` and `prev` of a page within an allocated run are 0 already.
    for n in 1..n {
        if let Some([slab, ..]) = run.get(n) {
            slab.store(RUN_FREE, Release);
        }
    }

    let (mut begin, mut start, mut len) = (number, first, n);

    if behind.free[0] != 0 {
        len += behind.free[0];
        set(behind.node, [RUN_FREE, 0, KIND_PAGE]);

        // The new run takes the place of the one behind.
        if before.free[0] == 0 && ptr::eq(behind.prev, head.node) {
            set_last(parts, first, number + len);
            set(first, [len, behind.free[1], address_of(&head.node[0])]);
            behind.set_neighbours(address_of(&first[0]), address_of(&first[0]));
            short::end(record);

            return Some(());
        }

        behind.set_neighbours(behind.free[1], behind.free[2]);
    }

    if before.free[0] != 0 {
        // The run behind can have been a neighbour in the list.
        head.unlink(parts, before.node);
        set(first, [RUN_FREE, 0, KIND_PAGE]);
        begin -= before.free[0];
        start = before.node;
        len += before.free[0];
    }

    insert(parts, &head, start, (begin, len));
    short::end(record);

    Some(())
}

/// Makes a run of `len` pages from the number `begin` on the first one of the list.
#[inline(always)]
fn insert(parts: &Parts, head: &Head<'_>, start: &Node, (begin, len): (usize, usize)) {
    let next = head.node[1].load(Relaxed);
    let at = address_of(&start[0]);

    if let Some(second) = head.at(parts, next) {
        set_last(parts, start, begin + len);
        set(start, [len, next, address_of(&head.node[0])]);
        second[2].store(at, Release);
        head.node[1].store(at, Release);
    }
}

/// Writes the link from the last page of a run, before the page `end`, to its first one.
#[inline(always)]
fn set_last(parts: &Parts, first: &Node, end: usize) {
    if let Some(last) = parts.nth(end - 1) {
        last.get()[2].store(address_of(&first[0]), Release);
    }
}

/// The free run that begins at the page `number`. `None` if the pool is damaged.
#[inline(always)]
fn behind<'a>(parts: &'a Parts, head: &Head<'a>, number: usize) -> Option<Run<'a>> {
    let Some(node) = parts.nth(number) else {
        return Some(Run::none(head));
    };
    let node = node.get();
    let free = values(node);

    if free[2] & KIND_MASK != KIND_PAGE || free[1] == 0 {
        return Some(Run::none(head));
    }

    if free[0] == 0 || free[0] > parts.count() - number {
        return None;
    }

    Run::new(parts, head, node, free)
}

/// The free run that ends before the page `number`. `None` if the pool is damaged.
#[inline(always)]
fn before<'a>(parts: &'a Parts, head: &Head<'a>, number: usize) -> Option<Run<'a>> {
    let Some(last) = number.checked_sub(1).and_then(|n| parts.nth(n)) else {
        return Some(Run::none(head));
    };
    let last = last.get();
    let [slab, _, prev] = values(last);

    if prev & KIND_MASK != KIND_PAGE {
        return Some(Run::none(head));
    }

    // The last page of a run has a link to the first one.
    let (at, node) = if slab == RUN_FREE {
        let (at, node) = parts.entry(prev)?;

        (at, node.get())
    } else {
        (number - 1, last)
    };
    let free = values(node);

    if free[1] == 0 {
        return Some(Run::none(head));
    }

    if free[0] == 0 || number.checked_sub(at) != Some(free[0]) {
        return None;
    }

    Run::new(parts, head, node, free)
}
