//! The short records of the usual operations.
//!
//! The first word of the record is the number of entries of an operation, see
//! [`change`](super::change). If it is an address, it belongs to a short record. The low
//! bits of the address say which operation has written the record, and so what the other
//! words mean. They suffice to find all words that the operation changes, and the values
//! of these words before.
//!
//! An operation writes the first word when the others are written, and before it changes
//! the pool. Its last store sets the first word to 0.

use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::{Relaxed, Release};

use super::layout::{KIND_MASK, PAGE, RUN_BUSY, RUN_FREE, RUN_START, WORD, field, page};
use super::pool::{Pool, Result};
use crate::sys::parts::{Parts, Record, address_of};

/// The low bits of an address.
const LOW: usize = WORD - 1;

/// A chunk of a page that stays where it is.
const CHUNK: usize = 0;
/// A chunk of a page that leaves its list.
const LEAVES: usize = 1;
/// A chunk of a page that enters its list.
const ENTERS: usize = 2;
/// A run is allocated.
const TAKEN: usize = 3;
/// A run is freed.
const FREED: usize = 4;
/// A run is freed that is joined with the first free run, which is behind it.
const JOINED: usize = 5;
/// A run is freed that is joined with no other one.
const ALONE: usize = 6;

/// The record, if no operation is in progress or interrupted.
#[inline(always)]
pub fn idle(parts: &Parts) -> Option<&Record> {
    let record = parts.record();
    let [first, ..] = record;

    (first.load(Relaxed) == 0).then_some(record)
}

/// Ends an operation.
#[inline(always)]
pub fn end(record: &Record) {
    let [first, ..] = record;

    first.store(0, Release);
}

/// Adds 1 to a counter that is only shown. It is in no record.
#[inline(always)]
pub fn count(counter: &AtomicUsize) {
    counter.store(counter.load(Relaxed).wrapping_add(1), Release);
}

/// A word that an operation changes.
#[derive(Clone, Copy)]
pub struct Word<'a> {
    /// The word.
    pub word: &'a AtomicUsize,
    /// Its value before.
    pub was: usize,
    /// Its new value.
    pub new: usize,
}

impl Word<'_> {
    #[inline(always)]
    fn change(&self) {
        self.word.store(self.new, Release);
    }
}

/// The two words that each operation with a chunk changes.
#[derive(Clone, Copy)]
pub struct Chunk<'a> {
    /// The word with the chunk's bit.
    pub bits: Word<'a>,
    /// The counter of the chunks in use.
    pub used: Word<'a>,
}

impl Chunk<'_> {
    #[inline(always)]
    fn begin(&self, record: &Record, operation: usize) {
        let [first, bits, used_at, used, ..] = record;

        bits.store(self.bits.was, Release);
        used_at.store(address_of(self.used.word), Release);
        used.store(self.used.was, Release);
        first.store(address_of(self.bits.word) | operation, Release);
        self.bits.change();
        self.used.change();
    }

    /// Changes the words.
    #[inline(always)]
    pub fn change(&self, record: &Record) {
        self.begin(record, CHUNK);
        end(record);
    }

    /// Changes the words, and takes the page out of its list, of which it is the first one.
    #[inline(always)]
    pub fn change_and_leave(&self, record: &Record, list: &List<'_>) {
        let [_, next, prev] = list.node;

        list.note(record);
        self.begin(record, LEAVES);
        list.head_next.store(list.next, Release);
        list.next_prev.store(list.prev, Release);
        next.store(0, Release);
        prev.store(list.prev & KIND_MASK, Release);
        end(record);
    }

    /// Changes the words, and makes the page the first one of its list.
    #[inline(always)]
    pub fn change_and_enter(&self, record: &Record, list: &List<'_>) {
        let [slab, next, prev] = list.node;
        let descriptor = address_of(slab);

        list.note(record);
        self.begin(record, ENTERS);
        next.store(list.next, Release);
        prev.store(list.prev, Release);
        list.next_prev
            .store(descriptor | list.prev & KIND_MASK, Release);
        list.head_next.store(descriptor, Release);
        end(record);
    }
}

/// The place of a page at the front of its list.
pub struct List<'a> {
    /// The descriptor of the page.
    pub node: &'a [AtomicUsize; 3],
    /// `prev` of the page: the address of the head, and the kind of the page.
    pub prev: usize,
    /// `next` of the page.
    pub next: usize,
    /// The word `next` of the head.
    pub head_next: &'a AtomicUsize,
    /// The word `prev` of the descriptor or head at `next`.
    pub next_prev: &'a AtomicUsize,
}

impl List<'_> {
    #[inline(always)]
    fn note(&self, record: &Record) {
        let [_, _, _, _, descriptor, prev, next, ..] = record;
        let [slab, ..] = self.node;

        descriptor.store(address_of(slab), Release);
        prev.store(self.prev, Release);
        next.store(self.next, Release);
    }
}

/// A free run of pages: `slab`, `next` and `prev` of its descriptor. The length 0 stands for
/// no run.
pub type Free = [usize; 3];

/// Begins to allocate the first `n` pages of a free run.
#[inline(always)]
pub fn begin_taken(record: &Record, descriptor: usize, n: usize, free: Free, pfree: usize) {
    let [first, pages, len, next, prev, count, ..] = record;

    pages.store(n, Release);
    len.store(free[0], Release);
    next.store(free[1], Release);
    prev.store(free[2], Release);
    count.store(pfree, Release);
    first.store(descriptor | TAKEN, Release);
}

/// Begins to free a run of `n` pages. `next` is the first free run; the new run is joined
/// with the free run behind it, and with the one before it.
#[inline(always)]
pub fn begin_freed(
    record: &Record,
    (descriptor, n): (usize, usize),
    (pfree, next): (usize, usize),
    behind: Free,
    before: Free,
) {
    let [first, pages, count, list, a, b, c, d, e, f, ..] = record;

    pages.store(n, Release);
    count.store(pfree, Release);
    list.store(next, Release);
    a.store(behind[0], Release);
    b.store(behind[1], Release);
    c.store(behind[2], Release);
    d.store(before[0], Release);

    // Without a run, no other word of it counts.
    if before[0] != 0 {
        e.store(before[1], Release);
        f.store(before[2], Release);
    }

    first.store(descriptor | FREED, Release);
}

/// Begins to free a run of `n` pages, which takes the place of the first free run, right behind
/// it, with this length and `next`.
#[inline(always)]
pub fn begin_joined(
    record: &Record,
    (descriptor, n): (usize, usize),
    pfree: usize,
    [len, next]: [usize; 2],
) {
    let [first, pages, count, a, b, ..] = record;

    pages.store(n, Release);
    count.store(pfree, Release);
    a.store(len, Release);
    b.store(next, Release);
    first.store(descriptor | JOINED, Release);
}

/// Begins to free a run of `n` pages, which is joined with no other one. `next` is the first
/// free run.
#[inline(always)]
pub fn begin_alone(
    record: &Record,
    (descriptor, n): (usize, usize),
    (pfree, next): (usize, usize),
) {
    let [first, pages, count, list, ..] = record;

    pages.store(n, Release);
    count.store(pfree, Release);
    list.store(next, Release);
    first.store(descriptor | ALONE, Release);
}

/// Undoes the operation of a short record.
///
/// An address outside of the pool is one that a process has overwritten; the other words
/// are restored all the same.
pub fn undo(pool: &Pool, record: &Record) {
    let [address, ..] = record;
    let address = address.load(Relaxed);
    let mut words = record.iter().skip(1).map(|word| word.load(Relaxed));
    let mut next = || words.next().unwrap_or_default();
    let at = address & !LOW;

    match address & LOW {
        TAKEN => undo_taken(pool, at, next(), [next(), next(), next()], next()),
        FREED => {
            let (n, pfree, first) = (next(), next(), next());
            let behind = [next(), next(), next()];

            undo_freed(pool, (at, n), behind, [next(), next(), next()]);
            undo_insert(pool, first, pfree);
        }
        ALONE => {
            let (n, pfree, first) = (next(), next(), next());

            undo_freed(pool, (at, n), [0; 3], [0; 3]);
            undo_insert(pool, first, pfree);
        }
        JOINED => {
            let (n, pfree) = (next(), next());
            let behind = [next(), next(), pool.at(field::FREE)];

            undo_freed(pool, (at, n), behind, [0; 3]);
            undo_insert(pool, after(at, n), pfree);
        }
        operation => {
            put(pool, at, next());
            put(pool, next(), next());

            let (descriptor, prev, first) = (next(), next(), next());

            match operation {
                LEAVES => undo_leave(pool, descriptor, prev, first),
                ENTERS => undo_enter(pool, descriptor, prev, first),
                _ => {}
            }
        }
    }
}

fn put(pool: &Pool, address: usize, value: usize) {
    let _: Result = pool.put(address, value);
}

/// The descriptor `n` descriptors after this one.
fn after(descriptor: usize, n: usize) -> usize {
    descriptor.wrapping_add(n.wrapping_mul(PAGE))
}

fn undo_leave(pool: &Pool, descriptor: usize, prev: usize, next: usize) {
    let kind = prev & KIND_MASK;

    put(pool, descriptor.wrapping_add(page::NEXT), next);
    put(pool, descriptor.wrapping_add(page::PREV), prev);
    put(
        pool,
        (prev & !KIND_MASK).wrapping_add(page::NEXT),
        descriptor,
    );
    put(pool, next.wrapping_add(page::PREV), descriptor | kind);
}

fn undo_enter(pool: &Pool, descriptor: usize, prev: usize, next: usize) {
    put(pool, descriptor.wrapping_add(page::NEXT), 0);
    put(pool, descriptor.wrapping_add(page::PREV), prev & KIND_MASK);
    put(pool, (prev & !KIND_MASK).wrapping_add(page::NEXT), next);
    put(pool, next.wrapping_add(page::PREV), prev);
}

/// Makes a run free again whose first `n` pages were to be allocated.
fn undo_taken(pool: &Pool, descriptor: usize, n: usize, free: Free, pfree: usize) {
    let [len, ..] = free;
    // The pages but the first one that could have changed.
    let count = n.min(len.wrapping_sub(1));
    let _: Result = pool.fill_run(after(descriptor, 1), count, RUN_FREE);

    undo_join(pool, descriptor, free);
    put(pool, pool.at(field::PFREE), pfree);
}

/// Restores the descriptors of a free run that was to be changed, and the links to it.
fn undo_join(pool: &Pool, descriptor: usize, free: Free) {
    let [len, next, prev] = free;

    if len == 0 {
        return;
    }

    put(
        pool,
        after(descriptor, len.wrapping_sub(1)).wrapping_add(page::PREV),
        descriptor,
    );

    let _: Result = pool.set_page(descriptor, free);

    put(
        pool,
        (prev & !KIND_MASK).wrapping_add(page::NEXT),
        descriptor,
    );
    put(pool, next.wrapping_add(page::PREV), descriptor);
}

/// Makes `first` the first free run again, and restores the number of free pages.
fn undo_insert(pool: &Pool, first: usize, pfree: usize) {
    let head = pool.at(field::FREE);

    put(pool, head.wrapping_add(page::NEXT), first);
    put(pool, first.wrapping_add(page::PREV), head);
    put(pool, pool.at(field::PFREE), pfree);
}

/// Makes a run an allocated one again that was to be joined with the free runs behind and
/// before it.
fn undo_freed(pool: &Pool, (descriptor, n): (usize, usize), behind: Free, before: Free) {
    let [len, ..] = before;
    let _: Result = pool.set_page(descriptor, [n | RUN_START, 0, 0]);
    let _: Result = pool.fill_run(after(descriptor, 1), n.wrapping_sub(1), RUN_BUSY);

    undo_join(pool, after(descriptor, n), behind);
    undo_join(pool, after(descriptor, len.wrapping_neg()), before);
}
